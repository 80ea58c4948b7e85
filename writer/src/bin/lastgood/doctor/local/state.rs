//! What is published, looked at cheaply: `lastgood verify` reads every byte.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use lastgood::Feed;
use lastgood::protocol::layout::{self, FeedPath, HISTORY_DIR, OBJECTS_DIR, PRIVATE_DIR};
use lastgood::protocol::manifest::MAX_MANIFEST_BYTES;
use lastgood::protocol::name::Ext;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{PosixStorage, Storage, names_in};

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place, Published, plain_copies};
use super::super::words::{age, quoted, some};

/// A clock that is off by less is not worth a word.
const TOLERANCE_MS: u64 = 5_000;

/// The manifest itself.
pub(super) fn manifest(used: &Place, now: Timestamp) -> Option<Finding> {
    let dir = quoted(&used.path);
    Some(match &used.content {
        Content::Feed(published) => {
            let count = published.manifest.datasets.len();
            Check::Manifest.ok(format!("intact, {count} dataset(s); {}", published.describe(now)))
        }
        Content::Damaged(problem) => {
            let copy = Feed::open(&used.path).newest_intact();
            Check::Manifest.error(problem).remedy(match copy {
                Ok(None) => format!(
                    "put the directory back from a backup; without one\nlastgood recover --new-feed --dir {dir}\nbegins an empty feed, \
                     above all generations that this one has had"
                ),
                _ => format!("lastgood recover --dir {dir} && lastgood verify --dir {dir}"),
            })
        }
        Content::Later(problem) => {
            Check::Manifest.error(problem).remedy("install the version of lastgood that publishes it")
        }
        _ => return None,
    })
}

/// Whether the feed was restored from an old copy.
pub(super) fn old_copy(used: &Place, published: &Published) -> Option<Finding> {
    // Who may not look cannot tell, and a manifest that is damaged by now is told of above.
    let old_copy = Feed::open(&used.path).old_copy().ok()?;
    Some(match old_copy {
        None => Check::OldCopy.ok(format!("nothing knows of a generation above {}", published.manifest.generation)),
        Some(old_copy) => {
            let dir = used.path.display().to_string();
            let found = format!(
                "generation {} is published, and generation {} has been: the feed was restored from an old copy, which readers that have \
                 seen later ones refuse, and nothing can be published before that is decided",
                old_copy.published, old_copy.known
            );
            Check::OldCopy.error(found).remedy(format!(
                "{}\ngoes on with the old copy as the next generation;\n{}\nmakes it another feed, with which readers begin anew; or put \
                 the later files back",
                old_copy.accept(&dir),
                old_copy.renew(&dir)
            ))
        }
    })
}

/// Whether readers still take everything for current.
pub(super) fn expiry(published: &Published, now: Timestamp) -> Finding {
    let manifest = &published.manifest;
    let whole = manifest.expires_at.map(|end| ("the manifest".to_owned(), end));
    let own = manifest.datasets.iter().filter_map(|(dataset, entry)| Some((dataset.to_string(), entry.expires_at?)));
    let ends: Vec<(String, Timestamp)> = whole.into_iter().chain(own).collect();
    let past = ends.iter().filter(|(_, end)| *end <= now);
    let past: Vec<String> =
        past.map(|(what, end)| format!("{what} expired {} ago ({end})", age(now.ms_since(*end)))).collect();
    if !past.is_empty() {
        return Check::Expired
            .error(format!("{}: readers say so and no longer take it for current", some(&past)))
            .remedy("publish again, and find out why nothing was published in time");
    }
    match ends.iter().min_by_key(|(_, end)| *end) {
        Some((what, end)) => {
            Check::Expired.ok(format!("the next to expire is {what}, in {} ({end})", age(end.ms_since(now))))
        }
        None => Check::Expired.ok("nothing that is published expires"),
    }
}

/// Whether everything that the manifest names is there with its size.
pub(super) fn objects(used: &Place, storage: &PosixStorage, published: &Published) -> Finding {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in published.manifest.datasets.values() {
        let schema = entry.schema.as_ref().map(|schema| (layout::object(&schema.sha256, &Ext::json()), schema.size));
        for (path, size) in std::iter::once((layout::object(&entry.sha256, &entry.ext), entry.size)).chain(schema) {
            count += 1;
            wrong.extend(problem(storage, &path, size));
        }
    }
    if wrong.is_empty() {
        return Check::Objects
            .ok(format!("all {count} object(s) are there with their sizes; `lastgood verify` reads every byte"));
    }
    if was_replaced(storage, published) {
        return Check::Objects.note(MOVED_ON);
    }
    let dir = quoted(&used.path);
    Check::Objects.error(some(&wrong)).remedy(format!(
        "lastgood verify --repair --dir {dir}\nputs back what plain copies, backups and siblings still have, and names what is lost: \
         publish that again, or put it back from a backup"
    ))
}

