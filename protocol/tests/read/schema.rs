//! Schemas: which versions are taken, and when payloads are validated.

use std::ops::RangeInclusive;

use lastgood_protocol::failure::Code;
use lastgood_protocol::manifest::MAX_SCHEMA_BYTES;
use lastgood_protocol::read::{Kind, Shape, Source};

use crate::publisher::Publisher;
use crate::site::{Answer, Site, assert_reading};

const NUMBERS: &str = r#"{"items":{"type":"number"}}"#;
const TEXTS: &str = r#"{"items":{"type":"string"}}"#;
const NEWER_THAN_THIS: &str = r##"{"$dynamicRef":"#x"}"##;

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]")]).with_schema("performance", 2, NUMBERS);
    publisher
}

/// A visitor who has read and validated `[1]`.
fn warm() -> (Publisher, Site) {
    let publisher = feed();
    let mut site = Site::of(&publisher);
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
    (publisher, site)
}

fn unvalidated() -> Kind {
    Kind::Json(Shape { validate: false, versions: None, own: false })
}

fn versions(versions: RangeInclusive<u32>) -> Kind {
    Kind::Json(Shape { validate: true, versions: Some(versions), own: false })
}

fn object(publisher: &Publisher) -> String {
    format!("objects/{}.json", publisher.latest().datasets.values().next().unwrap().sha256)
}

fn schema(publisher: &Publisher) -> String {
    let entry = publisher.latest().datasets.values().next().unwrap();
    format!("objects/{}.json", entry.schema.as_ref().unwrap().sha256)
}

#[test]
fn a_payload_is_validated_once_against_the_schema_that_was_published_with_it() {
    let (publisher, mut site) = warm();
    assert_eq!((site.validations, site.rounds), (1, 2));
    assert_eq!(site.requests[3..], [format!("{} Allow", schema(&publisher))]);
    assert_eq!(site.limits[3], (schema(&publisher), NUMBERS.len() as u64));
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Cache, None);
    assert_eq!((reading.head.schema.as_ref().unwrap().version, reading.head.validated), (2, true));
    assert_eq!((site.validations, site.rounds, site.requests.len()), (0, 1, 2));
}

#[test]
fn the_schema_comes_beside_the_payload() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[\"a\"]")]).with_schema("performance", 3, TEXTS));
    assert_reading(&site.reading("performance"), "[\"a\"]", Source::Network, None);
    assert_eq!(site.requests[2..], [format!("{} Allow", object(&publisher)), format!("{} Allow", schema(&publisher))]);
    assert_eq!((site.validations, site.rounds), (1, 2));
}

#[test]
fn a_schema_that_the_host_has_is_not_downloaded_again() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[2]")]).with_schema("performance", 2, NUMBERS));
    assert_reading(&site.reading("performance"), "[2]", Source::Network, None);
    assert_eq!(site.requests[2..], [format!("{} Allow", object(&publisher))]);
    assert_eq!(site.validations, 1);
}

#[test]
fn a_payload_with_a_new_schema_is_validated_though_it_is_the_same() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[1]")]).with_schema("performance", 3, r#"{"maxItems":1}"#));
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Cache, None);
    assert_eq!(reading.head.schema.unwrap().version, 3);
    assert_eq!(site.requests[2..], [format!("{} Allow", schema(&publisher))]);

    site.serve(publisher.publish(&[("performance", "[1]")]).with_schema("performance", 4, TEXTS));
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Fallback, Some(Code::SchemaInvalid));
    assert_eq!(reading.head.schema.unwrap().version, 3, "the copy is what it was before");
    assert_eq!(site.validations, 1);
    // The schema that was found wanting is not taken for satisfied later.
    let _ = site.reading("performance");
    assert_eq!(site.validations, 1);
}

#[test]
fn what_does_not_satisfy_its_schema_is_neither_handed_out_nor_kept() {
    let (mut publisher, mut site) = warm();
    publisher.publish(&[("performance", "[\"a\"]")]).with_schema("performance", 2, NUMBERS);
    let reading = site.serve(&publisher).reading("performance");
    assert_reading(&reading, "[1]", Source::Fallback, Some(Code::SchemaInvalid));
    let reason = reading.reason.unwrap();
    assert!(reason.detail.contains("at /0: expected"), "every violation: {reason}");
    assert_eq!(
        (reason.dataset.as_ref().unwrap().as_str(), reason.path.as_deref().unwrap()),
        ("performance", &*object(&publisher))
    );

    let mut site = Site::of(&publisher);
    assert_eq!(site.failure("performance").code, Code::SchemaInvalid);
    site.kind = unvalidated();
    assert_reading(&site.reading("performance"), "[\"a\"]", Source::Network, None);
    assert_eq!((site.validations, site.rounds), (0, 1), "nor is the schema asked for");
}

