//! What the feed lies on: room, and whether sync and rename do what they should.

use std::io;
use std::path::Path;
use std::time::Duration;

use lastgood::storage::{PosixStorage, Probe};

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place};
use super::super::words::{age, bytes};

/// Quicker than this no disk, and hardly any flash memory, confirms that it has the data.
const SUSPICIOUSLY_QUICK: Duration = Duration::from_micros(20);
/// Slower than this a publish is felt: it waits for two or three of these.
const SLOW: Duration = Duration::from_secs(1);

/// What a publish of everything takes at most.
struct Need {
    bytes: u64,
    files: u64,
}

impl Need {
    /// For every dataset an object with two compressed forms, a plain copy and a backup, each beside the one that it
    /// replaces; for all of them manifest, history and markers.
    fn of(place: &Place) -> Self {
        let datasets = place.published().map(|published| &published.manifest.datasets);
        let sizes: u64 = datasets.iter().flat_map(|datasets| datasets.values()).map(|entry| entry.size).sum();
        let count = datasets.map_or(1, |datasets| datasets.len() as u64);
        Self { bytes: sizes.saturating_mul(4).saturating_add(1024 * 1024), files: 8 * count + 8 }
    }
}

/// Free room and free inodes of the file system.
#[cfg(unix)]
pub(super) fn space(used: &Place, real: &Path) -> Vec<Finding> {
    let Ok(stat) = rustix::fs::statvfs(real) else { return Vec::new() };
    let need = Need::of(used);
    let unit = if stat.f_frsize == 0 { stat.f_bsize } else { stat.f_frsize };
    let mut findings = vec![room(stat.f_bavail.saturating_mul(unit), stat.f_blocks.saturating_mul(unit), need.bytes)];
    findings.extend(inodes(stat.f_favail, stat.f_files, need.files));
    findings
}

#[cfg(not(unix))]
pub(super) fn space(_used: &Place, _real: &Path) -> Vec<Finding> {
    Vec::new()
}

/// Judges room in bytes, for one who is not root.
fn room(free: u64, total: u64, need: u64) -> Finding {
    const LITTLE: u64 = 256 * 1024 * 1024;
    let found =
        format!("{} of {} are free; publishing everything once takes up to {}", bytes(free), bytes(total), bytes(need));
    let remedy = "free space or enlarge the volume: df -h; du -xh --max-depth=1 / | sort -h";
    if free < need {
        Check::FreeSpace.error(found).remedy(remedy)
    } else if free < need.saturating_mul(10).max(LITTLE.min(total / 20)) {
        Check::FreeSpace.warning(found).remedy(remedy)
    } else {
        Check::FreeSpace.ok(found)
    }
}

/// Judges room in files; file systems that make inodes as they need them (btrfs) count none.
fn inodes(free: u64, total: u64, need: u64) -> Option<Finding> {
    if total == 0 {
        return None;
    }
    let found = format!("{free} of {total} inodes are free; publishing everything once takes up to {need}");
    let remedy = "remove files that nobody needs, there are too many: df -i; du -x --inodes --max-depth=1 / | sort -n";
    Some(if free < need {
        Check::FreeInodes.error(found).remedy(remedy)
    } else if free < need.saturating_mul(10) {
        Check::FreeInodes.warning(found).remedy(remedy)
    } else {
        Check::FreeInodes.ok(found)
    })
}

/// Whether all directories of the feed are on the file system of the feed: rename does not cross from one to another.
#[cfg(unix)]
pub(super) fn same_filesystem(used: &Place) -> Option<Finding> {
    use lastgood::protocol::layout::{HISTORY_DIR, OBJECTS_DIR, PRIVATE_DIR};
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    let feed = device(&used.path)?;
    let staging = format!("{PRIVATE_DIR}/staging");
    let elsewhere: Vec<&str> = [OBJECTS_DIR, HISTORY_DIR, PRIVATE_DIR, &staging]
        .into_iter()
        .filter(|name| device(&used.path.join(name)).is_some_and(|device| device != feed))
        .collect();
    Some(same(&elsewhere))
}

#[cfg(not(unix))]
pub(super) fn same_filesystem(_used: &Place) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn same(elsewhere: &[&str]) -> Finding {
    if elsewhere.is_empty() {
        return Check::SameFilesystem.ok("the whole feed is on one file system");
    }
    let found = format!(
        "on another file system than the feed: {}; publishing fails, as rename does not cross (EXDEV)",
        elsewhere.join(", ")
    );
    Check::SameFilesystem
        .error(found)
        .remedy("put the directories themselves there instead of links and mounts; to move the whole feed, mount or link its directory")
}

