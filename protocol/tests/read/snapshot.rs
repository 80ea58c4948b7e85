//! Several datasets read as one: all of one generation, or none.

use lastgood_protocol::failure::Code;
use lastgood_protocol::read::{Reading, Source};

use crate::publisher::Publisher;
use crate::site::{Answer, Site, assert_reading};

const BOTH: [&str; 2] = ["performance", "sales"];

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]"), ("sales", "{\"s\":1}")]);
    publisher
}

fn object(publisher: &Publisher, generation: u64, dataset: &str) -> String {
    format!("objects/{}.json", publisher.entry(generation, dataset).sha256)
}

fn both(site: &mut Site) -> [Reading<String>; 2] {
    site.read(&BOTH).result.expect("readings").try_into().unwrap()
}

fn generations(readings: &[Reading<String>; 2]) -> [u64; 2] {
    readings.each_ref().map(|reading| reading.generation.get())
}

#[test]
fn it_is_one_round_when_cold_and_keeps_the_order_asked_for() {
    let mut site = Site::of(&feed());
    let [performance, sales] = both(&mut site);
    assert_reading(&performance, "[1]", Source::Network, None);
    assert_reading(&sales, "{\"s\":1}", Source::Network, None);
    let expected = ["manifest.json Revalidate", ".lock Forbid", "performance.json Revalidate", "sales.json Revalidate"];
    assert_eq!(site.requests, expected);
    let names: Vec<_> =
        site.read(&["sales", "performance"]).result.unwrap().iter().map(|r| r.dataset.to_string()).collect();
    assert_eq!(names, ["sales", "performance"]);
    assert_eq!(site.read(&["sales", "sales"]).result.unwrap().len(), 2, "even the same twice");
    assert_eq!(site.read(&[]).result.unwrap().len(), 0);
}

#[test]
fn it_guesses_and_fetches_only_what_is_missing() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("sales", "{\"s\":2}")]));
    let [performance, sales] = both(&mut site);
    assert_reading(&performance, "[1]", Source::Cache, None);
    assert_reading(&sales, "{\"s\":2}", Source::Network, None);
    assert_eq!(site.requests[2..], ["sales.json Revalidate"]);
    site.serve(publisher.publish(&[("performance", "[3]")]));
    let readings = both(&mut site);
    assert_eq!(generations(&readings), [3, 3]);
    assert_eq!(site.requests[2..], [format!("{} Allow", object(&publisher, 3, "performance"))]);
}

#[test]
fn plain_copies_of_two_generations_are_not_mixed() {
    let mut publisher = feed();
    publisher.publish(&[("performance", "[2]"), ("sales", "{\"s\":2}")]);
    let mut site = Site::of(&publisher);
    // A commit is under way: the manifest is renamed, the plain copies one after the other.
    site.put("performance.json", "[1]");
    let readings = both(&mut site);
    assert_reading(&readings[0], "[2]", Source::Network, None);
    assert_reading(&readings[1], "{\"s\":2}", Source::Network, None);
    // The plain copies are ahead of the manifest that an edge still has.
    let mut site = Site::of(&publisher);
    site.put("manifest.json", publisher.manifest(1).encode());
    let readings = both(&mut site);
    assert_reading(&readings[0], "[1]", Source::Network, None);
    assert_reading(&readings[1], "{\"s\":1}", Source::Network, None);
    assert_eq!(generations(&readings), [1, 1]);
}

#[test]
fn when_one_fails_all_fall_back_together() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = both(&mut site);
    site.serve(publisher.publish(&[("performance", "[2]"), ("sales", "{\"s\":2}")]));
    site.always(&object(&publisher, 2, "sales"), Answer::Status(500));
    let readings = both(&mut site);
    assert_reading(&readings[0], "[1]", Source::Fallback, Some(Code::Http));
    assert_reading(&readings[1], "{\"s\":1}", Source::Fallback, Some(Code::Http));
    assert_eq!(generations(&readings), [1, 1]);
    assert_eq!(readings[0].reason.as_ref().unwrap().dataset.as_ref().unwrap().as_str(), "sales");

    let mut site = Site::of(&publisher);
    site.always(&object(&publisher, 2, "sales"), Answer::Status(500)).always("sales.json", Answer::Status(500));
    assert_eq!(site.read(&BOTH).result.unwrap_err().code, Code::Http, "half a snapshot is none");
}

