//! What was taken back: withdrawn datasets, and payloads that were purged.

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::Code;
use lastgood_protocol::read::Source;

use crate::common::name;
use crate::publisher::{Publisher, published_at};
use crate::site::{Answer, Site, assert_reading};

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("cards", "[4111]"), ("sales", "[1]")]);
    publisher
}

#[test]
fn a_withdrawn_dataset_is_told_with_the_time() {
    let mut publisher = feed();
    publisher.withdraw("cards");
    let mut site = Site::of(&publisher);
    let failure = site.failure("cards");
    assert_eq!((failure.code, failure.dataset.clone()), (Code::NotFound, Some(name("cards"))));
    assert_eq!(failure.detail, format!("\"cards\" was withdrawn from the feed at {}", published_at(2)));
    assert!(site.failure("sale").detail.ends_with("it has: sales"));
    publisher.withdraw("sales");
    assert!(Site::of(&publisher).failure("sale").detail.ends_with("it has: none"));
}

#[test]
fn a_copy_of_what_was_withdrawn_is_the_last_good_one() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    site.reading("cards");
    site.serve(publisher.withdraw("cards"));
    assert_reading(&site.reading("cards"), "[4111]", Source::Fallback, Some(Code::NotFound));
    // Published again, it is a dataset like any other, whatever is still said of it.
    site.serve(publisher.publish(&[("cards", "[5]")]));
    assert_reading(&site.reading("cards"), "[5]", Source::Network, None);
}

#[test]
fn a_copy_of_what_was_purged_is_not_handed_out_whatever_happens() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    site.read(&["cards", "sales"]);
    publisher.withdraw("cards").purge("[4111]");
    site.serve(&publisher);
    let mut gone = site.clone();
    assert_eq!(gone.failure("cards").code, Code::NotFound);

    publisher.publish(&[("cards", "[2]")]);
    let object = format!("objects/{}.json", publisher.entry(3, "cards").sha256);
    let mut replaced = site.clone();
    replaced.serve(&publisher).always(&object, Answer::Status(503)).always("cards.json", Answer::Status(503));
    assert_eq!(replaced.failure("cards").code, Code::Http);
    // Nor together with others, which are there.
    assert_eq!(replaced.read(&["sales", "cards"]).result.unwrap_err().code, Code::Http);
    assert_reading(&replaced.reading("sales"), "[1]", Source::Cache, None);
}

#[test]
fn what_was_purged_is_told_whatever_comes_of_the_read() {
    let mut publisher = feed();
    publisher.withdraw("cards").purge("[4111]");
    let purged = |site: &mut Site, dataset: &str| {
        let manifest = site.read(&[dataset]).manifest;
        manifest.map(|manifest| manifest.purged.iter().map(|(sha256, _)| *sha256).collect::<Vec<_>>())
    };
    let expected = Some(vec![Sha256::of(b"[4111]")]);
    let mut site = Site::of(&publisher);
    assert_eq!(purged(&mut site, "sales"), expected);
    assert_eq!(purged(&mut site, "cards"), expected, "with a failure too");
    publisher.amend(|manifest| manifest.expires_at = Some(published_at(3)));
    assert_eq!(purged(site.serve(&publisher), "sales"), expected, "also when nothing else of it counts any more");
    // A replay, or nothing at all, says nothing.
    assert_eq!(purged(site.serve(&feed()), "sales"), None);
    assert_eq!(purged(site.down(Some(Answer::Status(500))), "sales"), None);
}

#[test]
fn while_a_commit_is_in_progress_it_is_not_shown_either() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    site.reading("cards");
    publisher.publish(&[("cards", "[2]")]).purge("[4111]");
    site.serve(&publisher).lock(&["cards"], (-1000, 60_000));
    assert_reading(&site.reading("cards"), "[2]", Source::Network, Some(Code::Locked));
}
