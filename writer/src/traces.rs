//! Telling a feed, be it damaged, from the files of other programs that have names of a feed.
//!
//! Web apps and bundlers have a `manifest.json` of their own, sites an `objects/` or a `history/`. What is damaged must be
//! recovered, and what is another program's must be left alone.

use std::io;

use lastgood_protocol::layout::{self, Dir};
use serde_json::Value;

use crate::recover::retained_generations;
use crate::retained;
use crate::storage::Storage;

/// What another program's `manifest.json` is, in a few words; `None` when it is one of a feed, however damaged. `bytes` are
/// what could be read of it.
pub(crate) fn foreign_manifest<S: Storage>(storage: &S, bytes: &[u8]) -> io::Result<Option<String>> {
    match other_than_a_manifest(bytes) {
        Some(found) if !are_there(storage)? => Ok(Some(found)),
        _ => Ok(None),
    }
}

/// What the bytes are in a few words, if nothing in them is of a manifest.
fn other_than_a_manifest(bytes: &[u8]) -> Option<String> {
    if begins_like_a_manifest(bytes) || has_its_members(bytes) {
        return None;
    }
    Some(match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) if !members.is_empty() => {
            let names: Vec<String> = members.keys().take(4).map(|name| name.chars().take(30).collect()).collect();
            format!("is another program's: it has {}", names.join(", "))
        }
        _ if bytes.is_empty() => "is empty, and nothing of a feed is beside it".to_owned(),
        _ => "is none that lastgood has written".to_owned(),
    })
}

/// Whether a feed has left what no other program makes: a manifest in the history, or an object.
pub(crate) fn are_there<S: Storage>(storage: &S) -> io::Result<bool> {
    if storage.list(Dir::Objects)?.iter().any(|name| layout::parse_object(name).is_some()) {
        return Ok(true);
    }
    for generation in retained_generations(storage)?.into_iter().rev() {
        if retained::intact(storage, generation)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there are files of the names that are derived from a manifest.
pub(crate) fn copies_are_there<S: Storage>(storage: &S) -> io::Result<bool> {
    let is_one = |name: &String| *name == layout::last_update().as_str() || layout::parse_backup(name).is_some();
    Ok(storage.list(Dir::Root)?.iter().any(is_one))
}

/// The directory of a feed that holds what is no feed's: its name and what is in it, in a few words.
pub(crate) fn foreign_directory<S: Storage>(storage: &S) -> io::Result<Option<(&'static str, String)>> {
    let object = |name: &str| layout::parse_object(name).is_some() || layout::parse_sibling(name).is_some();
    if let Some(found) = foreign(storage, Dir::Objects, object)? {
        return Ok(Some((layout::OBJECTS_DIR, found)));
    }
    // Without a manifest there is no history either.
    Ok(foreign(storage, Dir::History, |_| false)?.map(|found| (layout::HISTORY_DIR, found)))
}

/// What is in a directory beside files whose names are `ours`.
fn foreign<S: Storage>(storage: &S, dir: Dir, ours: impl Fn(&str) -> bool) -> io::Result<Option<String>> {
    let names = match storage.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Some("is a file".to_owned())),
        names => names?,
    };
    // Hidden ones keep an empty directory in a repository.
    let other = names.iter().find(|name| !name.starts_with('.') && !ours(name));
    Ok(other.map(|other| format!("holds files of another program, such as {other}")))
}

/// Also when it was cut off, as long as enough is left to tell.
fn begins_like_a_manifest(bytes: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"{\"signed\":{";
    let compact: Vec<u8> =
        bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).take(BEGINNING.len()).copied().collect();
    compact.len() >= 4 && BEGINNING.starts_with(&compact)
}

fn has_its_members(bytes: &[u8]) -> bool {
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    has(b"\"signed\"") && has(b"\"sha256\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_was_cut_off_is_known_by_its_beginning() {
        let whole = br#"{"signed":{"format":1,"feed":"x"},"sha256":"y"}"#;
        for length in 4..=whole.len() {
            assert_eq!(other_than_a_manifest(&whole[..length]), None, "{length}");
        }
        let sorted = br#"{ "sha256": "y", "signed": {} }"#;
        assert_eq!(other_than_a_manifest(sorted), None);
    }

    #[test]
    fn what_other_programs_write_is_told_by_its_members() {
        for (text, said) in [
            (r#"{"name":"App","icons":[],"start_url":"."}"#, "has icons, name, start_url"),
            (r#"{"src/main.ts":{"file":"assets/main.js","isEntry":true}}"#, "has src/main.ts"),
            (r#"{"main.js":"/main.abc.js"}"#, "has main.js"),
            (r#"{"signed_in":1}"#, "has signed_in"),
            ("[1]", "none that lastgood"),
            ("<html>", "none that lastgood"),
            ("", "empty"),
        ] {
            let found = other_than_a_manifest(text.as_bytes());
            assert!(found.as_ref().is_some_and(|found| found.contains(said)), "{text}: {found:?}");
        }
    }
}