#[test]
fn what_was_cached_without_being_validated_is_validated_before_it_is_handed_out() {
    let mut site = Site::of(&feed());
    site.kind = unvalidated();
    let reading = site.reading("performance");
    assert!(reading.head.schema.is_some() && !reading.head.validated);
    site.kind = Kind::Json(Shape::default());
    let mut offline = site.clone();
    assert_eq!(offline.down(Some(Answer::Fails(Code::Offline))).failure("performance").code, Code::Offline);
    offline.kind = unvalidated();
    assert_reading(&offline.reading("performance"), "[1]", Source::Fallback, Some(Code::Offline));

    assert_reading(&site.reading("performance"), "[1]", Source::Cache, None);
    assert_eq!((site.validations, site.requests.len()), (1, 3), "the schema, not the payload");
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Offline));
}

#[test]
fn what_was_validated_stays_so_when_it_is_read_without() {
    let (_, mut site) = warm();
    site.kind = unvalidated();
    assert!(site.reading("performance").head.validated);
}

#[test]
fn a_schema_that_is_not_understood_is_told_and_not_skipped() {
    let mut publisher = feed();
    publisher.publish(&[("performance", "[2]")]).with_schema("performance", 2, NEWER_THAN_THIS);
    let mut site = Site::of(&publisher);
    assert_eq!(site.failure("performance").code, Code::SchemaUnsupported);
    let (_, mut site) = warm();
    assert_reading(
        &site.serve(&publisher).reading("performance"),
        "[1]",
        Source::Fallback,
        Some(Code::SchemaUnsupported),
    );
    site.kind = unvalidated();
    assert_reading(&site.reading("performance"), "[2]", Source::Network, None);
}

#[test]
fn a_schema_is_verified_like_a_payload() {
    for (answer, code) in [
        (Answer::Body(b"{}".to_vec()), Code::ChecksumMismatch),
        (Answer::Body(vec![b' '; 1 << 20]), Code::ChecksumMismatch),
        (Answer::Fails(Code::Truncated), Code::Truncated),
    ] {
        let mut publisher = feed();
        let path = schema(&publisher);
        let mut site = Site::of(&publisher);
        site.script(&path, [answer.clone()]);
        assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
        assert_eq!(site.requests[3..], [format!("{path} Allow"), format!("{path} Bypass")]);

        publisher.publish(&[("performance", "[2]")]).with_schema("performance", 3, TEXTS);
        let path = schema(&publisher);
        let reading = site.serve(&publisher).always(&path, answer).reading("performance");
        assert_reading(&reading, "[1]", Source::Fallback, Some(code));
        assert_eq!(reading.reason.unwrap().path.as_deref(), Some(&*path));
        let payloads = site.requests.iter().filter(|request| request.starts_with(&object(&publisher)));
        assert_eq!(payloads.count(), 1, "what has arrived is not downloaded again");
    }
}

