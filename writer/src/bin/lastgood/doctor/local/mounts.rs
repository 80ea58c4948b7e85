//! What is mounted where, as Linux tells it in `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::super::finding::{Check, Finding};
use super::super::place::Place;
use super::super::words::quoted;

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    point: PathBuf,
    fs: String,
    source: String,
    read_only: bool,
}

/// The mounts of this process; none when they cannot be read.
pub(super) fn mounts() -> Vec<Mount> {
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    parse(&text)
}

fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|&byte| byte == b'\n').filter_map(mount).collect()
}

/// `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue`
fn mount(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let [_, _, _, _, point, options, rest @ ..] = fields.as_slice() else { return None };
    // Any number of optional fields comes before the dash.
    let dash = rest.iter().position(|field| *field == b"-")?;
    let [_, fs, source, ..] = &rest[dash..] else { return None };
    let has_ro = |options: &[u8]| options.split(|&byte| byte == b',').any(|option| option == b"ro");
    Some(Mount {
        point: OsString::from_vec(unescaped(point)).into(),
        fs: String::from_utf8_lossy(fs).into_owned(),
        source: String::from_utf8_lossy(&unescaped(source)).into_owned(),
        read_only: has_ro(options) || rest.get(dash + 3).is_some_and(|options| has_ro(options)),
    })
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'\\').then(|| after.get(..3)).flatten();
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    bytes
}

/// The mount that `path` is on: the longest one above it; of several on one point, the last covers the others.
fn holding<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let above = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.components().count())
}

/// The kind of file system and what it promises.
pub(super) fn filesystem(mounts: &[Mount], real: &Path) -> Option<Finding> {
    let Mount { fs, source, point, .. } = holding(mounts, real)?;
    let on = format!("{fs} ({source} on {})", point.display());
    let elsewhere = "keep the feed on a local disk (ext4, xfs, btrfs, zfs)";
    Some(match fs.as_str() {
        "ext4" | "ext3" | "xfs" | "btrfs" | "zfs" | "f2fs" | "bcachefs" | "jfs" => Check::Filesystem
            .ok(format!("{on}: rename replaces in one step, and sync makes durable what the disk confirms")),
        "tmpfs" | "ramfs" => Check::Filesystem
            .warning(format!("{on} is memory: everything is lost on a reboot"))
            .remedy(format!("{elsewhere}, or publish everything again at each start")),
        "overlay" | "aufs" => Check::Filesystem
            .warning(format!(
                "{on} is the layer of a container: everything is lost with the container, and \
                other containers do not see it"
            ))
            .remedy("mount a volume on the whole feed directory: docker run -v feed:/srv/data …"),
        "nfs" | "nfs4" => Check::Filesystem
            .warning(format!(
                "{on}: locks between machines and the durability of sync depend on the server and the mount \
                    options; readers on other machines see a new generation only after their attribute cache \
                    expires"
            ))
            .remedy(
                "mount with hard,vers=4.2 and without nolock or local_lock, export with sync (not async); \
                publish from one machine only",
            ),
        "cifs" | "smb3" | "smbfs" | "9p" | "vboxsf" | "prl_fs" | "vmhgfs" | "virtiofs" | "afs" | "ceph"
        | "glusterfs" => Check::Filesystem
            .warning(format!(
                "{on} is shared over a network or with a host: whether locks, sync and rename \
                    do what they should depends on the other side"
            ))
            .remedy(elsewhere),
        fuse if fuse.starts_with("fuse") => Check::Filesystem
            .warning(format!(
                "{on} is a program: whether locks, sync and rename do what they should depends on \
                it (mounted buckets do not rename in one step)"
            ))
            .remedy(format!("{elsewhere}, and copy to the bucket from there")),
        "vfat" | "exfat" | "ntfs" | "ntfs3" | "msdos" => Check::Filesystem
            .warning(format!("{on}: a rename is not in one step across a power cut, and there are no permissions"))
            .remedy(elsewhere),
        _ => Check::Filesystem.note(format!("{on} is not known to lastgood: see what the check \"durability\" says")),
    })
}

/// Whether it is mounted read-only.
pub(super) fn read_only(mounts: &[Mount], real: &Path) -> Option<Finding> {
    let mount = holding(mounts, real)?;
    let point = mount.point.display();
    Some(if mount.read_only {
        let found = format!("{point}, which holds the feed, is mounted read-only: nothing can be published from here");
        Check::ReadOnly.error(found).remedy(format!(
            "mount -o remount,rw {}\nlook into dmesg first: a kernel does this after errors of the disk; in a container, mount \
             the volume without :ro",
            quoted(&mount.point)
        ))
    } else {
        Check::ReadOnly.ok(format!("{point} is mounted for writing"))
    })
}

