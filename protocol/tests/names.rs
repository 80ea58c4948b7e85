//! Names, and the paths that are made of them.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood_protocol::manifest::Generation;
use lastgood_protocol::name::{DatasetName, Ext, NameProblem};
use proptest::prelude::*;

/// Names that the feed's own files are called by, or come close to.
const TAKEN: [&str; 2] = ["manifest", "last_update"];

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c| "abcdefghijklmnopqrstuvwxyz0123456789".contains(c));
    let goes_on = text.chars().all(|c| "abcdefghijklmnopqrstuvwxyz0123456789_-".contains(c));
    starts && goes_on && text.chars().count() <= 64 && !TAKEN.contains(&text) && !text.ends_with("_backup")
}

/// Every text of up to `length` of the given pieces.
fn texts<'a>(pieces: &'a [&'a str], length: usize) -> impl Iterator<Item = String> + 'a {
    (0..=length).flat_map(move |length| {
        (0..pieces.len().pow(u32::try_from(length).unwrap())).map(move |mut number| {
            let mut text = String::new();
            for _ in 0..length {
                text.push_str(pieces[number % pieces.len()]);
                number /= pieces.len();
            }
            text
        })
    })
}

#[test]
fn exactly_the_documented_names_parse() {
    let pieces = ["a", "z", "0", "9", "_", "-", ".", "/", "\\", "A", " ", "\0", "\n", "%", "é", "manifest", "_backup"];
    let mut accepted = 0;
    for text in texts(&pieces, 4) {
        let parsed = DatasetName::parse(&text);
        assert_eq!(parsed.is_ok(), is_name(&text), "{text:?}");
        if let Ok(name) = parsed {
            accepted += 1;
            assert_eq!(
                (name.as_str(), name.to_string(), String::from(name.clone())),
                (&*text, text.clone(), text.clone())
            );
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("{text:?}"));
        }
    }
    assert!(accepted > 1000, "the alphabet has names too: {accepted}");
}

#[test]
fn every_character_is_decided_at_every_place() {
    for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
        for text in [format!("{c}"), format!("a{c}"), format!("a{c}b")] {
            assert_eq!(DatasetName::parse(&text).is_ok(), is_name(&text), "{text:?}");
        }
        let ext = format!("x{c}");
        assert_eq!(Ext::parse(&ext).is_ok(), c.is_ascii_lowercase() || c.is_ascii_digit(), "{ext:?}");
    }
}

#[test]
fn a_refusal_says_which_rule_is_broken() {
    let long = "x".repeat(65);
    let table = [
        ("", NameProblem::Empty),
        ("_a", NameProblem::FirstCharacter),
        (".lock", NameProblem::FirstCharacter),
        ("../manifest", NameProblem::FirstCharacter),
        ("Sales", NameProblem::FirstCharacter),
        ("a/b", NameProblem::Character),
        ("a.json", NameProblem::Character),
        ("saleS", NameProblem::Character),
        (&long, NameProblem::TooLong),
        ("manifest", NameProblem::Reserved),
        ("last_update", NameProblem::Reserved),
        ("sales_backup", NameProblem::Reserved),
        ("a_backup", NameProblem::Reserved),
    ];
    for (text, problem) in table {
        let refusal = DatasetName::parse(text).unwrap_err();
        assert_eq!(refusal.problem, problem, "{text:?}");
        assert!(refusal.to_string().contains(&problem.to_string()), "{refusal}");
        assert!(serde_json::from_value::<DatasetName>(text.into()).is_err(), "no way around the constructor: {text:?}");
    }
    for text in ["backup", "a-backup", "a_backups", "manifests", "manifest_", "last_updates", &long[..64]] {
        assert!(DatasetName::parse(text).is_ok(), "{text:?}");
    }
    assert_eq!(DatasetName::parse(&"€".repeat(1000)).unwrap_err().name.chars().count(), 80, "messages stay short");
}

