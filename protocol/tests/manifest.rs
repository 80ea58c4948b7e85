//! The manifest: what is written is read back, and nothing else is.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use lastgood_protocol::MAX_SAFE_INTEGER;
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::manifest::{
    Entry, Generation, InvalidMeta, MAX_MANIFEST_BYTES, MAX_META_BYTES, Manifest, ManifestError, Meta, SchemaRef,
};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn generation(number: u64) -> Generation {
    Generation::new(number).unwrap()
}

/// A manifest with every member that there is.
fn full() -> Manifest {
    let published_at = "2026-11-20T14:39:00.123Z".parse().unwrap();
    let (feed, commit) = (FeedId::from_random([0xa5; 16]), CommitId::from_random([0x5a; 16]));
    let mut manifest = Manifest::new(feed, generation(42), commit, published_at);
    manifest.expires_at = Some(published_at.plus_ms(86_400_000));
    let entry = Entry {
        sha256: Sha256::of(b"[1]"),
        size: 3,
        generation: generation(41),
        previous: generation(41).previous(),
        published_at,
        ext: Ext::json(),
        schema: Some(SchemaRef { version: 3, sha256: Sha256::of(b"true"), size: 4 }),
        meta: Some(Meta::parse(r#"{"model": "ets-2.1", "x": 1e2}"#).unwrap()),
        forced: Some("min_rows max_shrink".to_owned()),
        plain_copy: false,
        expires_at: Some(published_at.plus_ms(3_600_000)),
    };
    let chart = Entry {
        ext: Ext::parse("png").unwrap(),
        schema: None,
        meta: None,
        forced: None,
        plain_copy: true,
        expires_at: None,
        ..entry.clone()
    };
    manifest.datasets.insert("performance".parse().unwrap(), entry);
    manifest.datasets.insert("chart".parse().unwrap(), chart);
    manifest.withdrawn.insert("sales".parse().unwrap(), published_at);
    manifest.withdrawn.insert("performance-2025".parse().unwrap(), published_at.plus_ms(-1));
    manifest.purged.insert(Sha256::of(b"[0]"), published_at);
    manifest
}

/// A file around the text of `signed`, with its right checksum.
fn enclose(signed: &str) -> Vec<u8> {
    format!(r#"{{"signed":{signed},"sha256":"{}","signatures":[]}}"#, Sha256::of(signed.as_bytes())).into_bytes()
}

/// The full manifest's `signed`, altered.
fn altered(alter: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(&full().encode()).unwrap();
    alter(&mut file["signed"]);
    enclose(&file["signed"].to_string())
}

fn code(bytes: &[u8]) -> Code {
    Failure::from(Manifest::verify(bytes).expect_err("refused")).code
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_ms)
}

fn any_digest() -> impl Strategy<Value = Sha256> {
    any::<[u8; 32]>().prop_map(Sha256::from_bytes)
}

fn any_size() -> impl Strategy<Value = u64> {
    prop_oneof![0..1000u64, 0..=MAX_SAFE_INTEGER, Just(MAX_SAFE_INTEGER)]
}

fn any_meta() -> impl Strategy<Value = Meta> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from)
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    });
    (tree, any::<bool>()).prop_map(|(value, pretty)| {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        Meta::parse(&text.unwrap()).unwrap()
    })
}

/// Which generation came before another.
#[derive(Debug, Clone)]
enum Previous {
    TheNumberBefore,
    None,
    /// Numbers are left out.
    Earlier(prop::sample::Index),
}

impl Previous {
    fn of(&self, next: Generation) -> Option<Generation> {
        match self {
            Self::TheNumberBefore => next.previous(),
            Self::Earlier(index) if next.get() > 1 => {
                Some(generation(1 + index.index((next.get() - 1).min(1 << 30) as usize) as u64))
            }
            Self::Earlier(_) | Self::None => None,
        }
    }
}

fn any_previous() -> impl Strategy<Value = Previous> {
    prop_oneof![
        Just(Previous::TheNumberBefore),
        Just(Previous::None),
        any::<prop::sample::Index>().prop_map(Previous::Earlier)
    ]
}