/// Mounts on something inside the feed: a rename over a mount point fails with EBUSY, one across mounts with EXDEV.
pub(super) fn inside(mounts: &[Mount], used: &Place) -> Option<Finding> {
    let real = used.real.as_deref()?;
    let mut inside: Vec<String> = Vec::new();
    for mount in mounts.iter().filter(|mount| mount.point != real && mount.point.starts_with(real)) {
        inside.push(mount.point.display().to_string());
    }
    Some(if inside.is_empty() {
        Check::MountPoint.ok("nothing is mounted inside the feed")
    } else {
        let found = format!(
            "mounted inside the feed: {}. A file that is a mount point cannot be replaced by rename (EBUSY), \
                and nothing can be moved into a directory that is one (EXDEV): publishing fails",
            inside.join(", ")
        );
        let unmount: Vec<String> = inside.iter().map(quoted).collect();
        Check::MountPoint.error(found).remedy(format!(
            "umount {}\nthen mount the whole directory instead: docker run -v {}:/srv/data:ro …",
            unmount.join(" "),
            quoted(real)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::{Severity, triggers};
    use super::super::super::place::Content;
    use super::*;

    const MOUNTINFO: &[u8] = br"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw
41 22 0:31 / /mnt/a\040b ro,relatime - nfs4 files.example.org:/export\134x rw,vers=4.2
42 22 254:0 /srv/manifest.json /srv/data/manifest.json rw,relatime shared:1 master:2 - ext4 /dev/vda rw
43 22 0:40 / /srv/data2 rw - overlay overlay rw,lowerdir=/a
44 22 0:41 / /bucket rw - fuse.s3fs s3fs rw
45 22 0:42 / /usb rw - vfat /dev/sdb1 ro,errors=remount-ro
46 22 0:43 / /odd rw - newfs none rw
47 22 0:44 / /win rw - cifs //files/share rw
48 22 0:45 / /srv/data3 rw - tmpfs under rw
49 48 0:46 / /srv/data3 rw - xfs over rw
nonsense
";

    fn place(path: &str) -> Place {
        Place { path: path.into(), real: Some(path.into()), content: Content::Missing }
    }

    #[test]
    fn lines_are_parsed_with_their_escapes_and_optional_fields() {
        let mounts = parse(MOUNTINFO);
        assert_eq!(mounts.len(), 11);
        let nfs = &mounts[2];
        assert_eq!((nfs.point.to_str(), nfs.source.as_str()), (Some("/mnt/a b"), r"files.example.org:/export\x"));
        assert_eq!(unescaped(br"a\04"), br"a\04", "what is cut off stays");
        assert_eq!(unescaped(br"a\999"), br"a\999");
    }

    #[test]
    fn the_file_system_of_this_machine_is_found() {
        assert!(holding(&mounts(), Path::new("/")).is_some());
    }

    #[test]
    fn each_file_system_says_what_it_promises() {
        let mounts = parse(MOUNTINFO);
        let says = |path: &str, text: &str| {
            let finding = filesystem(&mounts, Path::new(path)).unwrap();
            assert!(finding.found.contains(text), "{}", finding.found);
            finding
        };
        assert_eq!(says("/srv/www", "ext4 (/dev/vda on /)").severity, Severity::Ok);
        assert_eq!(says("/odd", "newfs").severity, Severity::Note);
        assert_eq!(says("/srv/data3/x", "xfs (over on").severity, Severity::Ok, "the last mount of a point covers it");
        for (path, text) in [
            ("/dev/shm/data", "lost on a reboot"),
            ("/mnt/a b/data", "mount options"),
            ("/srv/data2", "container"),
            ("/bucket/x", "program"),
            ("/usb", "power cut"),
            ("/win", "network"),
        ] {
            triggers(&[says(path, text)], "filesystem", Severity::Warning);
        }
        assert_eq!(says("/srv/dataset", "ext4").severity, Severity::Ok, "only whole names count");
    }

    #[test]
    fn read_only_mounts_and_read_only_devices_are_found() {
        let mounts = parse(MOUNTINFO);
        for path in ["/mnt/a b/data", "/usb"] {
            triggers(&[read_only(&mounts, Path::new(path)).unwrap()], "read-only", Severity::Error);
        }
        assert_eq!(read_only(&mounts, Path::new("/srv")).unwrap().severity, Severity::Ok);
    }

    #[test]
    fn a_file_mounted_into_the_feed_is_an_error_with_the_way_out() {
        let mounts = parse(MOUNTINFO);
        let found = inside(&mounts, &place("/srv/data")).unwrap();
        assert!(found.found.contains("/srv/data/manifest.json"), "{}", found.found);
        assert!(found.remedy.clone().unwrap().starts_with("umount /srv/data/manifest.json\n"));
        triggers(&[found], "mount-point", Severity::Error);
        assert_eq!(inside(&mounts, &place("/srv/data2")).unwrap().severity, Severity::Ok, "the feed itself may be one");
        assert_eq!(inside(&mounts, &place("/srv/dat")).unwrap().severity, Severity::Ok);
    }
}
