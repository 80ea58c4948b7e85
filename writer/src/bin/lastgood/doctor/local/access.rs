//! Permissions as the web server's user meets them, and ownership as the next publish meets it.
//!
//! Judged by mode and owner, as the kernel does for everybody but root. The umask does not matter: modes are set as
//! they are to be. Access control lists are not looked at; where there is one, the mode's group bits are its mask.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lastgood::protocol::layout::{HISTORY_DIR, OBJECTS_DIR, PRIVATE_DIR};
use rustix::fs::Access;

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place};
use super::super::words::{quoted, some};

const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;

/// Whoever reads the files to serve them.
pub(crate) enum Visitor {
    /// Anybody who is neither the owner nor in the group.
    Others,
    User {
        name: String,
        uid: u32,
        gids: Vec<u32>,
    },
}

impl Visitor {
    /// The user with this name, with the groups that the system gives it.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let Some(user) = uzers::get_user_by_name(name) else {
            return Err(format!("there is no user \"{name}\" on this machine; expected one such as www-data or nginx"));
        };
        let gid = user.primary_group_id();
        let groups = uzers::get_user_groups(name, gid).unwrap_or_default();
        let gids = groups.iter().map(uzers::Group::gid).chain([gid]).collect();
        Ok(Self::User { name: name.to_owned(), uid: user.uid(), gids })
    }

    /// The first class that applies decides alone: an owner without the right does not get it as a member of the group.
    fn may(&self, right: u32, metadata: &Metadata) -> bool {
        let mode = metadata.mode();
        match self {
            Visitor::Others => mode & right != 0,
            Visitor::User { uid: 0, .. } => true,
            Visitor::User { uid, .. } if *uid == metadata.uid() => mode >> 6 & right != 0,
            Visitor::User { gids, .. } if gids.contains(&metadata.gid()) => mode >> 3 & right != 0,
            Visitor::User { .. } => mode & right != 0,
        }
    }

    fn name(&self) -> String {
        match self {
            Visitor::Others => "other users (such as the web server's)".to_owned(),
            Visitor::User { name, .. } => format!("the user {name}"),
        }
    }

    /// Others may never read it and all can be well: the web server may be in the group. A named user is certain.
    fn finding(&self, check: Check, found: String) -> Finding {
        match self {
            Visitor::Others => check.warning(found),
            Visitor::User { .. } => check.error(found),
        }
    }

    /// What follows a remedy that opens files to everybody.
    fn alternative(&self) -> &'static str {
        match self {
            Visitor::Others => {
                "\nif the web server is to get in as owner or by its group, check that: lastgood doctor \
                    --as-user www-data"
            }
            Visitor::User { .. } => "",
        }
    }
}

/// Whether every directory on the way lets the visitor pass.
pub(super) fn path(used: &Place, visitor: &Visitor) -> Option<Finding> {
    let real = used.real.as_deref()?;
    // The way that is written and the way that links lead to: the kernel passes both.
    let way: BTreeSet<&Path> = real.ancestors().chain(used.path.ancestors()).collect();
    let closed: Vec<&Path> = way
        .into_iter()
        .filter(|dir| fs::metadata(dir).is_ok_and(|metadata| metadata.is_dir() && !visitor.may(SEARCH, &metadata)))
        .collect();
    let who = visitor.name();
    if closed.is_empty() {
        return Some(Check::PathAccess.ok(format!("{who} can reach {}", used.path.display())));
    }
    let shown: Vec<String> = closed.iter().map(|dir| described(dir)).collect();
    let dirs: Vec<String> = closed.iter().map(quoted).collect();
    let found = format!("{who} cannot pass {}; a web server answers 403", shown.join(", "));
    let remedy = format!("chmod o+x {}{}", dirs.join(" "), visitor.alternative());
    Some(visitor.finding(Check::PathAccess, found).remedy(remedy))
}