#[test]
fn a_collected_schema_leads_to_the_newer_manifest() {
    let (mut publisher, mut site) = warm();
    publisher.publish(&[("performance", "[2]")]).with_schema("performance", 3, r#"{"maxItems":9}"#);
    let (old, collected) = (publisher.latest().encode(), schema(&publisher));
    site.serve(publisher.publish(&[("performance", "[3]")]).with_schema("performance", 4, r#"{"maxItems":8}"#));
    site.script("manifest.json", [Answer::Body(old)]).always(&collected, Answer::Status(404));
    assert_reading(&site.reading("performance"), "[3]", Source::Network, None);
}

#[test]
fn an_object_of_another_size_than_declared_is_no_schema() {
    let mut publisher = feed();
    publisher.amend(|manifest| {
        manifest.datasets.values_mut().next().unwrap().schema.as_mut().unwrap().size += 1;
    });
    assert_eq!(Site::of(&publisher).failure("performance").code, Code::ChecksumMismatch);
}

#[test]
fn a_schema_above_the_limit_is_not_asked_for() {
    let mut publisher = feed();
    publisher.amend(|manifest| {
        manifest.datasets.values_mut().next().unwrap().schema.as_mut().unwrap().size = MAX_SCHEMA_BYTES + 1;
    });
    let mut site = Site::of(&publisher);
    let failure = site.failure("performance");
    assert_eq!((failure.code, &failure.path), (Code::TooLarge, &Some(schema(&publisher))));
    assert_eq!(site.rounds, 1);
    site.kind = unvalidated();
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
}

#[test]
fn versions_that_the_page_does_not_understand_are_told_before_anything_is_downloaded() {
    for (range, code) in [
        (2..=2, None),
        (1..=2, None),
        (2..=9, None),
        (1..=1, Some(Code::SchemaNewer)),
        (0..=1, Some(Code::SchemaNewer)),
        (3..=3, Some(Code::SchemaOlder)),
        (3..=9, Some(Code::SchemaOlder)),
    ] {
        let mut site = Site::of(&feed());
        site.kind = versions(range.clone());
        let result = site.read(&["performance"]).result;
        assert_eq!(result.as_ref().err().map(|failure| failure.code), code, "{range:?}");
        assert_eq!(site.rounds, if code.is_some() { 1 } else { 2 });
    }
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]")]));
    site.kind = versions(1..=1);
    assert_eq!(site.failure("performance").code, Code::SchemaMissing);
}

#[test]
fn a_copy_is_fallen_back_to_only_in_a_version_that_the_page_understands() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[3]")]).with_schema("performance", 3, NUMBERS));
    site.kind = versions(2..=2);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::SchemaNewer));
    assert_eq!(site.rounds, 1);
    // The page is updated, and the server is away.
    site.kind = versions(3..=3);
    let mut offline = site.clone();
    assert_eq!(offline.down(Some(Answer::Fails(Code::Offline))).failure("performance").code, Code::Offline);
    offline.kind = versions(1..=3);
    assert_reading(&offline.reading("performance"), "[1]", Source::Fallback, Some(Code::Offline));
    assert_reading(&site.reading("performance"), "[3]", Source::Network, None);
    // One that was published without a schema could be anything.
    site.serve(publisher.publish(&[("performance", "[4]")]));
    site.kind = Kind::Json(Shape::default());
    assert_reading(&site.reading("performance"), "[4]", Source::Network, None);
    site.kind = versions(3..=3);
    assert_eq!(site.failure("performance").code, Code::SchemaMissing);
}

#[test]
fn a_copy_in_another_version_is_not_shown_while_the_dataset_is_locked() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[3]")]).with_schema("performance", 3, NUMBERS));
    site.lock(&["performance"], (-1000, 29_000));
    let mut other = site.clone();
    other.kind = versions(3..=3);
    assert_reading(&other.reading("performance"), "[3]", Source::Network, Some(Code::Locked));
    site.kind = versions(2..=2);
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, Some(Code::Locked));
}

#[test]
fn a_schema_of_several_datasets_is_fetched_once_and_each_is_validated() {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]"), ("sales", "[2]")]);
    publisher.with_schema("performance", 1, NUMBERS).with_schema("sales", 1, NUMBERS);
    let mut site = Site::of(&publisher);
    assert_eq!(site.read(&["performance", "sales"]).result.unwrap().len(), 2);
    assert_eq!((site.requests.len(), site.schemas_asked, site.validations), (5, 1, 2));

    site.serve(publisher.publish(&[("sales", "[\"a\"]")]).with_schema("sales", 1, NUMBERS));
    let readings = site.read(&["performance", "sales"]).result.unwrap();
    assert_reading(&readings[0], "[1]", Source::Fallback, Some(Code::SchemaInvalid));
    assert_reading(&readings[1], "[2]", Source::Fallback, Some(Code::SchemaInvalid));
    assert_eq!(readings[0].reason.as_ref().unwrap().dataset.as_ref().unwrap().as_str(), "sales");
}

#[test]
fn what_is_not_json_is_not_validated() {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "NaN"), ("sales", "[2]")]);
    publisher.with_schema("performance", 1, NUMBERS).with_schema("sales", 1, NUMBERS);
    let mut site = Site::of(&publisher);
    assert_eq!(site.read(&["performance", "sales"]).result.unwrap_err().code, Code::NotJson);
    assert_eq!(site.validations, 1);
    assert_eq!(site.failure("performance").code, Code::NotJson);
}