#[test]
fn exactly_the_documented_extensions_parse() {
    let pieces = ["a", "z", "0", "9", ".", "/", "A", "_", "é", "\0", "json"];
    for text in texts(&pieces, 4) {
        let fits = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) && (1..=8).contains(&text.len());
        assert_eq!(Ext::parse(&text).is_ok(), fits, "{text:?}");
        assert_eq!(serde_json::from_value::<Ext>(text.clone().into()).is_ok(), fits, "{text:?}");
    }
    assert_eq!(Ext::json(), Ext::parse("json").unwrap());
    assert!(Ext::json().is_json() && !Ext::parse("json5").unwrap().is_json());
}

/// What a path stands for; two different ones must never share a path.
#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    Private,
    Directory(Dir),
    Manifest,
    Lock,
    LastUpdate,
    DatasetLock(DatasetName),
    PlainCopy(DatasetName, Ext),
    Backup(DatasetName, Ext),
    Object(Sha256, Ext),
    Sibling(Sha256, Ext, Encoding),
    History(Generation),
}

fn meanings(names: &[DatasetName], exts: &[Ext]) -> Vec<(String, Meaning)> {
    let digests = [Sha256::of(b"a"), Sha256::of(b"b")];
    let mut all = vec![
        (layout::PRIVATE_DIR.to_owned(), Meaning::Private),
        (layout::OBJECTS_DIR.to_owned(), Meaning::Directory(Dir::Objects)),
        (layout::HISTORY_DIR.to_owned(), Meaning::Directory(Dir::History)),
    ];
    let mut add = |path: FeedPath, dir: Dir, meaning: Meaning| {
        assert_stays_inside(&path, dir);
        all.push((path.as_str().to_owned(), meaning));
    };
    add(layout::manifest(), Dir::Root, Meaning::Manifest);
    add(layout::lock(), Dir::Root, Meaning::Lock);
    add(layout::last_update(), Dir::Root, Meaning::LastUpdate);
    for name in names {
        add(layout::dataset_lock(name), Dir::Root, Meaning::DatasetLock(name.clone()));
        for ext in exts {
            add(layout::plain_copy(name, ext), Dir::Root, Meaning::PlainCopy(name.clone(), ext.clone()));
            add(layout::backup(name, ext), Dir::Root, Meaning::Backup(name.clone(), ext.clone()));
        }
    }
    for digest in &digests {
        for ext in exts {
            add(layout::object(digest, ext), Dir::Objects, Meaning::Object(*digest, ext.clone()));
            for encoding in Encoding::ALL {
                let meaning = Meaning::Sibling(*digest, ext.clone(), encoding);
                add(layout::sibling(digest, ext, encoding), Dir::Objects, meaning);
            }
        }
    }
    for number in [1, 7, 10, (1 << 53) - 1] {
        let generation = Generation::new(number).unwrap();
        add(layout::history(generation), Dir::History, Meaning::History(generation));
    }
    all
}

