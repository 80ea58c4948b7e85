//! Several datasets read as one: all of one generation, or none.

use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::read::{self, Known, LockPolicy, Plan, Reading, Source, Wanted};

use crate::common;
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

/// Both were handed out together in generation 1, and performance alone in generation 2.
fn parted() -> Site {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    site.sets = Some(std::collections::BTreeMap::new());
    let _ = both(&mut site);
    site.serve(publisher.publish(&[("performance", "[2]"), ("sales", "{\"s\":2}")]));
    let _ = site.reading("performance");
    site
}

fn assert_first(readings: &[Reading<String>; 2], source: Source, code: Code) {
    assert_reading(&readings[0], "[1]", source, Some(code));
    assert_reading(&readings[1], "{\"s\":1}", source, Some(code));
    assert_eq!(generations(readings), [1, 1]);
}

#[test]
fn what_was_handed_out_together_stays_when_one_of_them_is_read_alone() {
    let mut site = parted();
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_first(&both(&mut site), Source::Fallback, Code::Offline);
    assert_reading(&site.reading("performance"), "[2]", Source::Fallback, Some(Code::Offline));
    // Also when only an object of the next is damaged.
    site.down(None);
    let mut damaged = site.clone();
    let object = format!("objects/{}.json", common::payload(b"{\"s\":2}").sha256);
    damaged.always(&object, Answer::Body(b"{}".to_vec()));
    assert_first(&both(&mut damaged), Source::Fallback, Code::ChecksumMismatch);
    // Not while another is being published: nothing has failed, and one of them was read in a later generation (I5).
    for (lock, code) in [(true, Some(Code::Locked)), (false, None)] {
        let mut site = site.clone();
        if lock {
            site.lock(&["sales"], (-1000, 29_000));
        }
        let readings = both(&mut site);
        assert_reading(&readings[0], "[2]", Source::Cache, code);
        assert_reading(&readings[1], "{\"s\":2}", Source::Network, code);
    }
}

#[test]
fn what_was_handed_out_together_is_verified_and_of_use_to_its_reader() {
    let mut site = parted();
    site.down(Some(Answer::Fails(Code::Offline)));
    for sets in site.sets.iter_mut().flat_map(|sets| sets.values_mut()) {
        sets[0].1 = b"[9]".to_vec();
    }
    assert_eq!(site.read(&BOTH).result.unwrap_err().code, Code::Offline);
    let mut site = parted();
    site.max_age_ms = Some(1000);
    site.device_clock = site.device_clock.plus_ms(2000);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_eq!(site.read(&BOTH).result.unwrap_err().code, Code::TooOld);
}

#[test]
fn a_copy_that_is_lost_is_no_reason_to_lose_what_was_handed_out_together() {
    let mut site = parted();
    site.cache.get_mut(&common::name("performance")).unwrap().1 = None;
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_first(&both(&mut site), Source::Fallback, Code::Offline);
}

#[test]
fn copies_can_be_had_without_a_look() {
    let site = parted();
    let names = BOTH.map(common::name);
    let heads = |site: &Site| names.iter().map(|name| site.cache.get(name).map(|(head, _)| head.clone())).collect();
    let set = site.sets.as_ref().unwrap()[&names[..]].iter().map(|(head, _)| head.clone()).collect();
    for (set, code) in [(Some(set), None), (None, Some(Code::Inconsistent))] {
        let mut site = site.clone();
        site.requests.clear();
        let datasets = names.iter().cloned().map(Wanted::json).collect();
        let (lock, lock_wait_ms, max_bytes) = (LockPolicy::Cache, 0, 1 << 20);
        let plan = Plan { datasets, lock, lock_wait_ms, max_bytes, max_age_ms: None, again: false };
        let known = Known { memory: site.memory.clone(), heads: heads(&site), set };
        let reason = Failure::new(Code::Checking, "not yet");
        let outcome = common::carry_out(read::copies(plan, known, reason, site.device_clock), &mut site);
        assert_eq!((outcome.unread, site.requests.len()), (None, 0), "nobody has looked");
        match (outcome.result, code) {
            (Ok(readings), None) => assert_first(&readings.try_into().unwrap(), Source::Cache, Code::Checking),
            (Err(failure), Some(code)) => assert_eq!(failure.code, code),
            (result, _) => panic!("{result:?}"),
        }
    }
}