/// Whether the visitor can read everything that is published.
pub(super) fn files(used: &Place, visitor: &Visitor) -> Option<Finding> {
    if !matches!(used.content, Content::Feed(_) | Content::Damaged(_) | Content::Later(_)) {
        return None;
    }
    let mut closed = Vec::new();
    let mut count = 0;
    for dir in ["", OBJECTS_DIR, HISTORY_DIR] {
        let path = used.path.join(dir);
        if !dir.is_empty() && fs::symlink_metadata(&path).is_ok_and(|metadata| !visitor.may(SEARCH, &metadata)) {
            closed.push((format!("{dir}/"), path));
            continue;
        }
        // A directory that cannot be listed here is told of by another check.
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(metadata) = entry.metadata() else { continue };
            if name.starts_with('.') || !metadata.is_file() {
                continue;
            }
            count += 1;
            if !visitor.may(READ, &metadata) {
                let shown = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                closed.push((shown, entry.path()));
            }
        }
    }
    let who = visitor.name();
    if closed.is_empty() {
        return Some(Check::FileAccess.ok(format!("{who} can read all {count} published files")));
    }
    closed.sort();
    let names: Vec<&str> = closed.iter().map(|(name, _)| name.as_str()).collect();
    let (_, first) = &closed[0];
    let found = format!(
        "{who} cannot read {} of the feed ({}): {}; a web server answers 403",
        if closed.len() == 1 {
            "one file or directory".to_owned()
        } else {
            format!("{} files or directories", closed.len())
        },
        described(first),
        some(&names)
    );
    let dir = quoted(&used.path);
    let remedy = format!(
        "find {dir} -path {dir}/{PRIVATE_DIR} -prune -o -type d -exec chmod o+rx {{}} + -o -type f -exec chmod \
            o+r {{}} +{}",
        visitor.alternative()
    );
    Some(visitor.finding(Check::FileAccess, found).remedy(remedy))
}

/// Whether something in the feed belongs to somebody else than the feed: what root has left when it published once.
pub(super) fn ownership(used: &Place) -> Option<Finding> {
    let feed = fs::metadata(&used.path).ok().filter(Metadata::is_dir)?;
    let private = used.path.join(PRIVATE_DIR);
    let mut paths: Vec<PathBuf> =
        vec![private.clone(), private.join("lock"), private.join("turn"), private.join("holder")];
    paths.extend([OBJECTS_DIR, HISTORY_DIR, "manifest.json"].map(|name| used.path.join(name)));
    let staging = private.join("staging");
    paths.extend(fs::read_dir(&staging).into_iter().flatten().flatten().map(|entry| entry.path()));
    paths.push(staging);
    let owner = |path: &PathBuf| {
        let name = path.strip_prefix(&used.path).unwrap_or(path).display().to_string();
        fs::symlink_metadata(path).ok().map(|metadata| (name, metadata.uid()))
    };
    let owners: Vec<(String, u32)> = paths.iter().filter_map(owner).collect();
    Some(owned(&used.path, (feed.uid(), feed.gid()), owners))
}

fn owned(feed: &Path, (uid, gid): (u32, u32), owners: Vec<(String, u32)>) -> Finding {
    let owner = user(uid);
    let others: Vec<(String, u32)> = owners.into_iter().filter(|(_, other)| *other != uid).collect();
    if others.is_empty() {
        return Check::Ownership.ok(format!("everything belongs to {owner}"));
    }
    let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
    let strangers: BTreeSet<String> = others.iter().map(|(_, uid)| user(*uid)).collect();
    let strangers: Vec<String> = strangers.into_iter().collect();
    let found = format!(
        "the feed directory belongs to {owner}, but {} to {}: whichever of them publishes next may be refused \
            the lock or the files",
        some(&names),
        some(&strangers)
    );
    Check::Ownership
        .warning(found)
        .remedy(format!("chown -R {uid}:{gid} {}\nand always publish as {owner}", quoted(feed)))
}