fn assert_stays_inside(path: &FeedPath, dir: Dir) {
    let text = path.as_str();
    assert_eq!(path.to_string(), text);
    assert_eq!(path.dir(), dir, "{text}");
    let file = match dir {
        Dir::Root => text,
        _ => {
            text.strip_prefix(dir.as_str()).and_then(|rest| rest.strip_prefix('/')).expect("its directory comes first")
        }
    };
    assert!(!file.is_empty() && file != "." && file != "..", "{text}");
    assert!(file.len() <= 255, "fits a file name: {text}");
    // No separator of any platform, nothing that a URL would need escaped or read as something else.
    assert!(file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{text}");
    assert_ne!(file, layout::PRIVATE_DIR);
}

fn assert_no_collision(names: &[DatasetName], exts: &[Ext]) {
    let mut seen: HashMap<String, Meaning> = HashMap::new();
    for (path, meaning) in meanings(names, exts) {
        if let Some(other) = seen.insert(path.clone(), meaning.clone()) {
            assert_eq!(other, meaning, "{path} has two meanings");
        }
    }
}

#[test]
fn no_two_files_of_a_feed_share_a_path() {
    let pieces =
        ["a", "0", "_", "-", "lock", "backup", "manifest", "last_update", "lastgood", "objects", "history", "json"];
    let names: Vec<_> = texts(&pieces, 3).filter_map(|text| DatasetName::parse(&text).ok()).collect();
    let exts = ["json", "txt", "gz", "br", "png", "lock", "0"].map(|ext| Ext::parse(ext).unwrap());
    assert!(names.len() > 1000);
    assert_no_collision(&names, &exts);
}

proptest! {
    #[test]
    fn any_name_of_the_grammar_parses_and_stays_inside(
        texts in prop::collection::vec("[a-z0-9][a-z0-9_-]{0,63}", 1..6),
        exts in prop::collection::vec("[a-z0-9]{1,8}", 1..4),
    ) {
        let names: Vec<_> = texts.iter().filter(|text| is_name(text)).map(|text| text.parse().unwrap()).collect();
        let exts: Vec<_> = exts.iter().map(|ext| ext.parse().unwrap()).collect();
        assert_no_collision(&names, &exts);
    }

    #[test]
    fn any_text_is_decided_by_the_grammar(text in ".{0,70}") {
        prop_assert_eq!(DatasetName::parse(&text).is_ok(), is_name(&text));
    }

    #[test]
    fn file_names_are_recognised_exactly(text in "[.]?[a-z0-9+]{0,4}(_lock|[.]json|_backup[.]csv)?") {
        if let Some(generation) = layout::parse_history(&text) {
            let path = layout::history(generation);
            prop_assert_eq!(path.as_str(), format!("history/{text}"));
        }
        if let Some((name, ext)) = layout::parse_backup(&text) {
            let path = layout::backup(&name, &ext);
            prop_assert_eq!(path.as_str(), text.as_str());
        }
        if let Some(name) = layout::parse_dataset_lock(&text) {
            let path = layout::dataset_lock(&name);
            prop_assert_eq!(path.as_str(), text.as_str());
        }
    }
}

#[test]
fn names_are_read_back() {
    for number in [1, 9, 10, 42, (1 << 53) - 1] {
        let generation = Generation::new(number).unwrap();
        let path = layout::history(generation);
        assert_eq!(layout::parse_history(path.as_str().strip_prefix("history/").unwrap()), Some(generation));
    }
    for other in
        ["0.json", "007.json", "+7.json", "7", "7.json.gz", "-7.json", " 7.json", "9007199254740992.json", ".json"]
    {
        assert_eq!(layout::parse_history(other), None, "{other}");
    }
    for text in ["performance", "a_lock", "lock", "0"] {
        let name = DatasetName::parse(text).unwrap();
        assert_eq!(layout::parse_dataset_lock(layout::dataset_lock(&name).as_str()), Some(name.clone()));
        let ext = Ext::parse("csv").unwrap();
        assert_eq!(layout::parse_backup(layout::backup(&name, &ext).as_str()), Some((name, ext)));
    }
    for other in [".lock", "._lock", "performance_lock", ".performance.lock", ".manifest_lock", ".a_backup_lock"] {
        assert_eq!(layout::parse_dataset_lock(other), None, "{other}");
    }
    for other in
        ["a.json", "_backup.json", "a_backup", "a_backup.", "a_backup.JSON", "a_backup.json.gz", "A_backup.json"]
    {
        assert_eq!(layout::parse_backup(other), None, "{other}");
    }
    let (sha256, ext) = (Sha256::of(b""), Ext::parse("gz").unwrap());
    for encoding in layout::Encoding::ALL {
        let path = layout::sibling(&sha256, &ext, encoding);
        assert_eq!(layout::parse_sibling(path.file_name()), Some((sha256, ext.clone(), encoding)));
        assert_eq!(layout::parse_object(path.file_name()), None);
    }
    assert_eq!(layout::parse_sibling(layout::object(&sha256, &ext).file_name()), None);
    assert_eq!(layout::parse_plain_copy("a.csv"), Some((DatasetName::parse("a").unwrap(), Ext::parse("csv").unwrap())));
    for other in ["manifest.json", "a_backup.json", "last_update.txt", "a.json.gz", "a", ".lock"] {
        assert_eq!(layout::parse_plain_copy(other), None, "{other}");
    }
}