/// Tries sync and rename in staging. Without a feed there is no staging, and none is made.
pub(super) fn durability(used: &Place, storage: &PosixStorage) -> Option<Finding> {
    if !matches!(used.content, Content::Feed(_) | Content::Damaged(_) | Content::Later(_)) {
        return None;
    }
    Some(match storage.probe() {
        Ok(probe) => judge(&probe),
        // Told by the check of who may write; and a feed that was copied without its private directory gets it from the
        // next publish.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound) => {
            Check::Durability.note(format!("not tried out: {error}"))
        }
        Err(error) => Check::Durability.error(format!("a commit would fail: {error}")).remedy(
            "see what the other checks say about space, mounts and file system; dmesg tells of errors of the disk",
        ),
    })
}

fn judge(probe: &Probe) -> Finding {
    let Probe { sync_file, rename, sync_dir, replaced } = *probe;
    let times =
        format!("sync of 64 KiB took {sync_file:.1?}, rename {rename:.1?}, sync of the directory {sync_dir:.1?}");
    if !replaced {
        return Check::Durability
            .error(format!("after a rename over a file, the old content was read back; {times}"))
            .remedy("keep the feed on a local disk (ext4, xfs, btrfs, zfs)");
    }
    if sync_file.max(sync_dir) >= SLOW {
        let slowest = age(u64::try_from(sync_file.max(sync_dir).as_millis()).unwrap_or(u64::MAX));
        return Check::Durability
            .note(format!("{times}: each publish waits for several of these, the slowest took {slowest}"))
            .remedy("look for what else writes to this disk: iostat -x 1, iotop");
    }
    if sync_file < SUSPICIOUSLY_QUICK {
        return Check::Durability
            .note(format!(
                "{times}. That is quicker than a disk usually confirms: a write cache with a battery does it, and so does a system that does not pass syncs on. Only a power cut tells them apart"
            ))
            .remedy("look for what drops syncs: a virtual disk with cache=unsafe, libeatmydata in LD_PRELOAD, a mount with nobarrier");
    }
    Check::Durability.ok(times)
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::{Severity, triggers};
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn room_is_judged_by_what_a_publish_takes() {
        triggers(&[room(9 * MIB, 1000 * MIB, 10 * MIB)], "free-space", Severity::Error);
        triggers(&[room(99 * MIB, 1000 * MIB, 10 * MIB)], "free-space", Severity::Warning);
        assert_eq!(room(100 * MIB, 1000 * MIB, 10 * MIB).severity, Severity::Ok);
        triggers(&[room(200 * MIB, 1_000_000 * MIB, MIB)], "free-space", Severity::Warning);
        assert_eq!(room(60 * MIB, 1000 * MIB, MIB).severity, Severity::Ok, "a small volume is small on purpose");
    }

    #[test]
    fn inodes_are_judged_by_what_a_publish_takes() {
        triggers(&inodes(15, 1000, 16).into_iter().collect::<Vec<_>>(), "free-inodes", Severity::Error);
        triggers(&inodes(159, 1000, 16).into_iter().collect::<Vec<_>>(), "free-inodes", Severity::Warning);
        assert_eq!(inodes(160, 1000, 16).unwrap().severity, Severity::Ok);
        assert_eq!(inodes(0, 0, 16), None, "btrfs does not count them");
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_on_another_file_system_is_an_error() {
        triggers(&[same(&["objects"])], "same-filesystem", Severity::Error);
    }

    #[test]
    fn what_the_probe_says_is_put_into_honest_words() {
        let probe = |micros, replaced| Probe {
            sync_file: Duration::from_micros(micros),
            rename: Duration::from_micros(30),
            sync_dir: Duration::from_micros(50),
            replaced,
        };
        assert_eq!(judge(&probe(900, true)).severity, Severity::Ok);
        triggers(&[judge(&probe(900, false))], "durability", Severity::Error);
        triggers(&[judge(&probe(2_000_000, true))], "durability", Severity::Note);
        let quick = judge(&probe(5, true));
        assert!(quick.found.contains("Only a power cut tells"), "{}", quick.found);
        triggers(&[quick], "durability", Severity::Note);
    }
}
