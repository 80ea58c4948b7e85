//! Names, and the paths that are made of them.

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::id::{CommitId, FeedId};
use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::{Generation, Meta};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::time::Timestamp;

use crate::input::assert_fit_for_a_terminal;

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match DatasetName::parse(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text);
            let copy = layout::plain_copy(&name, &Ext::json());
            stays_inside(&copy);
            assert_eq!(layout::parse_plain_copy(copy.as_str()), Some((name.clone(), Ext::json())));
            assert_eq!(layout::parse_backup(copy.as_str()), None, "a plain copy that is a backup, too");
            let backup = layout::backup(&name, &Ext::json());
            stays_inside(&backup);
            assert_eq!(layout::parse_backup(backup.as_str()), Some((name.clone(), Ext::json())));
            assert_eq!(layout::parse_plain_copy(backup.as_str()), None, "a backup that is a plain copy, too");
            let lock = layout::dataset_lock(&name);
            assert_eq!(layout::parse_dataset_lock(lock.as_str()), Some(name));
            assert_eq!(layout::parse_marker(lock.as_str()), Some(lock));
            assert!(![layout::manifest(), layout::last_update(), layout::lock()].contains(&copy));
        }
        Err(refused) => assert_fit_for_a_terminal(&refused.to_string()),
    }
    match Ext::parse(text) {
        Ok(ext) => assert_eq!(ext.as_str(), text),
        Err(refused) => assert_fit_for_a_terminal(&refused.to_string()),
    }
    if let Some((name, ext)) = layout::parse_plain_copy(text) {
        same(&layout::plain_copy(&name, &ext), text);
    }
    if let Some((name, ext)) = layout::parse_backup(text) {
        same(&layout::backup(&name, &ext), text);
    }
    if let Some(path) = layout::parse_marker(text) {
        same(&path, text);
    }
    if let Some(generation) = layout::parse_history(text) {
        same(&layout::history(generation), text);
    }
    if let Some((sha256, ext)) = layout::parse_object(text) {
        same(&layout::object(&sha256, &ext), text);
    }
    if let Some((sha256, ext, encoding)) = layout::parse_sibling(text) {
        same(&layout::sibling(&sha256, &ext, encoding), text);
    }
    // A text that stands for something is written as it, or as another that stands for the same.
    again::<Sha256>(text);
    again::<FeedId>(text);
    again::<CommitId>(text);
    again::<Generation>(text);
    if let Some(time) = again::<Timestamp>(text) {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&time));
    }
    if let Ok(meta) = Meta::parse(text) {
        assert_eq!(Meta::parse(meta.as_str()).as_ref(), Ok(&meta));
    }
}

fn again<T: std::str::FromStr + std::fmt::Display + PartialEq>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let written = value.to_string();
    assert!(
        written.parse::<T>().is_ok_and(|again| again == value),
        "{text:?} is written as {written:?}, which is another"
    );
    Some(value)
}

/// A name of a file stands for one path only, whose last part it is.
fn same(path: &FeedPath, file_name: &str) {
    assert_eq!(path.file_name(), file_name);
    stays_inside(path);
}

fn stays_inside(path: &FeedPath) {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    assert_eq!(parts.len(), if path.dir() == Dir::Root { 1 } else { 2 });
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    for part in parts {
        assert!(!["", ".", ".."].contains(&part) && part.bytes().all(plain), "{path} is not inside the feed");
    }
}
