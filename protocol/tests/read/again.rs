//! One more look at what is held.

use lastgood_protocol::failure::Code;
use lastgood_protocol::read::{
    self, Known, LockPolicy, ManifestAnswer, ManifestAnswers, Outcome, Plan, Source, Step, VerifiedManifest, Wanted,
};

use crate::common::name;
use crate::publisher::{Publisher, published_at};
use crate::site::{Answer, Site, assert_reading};

/// A page that has read two datasets and looks again.
fn page() -> (Publisher, Site) {
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]"), ("sales", "[]")]));
    let _ = site.read(&["performance", "sales"]);
    site.again = true;
    (publisher, site)
}

#[test]
fn an_unchanged_feed_costs_one_request() {
    let (_, mut site) = page();
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, None);
    assert_eq!(site.requests, ["manifest.json Revalidate"]);
}

#[test]
fn only_what_has_changed_is_fetched() {
    let (mut publisher, mut site) = page();
    site.serve(publisher.publish(&[("performance", "[2]")]));
    let readings = site.read(&["performance", "sales"]).result.unwrap();
    assert_reading(&readings[0], "[2]", Source::Network, None);
    assert_reading(&readings[1], "[]", Source::Cache, None);
    let object = format!("objects/{}.json Allow", publisher.entry(2, "performance").sha256);
    assert_eq!(site.requests, ["manifest.json Revalidate".to_owned(), object]);
}

#[test]
fn what_is_not_held_is_looked_for_as_always() {
    let (_, mut site) = page();
    site.cache.remove(&name("sales"));
    let _ = site.read(&["performance", "sales"]);
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid", "sales.json Revalidate"]);
}

#[test]
fn a_copy_that_is_lost_meanwhile_is_fetched() {
    let (publisher, mut site) = page();
    assert_reading(&site.tamper("performance").reading("performance"), "[1]", Source::Network, None);
    let object = format!("objects/{}.json Allow", publisher.entry(1, "performance").sha256);
    assert_eq!(site.requests, ["manifest.json Revalidate".to_owned(), object]);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Offline));
    assert_eq!(site.requests.len(), 1);
}

/// A manifest that was verified once serves many reads, each of which decides for itself whether it is the present one.
#[test]
fn a_shared_manifest_is_judged_by_each_read() {
    let (mut publisher, site) = page();
    let old = VerifiedManifest::verify(&publisher.latest().encode()).unwrap();
    publisher.publish(&[]).amend(|manifest| manifest.expires_at = Some(published_at(20)));
    let shared = VerifiedManifest::verify(&publisher.latest().encode()).unwrap();
    let mut memory = site.memory.clone();
    let mut look = |manifest: &VerifiedManifest, minute: u64| {
        let now = published_at(minute);
        let plan = Plan {
            datasets: vec![Wanted::json(name("performance"))],
            lock: LockPolicy::Ignore,
            lock_wait_ms: 0,
            max_bytes: 1 << 20,
            max_age_ms: None,
            again: true,
        };
        let heads = vec![Some(site.cache[&name("performance")].0.clone())];
        let Step::FetchManifest(fetch) =
            read::start::<String>(plan, Known { memory: memory.clone(), heads, set: None })
        else {
            panic!("the manifest comes first");
        };
        let answer = ManifestAnswer { manifest: manifest.clone(), server_time: Some(now) };
        let answers = ManifestAnswers { manifest: Ok(answer), lock: None, guesses: Vec::new() };
        let Step::LoadCache(load) = fetch.complete(answers, now) else { panic!("the copy is used in each case") };
        let Step::Done(Outcome { result, memory: seen, .. }) =
            load.complete(vec![Some(crate::common::payload(b"[1]"))])
        else {
            panic!("nothing else is to be done");
        };
        memory = seen;
        result.unwrap()[0].reason.as_ref().map(|failure| failure.code)
    };
    assert_eq!(look(&old, 10), None);
    assert_eq!(look(&shared, 11), None);
    assert_eq!(look(&shared, 12), None);
    assert_eq!(look(&old, 13), Some(Code::Regressed));
    assert_eq!(look(&shared, 20), Some(Code::Expired));
}
