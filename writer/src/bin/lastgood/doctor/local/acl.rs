//! Access control lists, as Linux keeps them beside the mode (acl(5)): read as the attribute that the kernel itself judges by.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "elsewhere no list is read"))]

use std::path::Path;

/// The list of a file or directory that has more than its mode says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acl(Vec<Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    tag: u16,
    rights: u32,
    /// Whose, for a named user or group.
    id: u32,
}

const NAMED_USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const NAMED_GROUP: u16 = 0x08;
const MASK: u16 = 0x10;

impl Acl {
    /// The list of what stands at `path`, with links followed; `None` when the mode says everything.
    #[cfg(target_os = "linux")]
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut bytes = vec![0; 64 * 1024];
        let size = rustix::fs::getxattr(path, "system.posix_acl_access", &mut bytes[..]).ok()?;
        Self::parse(&bytes[..size])
    }

    /// Elsewhere lists are kept in other ways, and are not looked at.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_path: &Path) -> Option<Self> {
        None
    }

    /// A version, then entries of a tag, rights and an id.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, entries) = bytes.split_first_chunk::<4>()?;
        let (entries, rest) = entries.as_chunks::<8>();
        let entry = |&[a, b, c, d, e, f, g, h]: &[u8; 8]| Entry {
            tag: u16::from_le_bytes([a, b]),
            rights: u16::from_le_bytes([c, d]).into(),
            id: u32::from_le_bytes([e, f, g, h]),
        };
        let known = u32::from_le_bytes(*version) == 2 && rest.is_empty();
        known.then(|| Self(entries.iter().map(entry).collect()))
    }

    /// Whether the list lets a user who is not the owner have a right; `None` when it does not speak of that user, and the
    /// mode's last digit decides. `in_group` is whether the user is in the owning group.
    pub(super) fn lets(&self, right: u32, uid: u32, gids: &[u32], in_group: bool) -> Option<bool> {
        let mask = self.0.iter().find(|entry| entry.tag == MASK).map_or(0o7, |mask| mask.rights);
        let has = |entry: &Entry| entry.rights & mask & right != 0;
        if let Some(user) = self.0.iter().find(|entry| entry.tag == NAMED_USER && entry.id == uid) {
            return Some(has(user));
        }
        let of_groups = |entry: &&Entry| {
            entry.tag == OWNING_GROUP && in_group || entry.tag == NAMED_GROUP && gids.contains(&entry.id)
        };
        // One group that has the right suffices.
        let mut groups = self.0.iter().filter(of_groups).peekable();
        groups.peek()?;
        Some(groups.any(has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `setfacl -m u:1000:rx,u:1001:---,g:50:r` makes it of a file with mode 0640, with `m::r` afterwards.
    fn acl() -> Acl {
        let mut bytes = vec![2, 0, 0, 0];
        for (tag, rights, id) in [
            (0x01_u16, 6_u16, u32::MAX),
            (NAMED_USER, 5, 1000),
            (NAMED_USER, 0, 1001),
            (OWNING_GROUP, 4, u32::MAX),
            (NAMED_GROUP, 4, 50),
            (NAMED_GROUP, 1, 51),
            (MASK, 4, u32::MAX),
            (0x20, 0, u32::MAX),
        ] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(rights.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        Acl::parse(&bytes).unwrap()
    }

    #[test]
    fn named_users_and_groups_count_as_far_as_the_mask_lets_them() {
        let acl = acl();
        assert_eq!(acl.lets(4, 1000, &[], false), Some(true));
        assert_eq!(acl.lets(1, 1000, &[], false), Some(false), "the mask takes it away");
        assert_eq!(acl.lets(4, 1001, &[50], true), Some(false), "a named user is judged by that entry alone");
        assert_eq!(acl.lets(4, 7, &[50], false), Some(true));
        assert_eq!(acl.lets(4, 7, &[51, 50], false), Some(true), "one group suffices");
        assert_eq!(acl.lets(4, 7, &[51], false), Some(false), "in a group, the right of others does not count");
        assert_eq!(acl.lets(4, 7, &[], true), Some(true));
        assert_eq!(acl.lets(4, 7, &[8], false), None);
    }

    #[test]
    fn what_is_no_list_of_a_known_version_is_none() {
        for bytes in [&b""[..], b"\x02\0", b"\x03\0\0\0", b"\x02\0\0\0\x01"] {
            assert_eq!(Acl::parse(bytes), None);
        }
    }
}
