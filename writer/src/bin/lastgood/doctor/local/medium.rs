//! Whether sync and rename do what they should.

use std::io;
use std::time::Duration;

use lastgood::storage::{PosixStorage, Probe};

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place};
use super::super::words::age;

/// Quicker than this no disk, and hardly any flash memory, confirms that it has the data.
const SUSPICIOUSLY_QUICK: Duration = Duration::from_micros(20);
/// Slower than this a publish is felt: it waits for two or three of these.
const SLOW: Duration = Duration::from_secs(1);

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
                "{times}. That is quicker than a disk usually confirms: a write cache with a battery does it, \
                    and so does a system that does not pass syncs on. Only a power cut tells them apart"
            ))
            .remedy(
                "look for what drops syncs: a virtual disk with cache=unsafe, libeatmydata in LD_PRELOAD, a \
                mount with nobarrier",
            );
    }
    Check::Durability.ok(times)
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::{Severity, triggers};
    use super::*;

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