#[test]
fn one_that_the_feed_does_not_have_fails_all() {
    let mut site = Site::of(&feed());
    let failure = site.read(&["performance", "nothing"]).result.unwrap_err();
    assert_eq!((failure.code, failure.dataset.as_ref().unwrap().as_str()), (Code::NotFound, "nothing"));
}

#[test]
fn cached_copies_belong_together_when_a_generation_had_both() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = site.reading("sales");
    // Sales stay the same until generation 3, and are not looked at again until then.
    site.serve(publisher.publish(&[("performance", "[2]")]));
    let _ = site.reading("sales");
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "[3]")]));
    let mut ahead = site.clone();
    site.down(Some(Answer::Fails(Code::Offline)));
    let readings = both(&mut site);
    assert_eq!(generations(&readings), [2, 2]);
    assert_reading(&readings[0], "[2]", Source::Fallback, Some(Code::Offline));
    assert_reading(&readings[1], "{\"s\":1}", Source::Fallback, Some(Code::Offline));

    // Performance has been seen in generation 3; that sales still were the same then is not known.
    let _ = ahead.reading("performance");
    let failure = ahead.down(Some(Answer::Fails(Code::Offline))).read(&BOTH).result.unwrap_err();
    assert_eq!(failure.code, Code::Inconsistent);
    assert!(failure.detail.contains("scripted"), "and why they are needed: {failure}");
    // Each alone is still to be had.
    assert_reading(&ahead.reading("performance"), "[3]", Source::Fallback, Some(Code::Offline));
    assert_reading(&ahead.reading("sales"), "{\"s\":1}", Source::Fallback, Some(Code::Offline));
    // And when the server is back, all is well.
    ahead.down(None);
    assert_eq!(generations(&both(&mut ahead)), [3, 3]);
    assert_eq!(ahead.requests.len(), 2, "with nothing to download");
}

#[test]
fn copies_of_two_feeds_do_not_belong_together() {
    let mut site = Site::of(&feed());
    let _ = both(&mut site);
    let mut other = Publisher::new(2);
    site.serve(other.publish(&[("performance", "[7]"), ("sales", "{\"s\":7}")]));
    let _ = site.reading("performance");
    site.down(Some(Answer::Status(503)));
    assert_eq!(site.read(&BOTH).result.unwrap_err().code, Code::Inconsistent);
}

#[test]
fn one_tampered_copy_spoils_the_fallback() {
    let mut site = Site::of(&feed());
    let _ = both(&mut site);
    site.tamper("sales").down(Some(Answer::Fails(Code::Timeout)));
    assert_eq!(site.read(&BOTH).result.unwrap_err().code, Code::Timeout);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Timeout));
    site.down(None);
    let readings = both(&mut site);
    assert_eq!(readings.each_ref().map(|reading| reading.source), [Source::Cache, Source::Network]);
}

#[test]
fn a_second_look_at_the_manifest_keeps_what_has_been_downloaded() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = both(&mut site);
    publisher.publish(&[("performance", "[2]"), ("sales", "{\"s\":2}")]);
    let old = publisher.latest().encode();
    site.serve(publisher.publish(&[("performance", "[3]")]));
    // An edge still has the manifest of generation 2, whose performance is already collected.
    site.script("manifest.json", [Answer::Body(old)]);
    site.always(&object(&publisher, 2, "performance"), Answer::Status(404));
    let readings = both(&mut site);
    assert_reading(&readings[0], "[3]", Source::Network, None);
    assert_reading(&readings[1], "{\"s\":2}", Source::Network, None);
    assert_eq!(generations(&readings), [3, 3]);
    let sales = object(&publisher, 2, "sales");
    assert_eq!(site.requests.iter().filter(|request| request.starts_with(&sales)).count(), 1, "{:?}", site.requests);
}

#[test]
fn only_the_damaged_one_is_asked_for_again() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = both(&mut site);
    site.serve(publisher.publish(&[("performance", "[2]"), ("sales", "{\"s\":2}")]));
    let (performance, sales) = (object(&publisher, 2, "performance"), object(&publisher, 2, "sales"));
    site.script(&sales, [Answer::Fails(Code::Truncated)]);
    let readings = both(&mut site);
    assert!(readings.iter().all(Reading::fresh));
    assert_eq!(
        site.requests[2..],
        [format!("{performance} Allow"), format!("{sales} Allow"), format!("{sales} Bypass")]
    );
}