/// Whether what follows from the manifest agrees with it, as far as sizes tell.
pub(super) fn derived(used: &Place, storage: &PosixStorage, published: &Published) -> Finding {
    let manifest = &published.manifest;
    let last_update = format!("{}\n", manifest.published_at);
    let copies = plain_copies(manifest).map(|(_, entry, path)| (path, entry.size));
    let mut wrong: Vec<String> = copies.filter_map(|(path, size)| problem(storage, &path, size)).collect();
    wrong.extend(problem(storage, &layout::history(manifest.generation), published.bytes.len() as u64));
    match storage.read(&layout::last_update(), 1024) {
        Ok(Some(bytes)) if bytes == last_update.as_bytes() => {}
        Ok(Some(_)) => wrong.push("last_update.txt has another time than the manifest".to_owned()),
        Ok(None) => wrong.push("last_update.txt is missing".to_owned()),
        Err(error) => wrong.push(error.to_string()),
    }
    if wrong.is_empty() {
        return Check::Derived.ok("plain copies, last_update.txt and history agree with the manifest in size");
    }
    // They follow the manifest within the same commit.
    if was_replaced(storage, published) || storage.lock_holder().is_ok_and(|holder| holder.is_some()) {
        return Check::Derived.note(MOVED_ON);
    }
    Check::Derived.warning(some(&wrong)).remedy(format!("lastgood recover --dir {}", quoted(&used.path)))
}

const MOVED_ON: &str = "not judged: another process is publishing, or has just published; look again when it is done";

/// Whether another manifest has taken the place of the one that was looked at.
fn was_replaced(storage: &PosixStorage, published: &Published) -> bool {
    let now = storage.read(&layout::manifest(), MAX_MANIFEST_BYTES);
    now.is_ok_and(|now| now.as_ref() != Some(&published.bytes))
}

fn problem(storage: &PosixStorage, path: &FeedPath, size: u64) -> Option<String> {
    match storage.info(path) {
        Ok(None) => Some(format!("{path} is missing")),
        Ok(Some(info)) if info.size == size => None,
        Ok(Some(info)) => Some(format!("{path} has {} bytes where the manifest says {size}", info.size)),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether anything is dated later than now.
pub(super) fn clock(used: &Place, now: Timestamp) -> Finding {
    let published = used.published().map(|published| published.manifest.published_at);
    let newest = newest(used);
    let ahead = |time: Timestamp| Some(time.ms_since(now)).filter(|ms| *ms > TOLERANCE_MS);
    let found = if let Some(ms) = published.and_then(ahead) {
        format!("the manifest was published {} in the future of this machine's clock ({now})", age(ms))
    } else if let Some(ms) = newest.and_then(ahead) {
        format!("the newest file of the feed is dated {} in the future of this machine's clock ({now})", age(ms))
    } else {
        return Check::Clock.ok(format!("it is {now}, and nothing in the feed is dated later"));
    };
    Check::Clock.warning(found).remedy(
        "timedatectl set-ntp true\nhere and on the machine that publishes; ages, leases and expiry are counted from these clocks",
    )
}

fn newest(used: &Place) -> Option<Timestamp> {
    let names = names_in(&used.path).ok()?;
    let times = names.iter().filter_map(|name| fs::symlink_metadata(used.path.join(name)).ok()?.modified().ok());
    let since = times.max()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Links inside a feed, which lastgood does not follow: the directory itself may be one.
pub(super) fn links(used: &Place) -> Option<Finding> {
    if !matches!(used.content, Content::Feed(_) | Content::Damaged(_) | Content::Later(_)) {
        return None;
    }
    let mut links: Vec<PathBuf> = Vec::new();
    for dir in ["", OBJECTS_DIR, HISTORY_DIR, PRIVATE_DIR] {
        let dir = used.path.join(dir);
        let paths = names_in(&dir).into_iter().flatten().map(|name| dir.join(name));
        links.extend(paths.filter(|path| path.is_symlink()));
    }
    links.sort_unstable();
    if links.is_empty() {
        return Some(Check::Links.ok("there are no symbolic links inside the feed"));
    }
    let names: Vec<String> =
        links.iter().map(|link| link.strip_prefix(&used.path).unwrap_or(link).display().to_string()).collect();
    let target = |link: &PathBuf| link.with_file_name(fs::read_link(link).unwrap_or_default());
    let found = format!(
        "{} is a symbolic link (to {}); lastgood does not follow links inside a feed",
        some(&names),
        target(&links[0]).display()
    );
    // A link that leads to nothing has nothing to be put there.
    let replaced = links.iter().map(|link| match target(link) {
        target if target.exists() => format!("rm {0} && mv {1} {0}", quoted(link), quoted(target)),
        _ => format!("rm {}", quoted(link)),
    });
    Some(Check::Links.error(found).remedy(format!(
        "{}\nputs the files or directories themselves there; to keep the feed elsewhere, link the whole feed directory",
        replaced.collect::<Vec<_>>().join(" && ")
    )))
}
