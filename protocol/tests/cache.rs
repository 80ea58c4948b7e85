//! What a reader keeps: the keys never meet, and text that is anything else is a miss.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use lastgood_protocol::cache::{self, CacheHead, CacheSet, CacheSets, FeedMemory, Keys};
use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::manifest::{Generation, Meta, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn head() -> CacheHead {
    let time: Timestamp = "2026-11-20T14:39:00.123Z".parse().unwrap();
    CacheHead {
        feed: FeedId::from_random([1; 16]),
        sha256: Sha256::of(b"[1]"),
        size: 3,
        changed: Generation::new(40).unwrap(),
        confirmed: Generation::new(42).unwrap(),
        published_at: time,
        checked_at: time.plus_ms(1000),
        used_at: time.plus_ms(2000),
        meta: Some(Meta::parse(r#"{"run": 1.0}"#).unwrap()),
        ext: Ext::json(),
        schema: Some(SchemaRef { version: 3, sha256: Sha256::of(b"{}"), size: 2 }),
        validated: true,
    }
}

fn memory() -> FeedMemory {
    let (feed, commit) = (FeedId::from_random([1; 16]), CommitId::from_random([2; 16]));
    FeedMemory { feed, generation: Generation::new(42).unwrap(), commit, clock_offset_ms: -86_400_000 }
}

#[test]
fn the_keys_of_feeds_and_datasets_never_meet() {
    let urls = [
        "https://a.example/",
        "https://a.example/data/",
        "https://a.example/:payload/",
        "https://a.example:8080/",
        "http://[::1]:80/a:b/",
        "https://a.example/x:y:payload/",
    ];
    let names = ["a", "payload", "head", "memory", "a_payload", "8080", "b"].map(|name| name.parse().unwrap());
    let mut seen = HashSet::new();
    for url in urls {
        let keys = Keys::new(url);
        assert!(seen.insert(keys.memory().to_owned()), "{url}");
        assert_eq!(cache::head_of(keys.memory()), None, "{url}: a memory is no payload");
        for name in &names {
            let (head, payload) = (keys.head(name), keys.payload(name));
            assert_eq!(cache::payload_of(&head), payload);
            assert_eq!(cache::dataset_of(&head), name.as_str());
            assert_eq!(cache::head_of(&payload), Some(&*head), "{payload}");
            assert_eq!(cache::head_of(&head), None, "{head} is no payload");
            for key in [head, payload] {
                assert!(key.starts_with(cache::KEY_PREFIX));
                assert!(seen.insert(key.clone()), "{key}");
            }
        }
    }
}

#[test]
fn keys_of_others_are_left_alone() {
    for key in [
        "",
        "a:payload",
        "lastgood:a:payload",
        "lastgood:2:https://a/:a:payload",
        ":payload",
        "lastgood:1::payload",
        "lastgood:1:https://a:a:payload",
    ] {
        assert_eq!(cache::head_of(key), None, "{key}");
    }
}

#[test]
fn entries_are_read_back_as_they_were_written() {
    assert_eq!(CacheHead::decode(&head().encode()), Some(head()));
    for head in [
        CacheHead { meta: None, ..head() },
        CacheHead { validated: false, ..head() },
        CacheHead { schema: None, validated: false, ..head() },
        CacheHead { ext: Ext::parse("png").unwrap(), schema: None, validated: false, ..head() },
    ] {
        assert_eq!(CacheHead::decode(&head.encode()), Some(head));
    }
    assert_eq!(FeedMemory::decode(&memory().encode()), Some(memory()));
}

#[test]
fn damaged_entries_are_misses() {
    for text in ["", "null", "{}", "[]", "undefined", "[object Object]", "{\"feed\":", "\u{feff}{}"] {
        assert_eq!((CacheHead::decode(text), FeedMemory::decode(text)), (None, None), "{text:?}");
    }
    let (head, memory) = (head().encode(), memory().encode());
    for length in 0..head.len() {
        assert_eq!(CacheHead::decode(&head[..length]), None);
    }
    for length in 0..memory.len() {
        assert_eq!(FeedMemory::decode(&memory[..length]), None);
    }
    assert_eq!(
        (CacheHead::decode(&memory), FeedMemory::decode(&head)),
        (None, None),
        "one is never taken for the other"
    );
    for member in ["feed", "sha256", "size", "changed", "confirmed", "published_at", "checked_at", "used_at"] {
        for value in [json!(null), json!(-1), json!("x"), json!({}), json!(1e300)] {
            let mut altered: Value = serde_json::from_str(&head).unwrap();
            altered[member] = value;
            assert_eq!(CacheHead::decode(&altered.to_string()), None, "{altered}");
        }
    }
    for (member, value) in
        [("generation", json!(0)), ("generation", json!(1u64 << 53)), ("clock_offset_ms", json!(0.5))]
    {
        let mut altered: Value = serde_json::from_str(&memory).unwrap();
        altered[member] = value;
        assert_eq!(FeedMemory::decode(&altered.to_string()), None, "{altered}");
    }
}

#[test]
fn entries_of_the_version_before_are_read() {
    let head = CacheHead { schema: None, validated: false, ..head() };
    let before = r#"{"feed":"01010101-0101-4101-8101-010101010101","sha256":"080a9ed428559ef602668b4c00f114f1a11c3f6b02a435f0bdc154578e4d7f22","size":3,"changed":40,"confirmed":42,"published_at":"2026-11-20T14:39:00.123Z","checked_at":"2026-11-20T14:39:01.123Z","used_at":"2026-11-20T14:39:02.123Z","meta":{"run": 1.0}}"#;
    assert_eq!(CacheHead::decode(before), Some(head));
}

#[test]
fn a_copy_satisfies_only_the_schema_that_it_was_validated_against() {
    let schema = Sha256::of(b"{}");
    assert_eq!(head().satisfies(), Some(schema));
    assert_eq!(CacheHead { validated: false, ..head() }.satisfies(), None);
    assert_eq!(CacheHead { schema: None, ..head() }.satisfies(), None);
}

#[test]
fn a_later_version_may_add_members() {
    let text = head().encode().replacen('{', r#"{"new":[{}],"#, 1);
    assert_eq!(CacheHead::decode(&text), Some(head()));
}

/// FIPS 180-4 test vectors.
#[test]
fn digests_are_sha_256() {
    let table = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ];
    for (text, digest) in table {
        assert_eq!(Sha256::of(text.as_bytes()).to_string(), digest);
        assert_eq!(digest.parse(), Ok(Sha256::of(text.as_bytes())));
        assert!(digest.to_uppercase().parse::<Sha256>().is_err());
        assert!(digest[1..].parse::<Sha256>().is_err());
        assert!(format!("{digest}0").parse::<Sha256>().is_err());
    }
    assert!("g".repeat(64).parse::<Sha256>().is_err());
}

proptest! {
    #[test]
    fn any_altered_text_is_a_miss_or_well_formed(at in any::<prop::sample::Index>(), byte in " -~") {
        let text = head().encode();
        let at = at.index(text.len());
        let altered = format!("{}{byte}{}", &text[..at], &text[at + 1..]);
        if let Some(read) = CacheHead::decode(&altered) {
            prop_assert_eq!(CacheHead::decode(&read.encode()), Some(read));
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_the_pieces(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..6)) {
        let mut hasher = Hasher::new();
        pieces.iter().for_each(|piece| hasher.update(piece));
        let digest = hasher.finish();
        prop_assert_eq!(digest, Sha256::of(&pieces.concat()));
        prop_assert_eq!(digest.to_string().parse::<Sha256>(), Ok(digest));
    }

    #[test]
    fn a_payload_key_belongs_to_one_head(url in "https?://[a-z.:/]{0,12}/", name in "[a-z0-9][a-z0-9_-]{0,12}") {
        if let Ok(name) = DatasetName::parse(&name) {
            let keys = Keys::new(&url);
            let (head, payload) = (keys.head(&name), keys.payload(&name));
            prop_assert_eq!(cache::head_of(&payload), Some(head.as_str()));
            prop_assert_eq!(cache::head_of(&head), None);
            prop_assert_eq!(cache::head_of(keys.memory()), None);
        }
    }
}

fn set(names: &[&str], confirmed: u64) -> CacheSet {
    let of = |name: &&str| {
        let (sha256, confirmed) = (Sha256::of(name.as_bytes()), Generation::new(confirmed).unwrap());
        (name.parse().unwrap(), CacheHead { sha256, confirmed, ..head() })
    };
    names.iter().map(of).collect()
}

fn names(names: &[&str]) -> Vec<DatasetName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn sets_are_found_by_their_datasets_and_read_back_as_they_were_written() {
    let mut sets = CacheSets::default();
    sets.put(set(&["b", "a"], 43));
    sets.put(set(&["a", "b", "c"], 44));
    assert_eq!(sets.get(&names(&["a", "b"])), Some(&set(&["b", "a"], 43)));
    assert_eq!(sets.get(&names(&["b", "a"])), Some(&set(&["b", "a"], 43)));
    assert_eq!(sets.get(&names(&["a"])), None);
    assert_eq!(sets.get(&names(&["a", "c"])), None);
    sets.put(set(&["a", "b"], 45));
    assert_eq!(sets.get(&names(&["a", "b"])), Some(&set(&["a", "b"], 45)), "the later one of the same datasets");
    assert_eq!(sets.heads().count(), 5);
    assert_eq!(CacheSets::decode(&sets.encode()), Some(sets.clone()));
    let (a, c) = (Sha256::of(b"a"), Sha256::of(b"c"));
    assert_eq!(sets.head("a", &a).map(|head| head.confirmed.get()), Some(45));
    assert_eq!(sets.head("b", &a), None);
    assert_eq!((sets.naming("a", &a).count(), sets.naming("c", &c).count()), (2, 1));
    assert!(sets.drop_where(|_, head| head.sha256 == c));
    assert!(!sets.drop_where(|_, head| head.sha256 == c));
    assert_eq!(sets.get(&names(&["a", "b", "c"])), None, "without one of them, the others are none");
    assert!(sets.get(&names(&["a", "b"])).is_some());
}

#[test]
fn sets_are_bounded_and_the_latest_stay() {
    let mut sets = CacheSets::default();
    for number in 0..40 {
        sets.put(set(&["a", &format!("b{number}")], 43));
    }
    assert!(sets.get(&names(&["a", "b39"])).is_some());
    assert!(sets.get(&names(&["a", "b0"])).is_none());
    assert_eq!(sets.heads().count(), 16);
    let many: Vec<String> = (0..1000).map(|number| format!("n{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    sets.put(set(&many, 43));
    assert!(sets.get(&names(&many)).is_some(), "the latest, however large");
    assert_eq!(sets.heads().count(), 1000);
}

#[test]
fn damaged_sets_are_none() {
    let mut sets = CacheSets::default();
    sets.put(set(&["a", "b"], 43));
    let text = sets.encode();
    for length in 0..text.len() {
        assert_eq!(CacheSets::decode(&text[..length]), None);
    }
    for text in ["null", "[]", r#"{"0":{"a":{}}}"#, r#"{"0":[]}"#, &head().encode(), &memory().encode()] {
        assert_eq!(CacheSets::decode(text), None, "{text}");
    }
    assert_eq!(CacheHead::decode(&text), None);
}

#[test]
fn keys_of_sets_and_of_earlier_payloads_meet_no_others() {
    let keys = Keys::new("https://a.example/data/");
    let sha256 = Sha256::of(b"[1]");
    for name in ["a", "payload", &sha256.to_string()] {
        let head = keys.head(&name.parse().unwrap());
        let earlier = cache::earlier_of(&head, &sha256);
        assert_eq!(cache::earlier(&earlier), Some((&*head, sha256)));
        assert_eq!((cache::head_of(&earlier), cache::earlier(&head)), (None, None), "{name}");
        assert_eq!(cache::sets_of(&head), keys.sets());
    }
    assert_eq!((cache::head_of(&keys.sets()), cache::earlier(&keys.sets())), (None, None));
    for key in [keys.memory().to_owned(), format!("x:{sha256}"), format!("lastgood:1:https://a:a:{sha256}")] {
        assert_eq!(cache::earlier(&key), None, "{key}");
    }
}