/// Whether the user who runs this could publish.
pub(super) fn write(used: &Place) -> Option<Finding> {
    let feed = fs::metadata(&used.path).ok().filter(Metadata::is_dir)?;
    let me = rustix::process::geteuid().as_raw();
    let private = used.path.join(PRIVATE_DIR);
    let dirs = [
        used.path.clone(),
        used.path.join(OBJECTS_DIR),
        used.path.join(HISTORY_DIR),
        private.clone(),
        private.join("staging"),
    ];
    let wanted = dirs.map(|dir| (dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK));
    let locks = ["lock", "turn"].map(|lock| (private.join(lock), Access::READ_OK | Access::WRITE_OK));
    let wanted = wanted.into_iter().chain(locks);
    let refused: Vec<String> = wanted
        .filter(
            |(path, right)| matches!(rustix::fs::access(path, *right), Err(error) if error != rustix::io::Errno::NOENT),
        )
        .map(|(path, _)| described(&path))
        .collect();
    let (me_name, owner) = (user(me), user(feed.uid()));
    if refused.is_empty() {
        if me != feed.uid() && me == 0 {
            let found = format!(
                "root can publish here, but the feed belongs to {owner}: what root publishes, {owner} may not \
                    be able to replace"
            );
            return Some(
                Check::WriteAccess
                    .note(found)
                    .remedy(format!("publish as {owner}: sudo -u {owner} lastgood publish …")),
            );
        }
        return Some(Check::WriteAccess.ok(format!("{me_name} can publish here")));
    }
    let found = format!("{me_name} cannot publish here: no right to write {}", some(&refused));
    let dir = quoted(&used.path);
    Some(if me == feed.uid() {
        Check::WriteAccess.error(found).remedy(format!("chmod -R u+rwX {dir}"))
    } else {
        let remedy = format!("publish as {owner}, or give the feed to {me_name}: chown -R {me_name} {dir}");
        Check::WriteAccess.note(found).remedy(remedy)
    })
}

fn described(path: &Path) -> String {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(metadata) => format!("{shown} (mode {:04o}, owner {})", metadata.mode() & 0o7777, user(metadata.uid())),
        Err(_) => shown.to_string(),
    }
}

fn user(uid: u32) -> String {
    match uzers::get_user_by_uid(uid) {
        Some(user) => user.name().to_string_lossy().into_owned(),
        None => format!("user {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::{Severity, triggers};
    use super::*;

    #[test]
    fn what_another_user_has_left_is_named() {
        let owners = |uid| vec![("manifest.json".to_owned(), 1000), (".lastgood/lock".to_owned(), uid)];
        let found = owned(Path::new("/srv/data"), (1000, 1001), owners(0));
        assert!(found.found.contains(".lastgood/lock") && !found.found.contains("manifest.json"), "{}", found.found);
        assert!(found.remedy.clone().unwrap().starts_with("chown -R 1000:1001 /srv/data\n"));
        triggers(&[found], "ownership", Severity::Warning);
        assert_eq!(owned(Path::new("/srv/data"), (1000, 1001), owners(1000)).severity, Severity::Ok);
    }

    /// The first class that applies decides alone.
    #[test]
    fn rights_are_those_of_the_first_class_that_applies() {
        let dir = tempfile::tempdir().unwrap();
        let metadata = |mode| {
            use std::os::unix::fs::PermissionsExt;
            let file = fs::File::open(dir.path()).unwrap();
            file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
            file.metadata().unwrap()
        };
        let (owner, group) = (metadata(0o700).uid(), metadata(0o700).gid());
        let (another, other_group) = (owner + 4711, group + 4711);
        let user = |uid, gid| Visitor::User { name: "x".to_owned(), uid, gids: vec![gid] };
        for mode in 0..0o1000_u32 {
            // The owner must keep the right to open it.
            let mode = mode | 0o400;
            let metadata = metadata(mode);
            for right in [READ, SEARCH] {
                let has = |shift: u32| mode >> shift & right != 0;
                assert_eq!(Visitor::Others.may(right, &metadata), has(0), "{mode:o}");
                assert_eq!(user(another, other_group).may(right, &metadata), has(0), "{mode:o}");
                assert_eq!(user(another, group).may(right, &metadata), has(3), "{mode:o}");
                if owner != 0 {
                    assert_eq!(user(owner, group).may(right, &metadata), has(6), "{mode:o}");
                }
                assert!(user(0, other_group).may(right, &metadata), "root may everything");
            }
        }
    }
}