prop_compose! {
    fn any_entry(latest: u64)(
        sha256 in any_digest(),
        size in any_size(),
        number in 1..=latest,
        published_at in any_time(),
        ext in "[a-z0-9]{1,8}",
        schema in prop::option::of((any::<u32>(), any_digest(), any_size())),
        meta in prop::option::of(any_meta()),
        forced in prop::option::of("[a-z_ ]{0,20}"),
        plain_copy in any::<bool>(),
        previous in any_previous(),
        expires_at in prop::option::of(any_time()),
    ) -> Entry {
        let schema = schema.map(|(version, sha256, size)| SchemaRef { version, sha256, size });
        let (generation, ext) = (generation(number), ext.parse().unwrap());
        let previous = previous.of(generation);
        Entry { sha256, size, generation, previous, published_at, ext, schema, meta, forced, plain_copy, expires_at }
    }
}

prop_compose! {
    fn any_manifest()(number in 1..=MAX_SAFE_INTEGER)(
        ids in (any::<[u8; 16]>(), any::<[u8; 16]>()),
        number in Just(number),
        published_at in any_time(),
        expires_at in prop::option::of(any_time()),
        entries in prop::collection::btree_map("[a-z0-9][a-z0-9_-]{0,20}x", any_entry(number), 0..5),
        previous in any_previous(),
        withdrawn in prop::collection::btree_map("[a-z0-9][a-z0-9_-]{0,20}x", any_time(), 0..4),
        purged in prop::collection::vec((any_digest(), any_time()), 0..4),
    ) -> Manifest {
        let (feed, commit) = (FeedId::from_random(ids.0), CommitId::from_random(ids.1));
        let mut manifest = Manifest::new(feed, generation(number), commit, published_at);
        manifest.previous = previous.of(manifest.generation);
        manifest.expires_at = expires_at;
        manifest.datasets = entries.into_iter().map(|(name, entry)| (name.parse().unwrap(), entry)).collect();
        manifest.withdrawn = withdrawn.into_iter().map(|(name, at)| (name.parse().unwrap(), at)).collect();
        manifest.purged = purged.into_iter().collect();
        manifest
    }
}

proptest! {
    #[test]
    fn datasets_are_kept_like_a_map_whatever_comes_first(changes in prop::collection::vec(("[a-e]", 0..9_u64), 0..20)) {
        let entry = full().datasets.values().next().unwrap().clone();
        let (mut datasets, mut map) = (full().datasets, BTreeMap::new());
        map.extend(datasets.clone());
        for (name, size) in changes {
            let (name, entry): (DatasetName, _) = (name.parse().unwrap(), Entry { size, ..entry.clone() });
            if size == 0 {
                prop_assert_eq!(datasets.remove_entry(&name), map.remove_entry(&name));
            } else {
                prop_assert_eq!(datasets.insert(name.clone(), entry.clone()), map.insert(name.clone(), entry));
            }
            prop_assert_eq!((datasets.get(&name), datasets.contains_key(&name)), (map.get(&name), map.contains_key(&name)));
            prop_assert!(datasets.iter().eq(map.iter()) && datasets.keys().eq(map.keys()) && datasets.values().eq(map.values()));
            prop_assert_eq!((datasets.len(), datasets.is_empty()), (map.len(), map.is_empty()));
        }
    }

    #[test]
    fn any_manifest_is_read_back_as_it_was_written(manifest in any_manifest()) {
        let bytes = manifest.encode();
        prop_assert_eq!(Manifest::verify(&bytes), Ok(manifest));
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&file["signed"]["format"], &json!(1));
        prop_assert_eq!(&file["signatures"], &json!([]));
    }

    #[test]
    fn any_256_generations_in_a_row_differ_in_length(manifest in any_manifest()) {
        let bytes = manifest.encode();
        prop_assert_eq!(bytes.len() as u64 % 256, manifest.generation.get() % 256);
        prop_assert!(bytes.len() - bytes.trim_ascii_end().len() <= 256, "by no more than it takes");
    }

    #[test]
    fn any_bytes_are_decided(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Manifest::verify(&bytes).is_err());
    }

    #[test]
    fn any_cut_splice_or_repetition_is_refused_or_harmless(manifest in any_manifest(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let bytes = manifest.encode();
        let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
        let spliced = [&bytes[..a], &bytes[b..]].concat();
        if let Ok(read) = Manifest::verify(&spliced) {
            prop_assert_eq!(read, manifest);
        }
    }
}

