//! Room for the next publishes, and whether the feed is on one file system.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use lastgood::protocol::layout::{HISTORY_DIR, OBJECTS_DIR, PRIVATE_DIR};

use super::super::finding::{Check, Finding};
use super::super::place::Place;
use super::super::words::bytes;

/// What a publish of everything takes at most.
struct Need {
    bytes: u64,
    files: u64,
}

impl Need {
    /// For every dataset an object and a plain copy, each with two compressed forms, and a backup, each beside the one that it
    /// replaces; for all of them manifest, history and markers.
    fn of(place: &Place) -> Self {
        let datasets = place.published().map(|published| &published.manifest.datasets);
        // A manifest can claim any sizes.
        let entries = datasets.iter().flat_map(|datasets| datasets.values());
        let sizes = entries.fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        let count = datasets.map_or(1, |datasets| datasets.len() as u64);
        Self { bytes: sizes.saturating_mul(6).saturating_add(1024 * 1024), files: 10 * count + 8 }
    }
}

/// Free room and free inodes of the file system.
pub(super) fn space(used: &Place, real: &Path) -> Vec<Finding> {
    let Ok(stat) = rustix::fs::statvfs(real) else { return Vec::new() };
    let need = Need::of(used);
    let unit = if stat.f_frsize == 0 { stat.f_bsize } else { stat.f_frsize };
    let mut findings = vec![room(stat.f_bavail.saturating_mul(unit), stat.f_blocks.saturating_mul(unit), need.bytes)];
    findings.extend(inodes(stat.f_favail, stat.f_files, need.files));
    findings
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
pub(super) fn same_filesystem(used: &Place) -> Option<Finding> {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let feed = device(&used.path)?;
    let staging = format!("{PRIVATE_DIR}/staging");
    let elsewhere: Vec<&str> = [OBJECTS_DIR, HISTORY_DIR, PRIVATE_DIR, &staging]
        .into_iter()
        .filter(|name| device(&used.path.join(name)).is_some_and(|device| device != feed))
        .collect();
    Some(same(&elsewhere))
}

fn same(elsewhere: &[&str]) -> Finding {
    if elsewhere.is_empty() {
        return Check::SameFilesystem.ok("the whole feed is on one file system");
    }
    let found = format!(
        "on another file system than the feed: {}; publishing fails, as rename does not cross (EXDEV)",
        elsewhere.join(", ")
    );
    Check::SameFilesystem.error(found).remedy(
        "put the directories themselves there instead of links and mounts; to move the whole feed, \
            mount or link its directory",
    )
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
    fn a_directory_on_another_file_system_is_an_error() {
        triggers(&[same(&["objects"])], "same-filesystem", Severity::Error);
    }
}
