//! Datasets that are not JSON.

use lastgood_protocol::failure::Code;
use lastgood_protocol::read::{Kind, Shape, Source};

use crate::publisher::Publisher;
use crate::site::{Answer, Site, assert_reading};

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("chart", "PNG 1"), ("sales", "[1]")]).as_artifact("chart", "png");
    publisher
}

fn site(kind: Kind) -> Site {
    let mut site = Site::of(&feed());
    site.kind = kind;
    site
}

fn json() -> Kind {
    Kind::Json(Shape::default())
}

#[test]
fn it_is_read_as_it_is_and_never_guessed() {
    let mut site = site(Kind::Artifact);
    let reading = site.reading("chart");
    assert_reading(&reading, "PNG 1", Source::Network, None);
    assert_eq!(reading.head.ext.as_str(), "png");
    let object = format!("objects/{}.png Allow", reading.head.sha256);
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid", &object]);
    assert_reading(&site.reading("chart"), "PNG 1", Source::Cache, None);
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid"]);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_reading(&site.reading("chart"), "PNG 1", Source::Fallback, Some(Code::Offline));
}

#[test]
fn the_failure_says_how_to_read_it_before_anything_is_downloaded() {
    for (kind, dataset, way_out) in [(json(), "chart", "as an artifact"), (Kind::Artifact, "sales", "as a value")] {
        let mut site = site(kind);
        let failure = site.failure(dataset);
        assert_eq!((failure.code, failure.dataset.as_ref().unwrap().as_str()), (Code::WrongKind, dataset));
        assert!(failure.detail.contains(way_out), "{}", failure.detail);
        assert!(!site.requests.iter().any(|request| request.starts_with("objects/")));
    }
}

#[test]
fn either_is_read_by_who_wants_bytes() {
    let mut site = site(Kind::Any(Shape::default()));
    assert_reading(&site.reading("chart"), "PNG 1", Source::Network, None);
    assert_reading(&site.reading("sales"), "[1]", Source::Network, None);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_reading(&site.reading("chart"), "PNG 1", Source::Fallback, Some(Code::Offline));
}

#[test]
fn a_copy_of_the_other_kind_is_no_copy() {
    for (before, after) in [(Kind::Artifact, json()), (json(), Kind::Artifact)] {
        let mut publisher = Publisher::new(1);
        publisher.publish(&[("chart", "[1]")]);
        if before == Kind::Artifact {
            publisher.as_artifact("chart", "png");
        }
        let mut site = Site::of(&publisher);
        site.kind = before.clone();
        let _ = site.reading("chart");
        let mut changed = site.clone();

        site.kind = after.clone();
        site.down(Some(Answer::Fails(Code::Offline)));
        assert_eq!(site.failure("chart").code, Code::Offline);

        // The same bytes, published as the other kind: what the copy was made into is of no use.
        publisher.publish(&[("chart", "[1]")]);
        if after == Kind::Artifact {
            publisher.as_artifact("chart", "png");
        }
        changed.serve(&publisher);
        assert_reading(&changed.reading("chart"), "[1]", Source::Fallback, Some(Code::WrongKind));
        changed.kind = after;
        assert_reading(&changed.reading("chart"), "[1]", Source::Network, None);
    }
}