#[test]
fn every_changed_byte_is_refused_or_harmless() {
    let manifest = full();
    let bytes = manifest.encode();
    let end = bytes.trim_ascii_end().len();
    let signed = br#"{"signed":"#.len()..end - r#","sha256":"","signatures":[]}"#.len() - 65;
    let mut harmless = 0;
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        for byte in (0..=255).filter(|&byte| byte != bytes[i]) {
            changed[i] = byte;
            match Manifest::verify(&changed) {
                Ok(read) => {
                    assert!(!signed.contains(&i), "byte {i} is covered by the checksum");
                    assert_eq!(read, manifest);
                    harmless += 1;
                }
                Err(ManifestError::NotJson { .. }) => assert_eq!(i, 0),
                Err(ManifestError::Malformed { .. } | ManifestError::Checksum { .. }) => {}
                Err(other) => panic!("byte {i} changed to {byte}: {other}"),
            }
        }
    }
    assert!(harmless > 0, "the signatures and the white space after them may change");
}

#[test]
fn every_truncation_is_refused() {
    let bytes = full().encode();
    let content = bytes.trim_ascii_end().len();
    for length in 0..content {
        let expected = if length == 0 { Code::NotJson } else { Code::ManifestInvalid };
        assert_eq!(code(&bytes[..length]), expected, "cut to {length} bytes");
    }
    for length in content..bytes.len() {
        assert_eq!(Manifest::verify(&bytes[..length]), Ok(full()), "the white space at the end is no content");
    }
    assert_eq!(code(&[&bytes[..], b"x"].concat()), Code::ManifestInvalid, "nor is anything after it");
    assert_eq!(code(&[&bytes[..], &bytes[..]].concat()), Code::ManifestInvalid);
}

#[test]
fn the_checksum_covers_the_bytes_and_not_the_meaning() {
    let file: Value = serde_json::from_slice(&full().encode()).unwrap();
    let pretty = serde_json::to_string_pretty(&file["signed"]).unwrap();
    let read = Manifest::verify(&enclose(&pretty)).unwrap();
    assert_eq!((read.commit, read.datasets.len()), (full().commit, 2));
    let spaced = format!(
        "\n {{ \"signatures\" : [ ] ,\r\n\t\"sha256\":{} , \"signed\" : {} }} ",
        file["sha256"], file["signed"]
    );
    let found = Manifest::verify(spaced.as_bytes());
    // `Value` sorts the members, so the bytes of `signed` are others now.
    assert!(matches!(found, Err(ManifestError::Checksum { .. })), "{found:?}");
    let text = String::from_utf8(full().encode()).unwrap();
    let (before, after) = text.rsplit_once(",\"sha256\":").unwrap();
    let respaced = format!("{before} ,\n\"sha256\" : {after}");
    assert_eq!(Manifest::verify(respaced.as_bytes()), Ok(full()));
}

#[test]
fn a_later_format_is_its_own_error_whatever_else_it_has() {
    for signed in [
        r#"{"format":2}"#,
        r#"{"format":2,"generation":"forty-two","datasets":[[]],"feed":null}"#,
        r#"{"datasets":7,"format":4294967296}"#,
        r#"{"format":18446744073709551615}"#,
    ] {
        let found = Manifest::verify(&enclose(signed));
        assert!(matches!(found, Err(ManifestError::Format { found: 2.. })), "{signed}: {found:?}");
        assert_eq!(code(&enclose(signed)), Code::FormatUnsupported);
    }
    assert_eq!(code(&altered(|signed| signed["format"] = json!(2))), Code::FormatUnsupported);
    // Not before the checksum: a damaged file says nothing about its format.
    let damaged = String::from_utf8(enclose(r#"{"format":1}"#)).unwrap().replace("format\":1", "format\":2");
    assert_eq!(code(damaged.as_bytes()), Code::ManifestInvalid);
    for format in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!(1e300)] {
        assert_eq!(code(&altered(|signed| signed["format"] = format.clone())), Code::ManifestInvalid, "{format}");
    }
    assert_eq!(code(&enclose("{}")), Code::ManifestInvalid);
}

#[test]
fn unknown_members_are_ignored_at_every_level() {
    let strange = json!({"deep": [[[{"format": 2, "sha256": null}]]], "": 1e300});
    let bytes = altered(|signed| {
        signed["new"] = strange.clone();
        for entry in ["performance", "chart"] {
            signed["datasets"][entry]["new"] = strange.clone();
        }
        signed["datasets"]["performance"]["schema"]["new"] = strange.clone();
    });
    assert_eq!(Manifest::verify(&bytes).map(|read| read.generation), Ok(generation(42)));
    let text = String::from_utf8(full().encode()).unwrap();
    let outside = text.replacen('{', &format!(r#"{{"new":{strange},"#), 1);
    assert_eq!(Manifest::verify(outside.as_bytes()), Ok(full()));
    assert_eq!(Manifest::verify(text.replace(r#","signatures":[]"#, "").as_bytes()), Ok(full()), "unsigned");
}

#[test]
fn a_known_member_twice_is_refused() {
    let text = String::from_utf8(full().encode()).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let twice = text.replacen('{', &format!(r#"{{"sha256":{},"#, file["sha256"]), 1);
    assert_eq!(code(twice.as_bytes()), Code::ManifestInvalid);
    assert_eq!(code(text.replacen('{', r#"{"signed":{},"#, 1).as_bytes()), Code::ManifestInvalid);
    let signed = text.strip_prefix(r#"{"signed":"#).unwrap().rsplit_once(",\"sha256\"").unwrap().0;
    assert_eq!(Manifest::verify(&enclose(signed)), Ok(full()));
    for member in
        [r#""generation":42,"#, r#""format":1,"#, r#""datasets":{"#, r#""chart":{"#, r#""size":3,"#, r#""version":3,"#]
    {
        let at = signed.find(member).unwrap();
        let copy = match member {
            r#""datasets":{"# => r#""datasets":{},"#.to_owned(),
            r#""chart":{"# => {
                let (_, rest) = signed.split_once(r#""chart":"#).unwrap();
                let (entry, _) = rest.split_once('}').unwrap();
                format!(r#""chart":{entry}}},"#)
            }
            _ => member.to_owned(),
        };
        let twice = format!("{}{copy}{}", &signed[..at], &signed[at..]);
        assert_eq!(code(&enclose(&twice)), Code::ManifestInvalid, "{twice}");
    }
}

#[test]
fn other_content_is_told_from_a_damaged_manifest() {
    let table: [(&[u8], &str); 8] = [
        (b"", "nothing"),
        (b" \r\n\t", "nothing"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        (b"\n\n  <html>", "an HTML page"),
        (b"\xef\xbb\xbf{}", "other content"),
        (b"[]", "other content"),
        (b"null", "other content"),
        (b"\xff\xfe{\0", "other content"),
    ];
    for (bytes, found) in table {
        let error = Manifest::verify(bytes).unwrap_err();
        assert!(matches!(&error, ManifestError::NotJson { found: text } if text.starts_with(found)), "{error}");
        assert_eq!(code(bytes), Code::NotJson);
    }
    let with_bom = [b"\xef\xbb\xbf", &full().encode()[..]].concat();
    assert_eq!(code(&with_bom), Code::NotJson);
    for bytes in [&b"{}"[..], b"{", b"{\"signed\":{}}", b"{\"a\":\"\xff\"}", b"{\"signed\":1,\"sha256\":\"\"}"] {
        assert_eq!(code(bytes), Code::ManifestInvalid, "{}", String::from_utf8_lossy(bytes));
    }
    let long = [b"<p>".repeat(1000), "é".repeat(1000).into_bytes()].concat();
    assert!(Manifest::verify(&long).unwrap_err().to_string().len() < 200, "messages stay short");
}

#[test]
fn numbers_outside_the_protocol_are_refused() {
    let safe = MAX_SAFE_INTEGER;
    let too_large = [json!(safe + 1), json!(u64::MAX), json!(-1), json!(1.5), json!(1e300), json!("42"), json!(null)];
    for number in &too_large {
        assert_eq!(code(&altered(|signed| signed["generation"] = number.clone())), Code::ManifestInvalid, "{number}");
        let in_entry = |member: &str| code(&altered(|signed| signed["datasets"]["chart"][member] = number.clone()));
        assert_eq!(in_entry("generation"), Code::ManifestInvalid, "{number}");
        assert_eq!(in_entry("size"), Code::ManifestInvalid, "{number}");
        let in_schema = |member: &str| {
            code(&altered(|signed| signed["datasets"]["performance"]["schema"][member] = number.clone()))
        };
        assert_eq!(in_schema("version"), Code::ManifestInvalid, "{number}");
        assert_eq!(in_schema("size"), Code::ManifestInvalid, "{number}");
    }
    assert_eq!(code(&altered(|signed| signed["generation"] = json!(0))), Code::ManifestInvalid);
    // Digits beyond every type.
    let text = String::from_utf8(altered(|_| {})).unwrap();
    let signed = text.strip_prefix(r#"{"signed":"#).unwrap().rsplit_once(",\"sha256\"").unwrap().0;
    let gigantic = signed.replace("\"generation\":42", &format!("\"generation\":{}", "9".repeat(400)));
    assert_ne!(gigantic, signed);
    assert_eq!(code(&enclose(&gigantic)), Code::ManifestInvalid);
    // The greatest that fit.
    let read = Manifest::verify(&altered(|signed| {
        signed["generation"] = json!(safe);
        signed["datasets"]["chart"]["generation"] = json!(safe);
        signed["datasets"]["chart"]["size"] = json!(safe);
        signed["datasets"]["performance"]["schema"]["size"] = json!(safe);
    }));
    assert_eq!(read.unwrap().generation.get(), safe);
}

#[test]
fn an_entry_cannot_be_newer_than_its_manifest() {
    let newer = altered(|signed| signed["datasets"]["chart"]["generation"] = json!(43));
    let chart = "chart".parse().unwrap();
    assert_eq!(Manifest::verify(&newer), Err(ManifestError::Entry { dataset: chart }));
    assert!(Manifest::verify(&altered(|signed| signed["datasets"]["chart"]["generation"] = json!(42))).is_ok());
}

#[test]
fn members_of_other_forms_are_refused() {
    type Alter = fn(&mut Value);
    let table: [(&str, Alter); 19] = [
        ("name", |s| s["datasets"]["../up"] = s["datasets"]["chart"].clone()),
        ("reserved name", |s| s["datasets"]["a_backup"] = s["datasets"]["chart"].clone()),
        ("upper-case digest", |s| s["datasets"]["chart"]["sha256"] = json!("A".repeat(64))),
        ("short digest", |s| s["datasets"]["chart"]["sha256"] = json!("a".repeat(63))),
        ("ext", |s| s["datasets"]["chart"]["ext"] = json!("tar.gz")),
        ("ext of another type", |s| s["datasets"]["chart"]["ext"] = json!(null)),
        ("time", |s| s["published_at"] = json!("yesterday")),
        ("expiry", |s| s["expires_at"] = json!(0)),
        ("expiry of an entry", |s| s["datasets"]["chart"]["expires_at"] = json!("tomorrow")),
        ("withdrawn", |s| s["withdrawn"] = json!(["sales"])),
        ("a withdrawn name", |s| s["withdrawn"]["../up"] = json!("2026-11-20T14:39:00Z")),
        ("a purged digest", |s| s["purged"]["a"] = json!("2026-11-20T14:39:00Z")),
        ("a purge without a time", |s| s["purged"]["a".repeat(64)] = json!(null)),
        ("feed", |s| s["feed"] = json!("00000000-0000-0000-0000-00000000000G")),
        ("commit", |s| s["commit"] = json!("0123")),
        ("no datasets", |s| s["datasets"] = json!(null)),
        ("no digest", |s| _ = s["datasets"]["chart"].as_object_mut().unwrap().remove("sha256")),
        ("schema", |s| s["datasets"]["performance"]["schema"] = json!({})),
        ("long meta", |s| s["datasets"]["chart"]["meta"] = json!("x".repeat(MAX_META_BYTES))),
    ];
    for (what, alter) in table {
        assert_eq!(code(&altered(alter)), Code::ManifestInvalid, "{what}");
    }
    let read = Manifest::verify(&altered(|signed| _ = signed.as_object_mut().unwrap().remove("expires_at"))).unwrap();
    assert_eq!(read.expires_at, None);
    let empty = Manifest::verify(&altered(|signed| signed["datasets"] = json!({}))).unwrap();
    assert!(empty.datasets.is_empty());
}

#[test]
fn nesting_however_deep_neither_overflows_nor_hides_the_rest() {
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let text = String::from_utf8(full().encode()).unwrap();
    let outside = text.replacen('{', &format!(r#"{{"new":{deep},"#), 1);
    assert_eq!(Manifest::verify(outside.as_bytes()), Ok(full()));
    let signed = text.strip_prefix(r#"{"signed":"#).unwrap().rsplit_once(",\"sha256\"").unwrap().0;
    let inside = signed.replacen('{', &format!(r#"{{"new":{deep},"#), 1);
    assert_eq!(Manifest::verify(&enclose(&inside)), Ok(full()));
    for known in ["datasets", "generation"] {
        let inside = signed.replacen('{', &format!(r#"{{"{known}":{deep},"#), 1);
        assert_eq!(code(&enclose(&inside)), Code::ManifestInvalid);
    }
    assert_eq!(code(&[b"{\"a\":", "[".repeat(1_000_000).as_bytes()].concat()), Code::ManifestInvalid);
}

#[test]
fn the_limit_is_the_last_size_that_is_read() {
    let mut bytes = full().encode();
    bytes.resize(usize::try_from(MAX_MANIFEST_BYTES).unwrap(), b' ');
    assert_eq!(Manifest::verify(&bytes), Ok(full()));
    bytes.push(b' ');
    assert_eq!(Manifest::verify(&bytes), Err(ManifestError::TooLarge { size: MAX_MANIFEST_BYTES + 1 }));
    assert_eq!(code(&bytes), Code::TooLarge);
}

#[test]
fn it_expires_at_the_instant_it_says() {
    let mut manifest = full();
    let end = manifest.expires_at.unwrap();
    assert!(!manifest.expired(end.plus_ms(-1)) && manifest.expired(end) && manifest.expired(end.plus_ms(1)));
    manifest.expires_at = None;
    assert!(!manifest.expired(Timestamp::MAX));
    let entry = manifest.datasets[&"performance".parse::<DatasetName>().unwrap()].clone();
    let own = entry.expires_at.unwrap();
    assert!(!entry.expired(own.plus_ms(-1)) && entry.expired(own));
    let ends = [None, Some(own.plus_ms(-1)), Some(own.plus_ms(1))].map(|end| {
        manifest.expires_at = end;
        (
            manifest.end_of(&entry).unwrap().ms() - own.ms(),
            manifest.end_of(&Entry { expires_at: None, ..entry.clone() }),
        )
    });
    assert_eq!(
        ends,
        [(0, None), (-1, Some(own.plus_ms(-1))), (0, Some(own.plus_ms(1)))],
        "the earlier of the two counts"
    );
}

#[test]
fn meta_is_kept_to_the_letter() {
    for text in ["{}", "1", "\"x\"", "[1.0, 1e0, 100000000000000000000]", "{\"a\":  1,\n\"a\": 2}", "\"\\ud800\""] {
        let meta = Meta::parse(text).unwrap();
        assert_eq!(meta.as_str(), text);
        let mut manifest = full();
        manifest.datasets.get_mut(&"chart".parse::<DatasetName>().unwrap()).unwrap().meta = Some(meta);
        assert_eq!(Manifest::verify(&manifest.encode()), Ok(manifest));
    }
    assert_eq!(Meta::parse(" [1] ").unwrap().as_str(), "[1]");
    for text in ["", "{", "{} {}", "NaN", "'a'", "\u{feff}{}"] {
        assert!(matches!(Meta::parse(text), Err(InvalidMeta::NotJson(_))), "{text:?}");
    }
    // To a manifest it is the same as no meta, so it could not be read back.
    assert_eq!(Meta::parse("null"), Err(InvalidMeta::Null));
    let absent = Manifest::verify(&altered(|signed| signed["datasets"]["chart"]["meta"] = json!(null))).unwrap();
    assert_eq!(absent.datasets[&"chart".parse::<DatasetName>().unwrap()].meta, None);
    let longest = format!("\"{}\"", "x".repeat(MAX_META_BYTES - 2));
    assert_eq!(Meta::parse(&longest).unwrap().as_str(), longest);
    let longer = format!("\"{}\"", "x".repeat(MAX_META_BYTES - 1));
    assert_eq!(Meta::parse(&longer), Err(InvalidMeta::TooLarge(MAX_META_BYTES + 1)));
}

#[test]
fn generations_count_from_one_to_the_last_safe_integer() {
    assert_eq!(Generation::FIRST.get(), 1);
    assert_eq!((Generation::FIRST.previous(), Generation::FIRST.next()), (None, Some(generation(2))));
    let last = generation(MAX_SAFE_INTEGER);
    assert_eq!((last.next(), last.previous()), (None, Some(generation(MAX_SAFE_INTEGER - 1))));
    for number in [0, MAX_SAFE_INTEGER + 1, u64::MAX] {
        assert!(Generation::new(number).is_err() && number.to_string().parse::<Generation>().is_err());
    }
    assert_eq!("42".parse(), Ok(generation(42)));
    assert_eq!(generation(42).to_string(), "42");
}

#[test]
fn ids_have_one_form() {
    let feed = FeedId::from_random([0xff; 16]);
    assert_eq!(feed.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff", "version 4, RFC 9562");
    assert_eq!(feed.to_string().parse(), Ok(feed));
    assert_eq!(FeedId::from_random([0; 16]).to_string(), "00000000-0000-4000-8000-000000000000");
    for other in [
        "",
        "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
        "ffffffffffff4fffbfffffffffffffff",
        "{ffffffff-ffff-4fff-bfff-ffffffffffff}",
        "fffffffff-fff-4fff-bfff-ffffffffffff",
        "ffffffff-ffff-4fff-bfff-fffffffffff-",
        "ffffffff-ffff-4fff-bfff-fffffffffffff",
        "fffffff\u{e9}-ffff-4fff-bfff-fffffffffff",
    ] {
        assert!(other.parse::<FeedId>().is_err(), "{other:?}");
    }
    let commit = CommitId::from_random([0x0f; 16]);
    assert_eq!(commit.to_string(), "0f".repeat(16));
    assert_eq!(commit.to_string().parse(), Ok(commit));
    for other in [String::new(), "0F".repeat(16), "0f".repeat(15), "0f".repeat(17), "+f".repeat(16)] {
        assert!(other.parse::<CommitId>().is_err(), "{other:?}");
    }
}

/// The generation before is the number before, unless it is said; what cannot have been before is damage.
#[test]
fn the_generation_before_is_said_where_numbers_are_left_out() {
    let text = |manifest: &Manifest| String::from_utf8(manifest.encode()).unwrap();
    let mut manifest = full();
    assert!(!text(&manifest).contains("previous"));
    assert_eq!(Manifest::verify(text(&manifest).as_bytes()).unwrap().previous, Some(generation(41)));
    manifest.previous = Some(generation(17));
    assert!(text(&manifest).contains(r#""generation":42,"previous":17"#), "{}", text(&manifest));
    manifest.previous = None;
    assert!(text(&manifest).contains(r#""generation":42,"previous":null"#), "{}", text(&manifest));
    for wrong in [42, 43] {
        manifest.previous = Some(generation(wrong));
        assert!(Manifest::verify(text(&manifest).as_bytes()).is_err(), "{wrong}");
    }
}
