//! Who publishes, and whether everything is that user's.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lastgood::protocol::layout::{HISTORY_DIR, OBJECTS_DIR, PRIVATE_DIR};
use lastgood::storage::names_in;
use rustix::fs::Access;

use super::super::finding::{Check, Finding};
use super::super::place::Place;
use super::super::words::{quoted, some};
use super::access::{Visitor, WRITE, described, user};

const SETGID: u32 = 0o2000;

/// The owners of the feed directory and of what a publisher must be able to replace in it.
struct Owners {
    feed: u32,
    /// By path from the feed directory; the private directory comes first, if it is there.
    inside: Vec<(String, u32)>,
}

impl Owners {
    fn of(used: &Place) -> Option<Self> {
        let feed = fs::metadata(&used.path).ok().filter(Metadata::is_dir)?;
        let owner = |path: &PathBuf| {
            let name = path.strip_prefix(&used.path).unwrap_or(path).display().to_string();
            fs::symlink_metadata(path).ok().map(|metadata| (name, metadata.uid()))
        };
        Some(Self { feed: feed.uid(), inside: paths(used).iter().filter_map(owner).collect() })
    }

    /// Who publishes: the one to whom everything belongs. Among several it is hardly root, who may have done so once, or
    /// have prepared the directory for another.
    fn publisher(&self) -> u32 {
        let all: BTreeSet<u32> = self.inside.iter().map(|(_, uid)| *uid).collect();
        let private = self.inside.first().map(|(_, uid)| *uid);
        let only = if all.len() == 1 { private } else { None };
        let likely = [only, Some(self.feed), private].into_iter().flatten().chain(all);
        likely.into_iter().find(|uid| *uid != 0).unwrap_or(0)
    }
}

/// The parts of a feed in which publishers make files, and those that they lock or replace.
fn paths(used: &Place) -> Vec<PathBuf> {
    let private = used.path.join(PRIVATE_DIR);
    let staging = private.join("staging");
    let mut paths = vec![private.clone()];
    paths.extend(["lock", "turn", "holder"].map(|name| private.join(name)));
    paths.extend([OBJECTS_DIR, HISTORY_DIR, "manifest.json"].map(|name| used.path.join(name)));
    paths.extend(names_in(&staging).into_iter().flatten().map(|name| staging.join(name)));
    paths.push(staging);
    paths
}

/// The parts that are there, as a shell takes them.
fn parts(feed: &Path, names: &[&str]) -> String {
    let there = names.iter().map(|name| feed.join(name)).filter(|path| path.symlink_metadata().is_ok());
    there.map(quoted).collect::<Vec<_>>().join(" ")
}

const DIRS: [&str; 3] = [PRIVATE_DIR, OBJECTS_DIR, HISTORY_DIR];

/// Whether something in the feed belongs to somebody else than the publisher: what root has left when it published once.
pub(super) fn ownership(used: &Place) -> Vec<Finding> {
    let Some(owners) = Owners::of(used) else { return Vec::new() };
    let shut_out = shuts_out(used, owners.publisher());
    let mut findings = vec![owned(&used.path, &owners, shut_out)];
    findings.extend(group(used));
    findings
}

/// Whether it is certain that this user cannot write into the feed directory. Of users that the system does not know, their
/// groups are not known either.
fn shuts_out(used: &Place, publisher: u32) -> bool {
    let Some(publisher) = uzers::get_user_by_uid(publisher) else { return false };
    let visitor = Visitor::named(&publisher.name().to_string_lossy());
    let may = |visitor: Visitor| Some(visitor.access(WRITE, &used.path, &fs::metadata(&used.path).ok()?).allowed);
    visitor.ok().and_then(may) == Some(false)
}

fn owned(feed: &Path, owners: &Owners, shut_out: bool) -> Finding {
    let publisher = owners.publisher();
    let name = user(publisher);
    let others: Vec<&(String, u32)> = owners.inside.iter().filter(|(_, uid)| *uid != publisher).collect();
    if others.is_empty() && !shut_out {
        return Check::Ownership.ok(if owners.feed == publisher || owners.inside.is_empty() {
            format!("everything belongs to {}", user(owners.feed))
        } else {
            format!("everything in it belongs to {name}, who publishes; the directory itself to {}", user(owners.feed))
        });
    }
    let (found, with_feed) = if others.is_empty() {
        let found = format!(
            "the feed belongs to {name}, but the feed directory to {}, and {name} may not write to it",
            user(owners.feed)
        );
        (found, true)
    } else {
        let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
        let strangers: BTreeSet<String> = others.iter().map(|(_, uid)| user(*uid)).collect();
        let strangers: Vec<String> = strangers.into_iter().collect();
        let found = format!(
            "{name} publishes here, as it seems, but {} belong to {}: whichever of them publishes next may be refused the lock \
             or the files",
            some(&names),
            some(&strangers)
        );
        (found, shut_out)
    };
    // No group is given: that of a shared directory stays. No more than the feed's own files: others may be beside them.
    let inside = parts(feed, &[PRIVATE_DIR, OBJECTS_DIR, HISTORY_DIR, "manifest.json"]);
    let feed = if with_feed { format!("chown {publisher} {}", quoted(feed)) } else { String::new() };
    let inside = if others.is_empty() { String::new() } else { format!("chown -R {publisher} {inside}") };
    let commands: Vec<String> = [feed, inside].into_iter().filter(|command| !command.is_empty()).collect();
    Check::Ownership.warning(found).remedy(format!(
        "{}\nand always publish as {name}: {} lastgood publish …",
        commands.join(" && "),
        sudo(publisher)
    ))
}

/// Whether what is published has the group of a directory that hands its group down.
fn group(used: &Place) -> Option<Finding> {
    let feed = fs::metadata(&used.path).ok().filter(|feed| feed.mode() & SETGID != 0)?;
    let staging = format!("{PRIVATE_DIR}/staging");
    let names = [PRIVATE_DIR, &staging, OBJECTS_DIR, HISTORY_DIR, "manifest.json"];
    let other = |name: &&str| {
        let found = fs::symlink_metadata(used.path.join(name)).ok()?;
        (found.gid() != feed.gid()).then(|| (*name).to_owned())
    };
    let others: Vec<String> = names.iter().filter_map(other).collect();
    if others.is_empty() {
        return None;
    }
    let name = uzers::get_group_by_gid(feed.gid()).map(|group| group.name().to_string_lossy().into_owned());
    let found = format!(
        "the feed directory hands down its group, {}, but these have another: {}; who is to read by that group cannot",
        name.unwrap_or_else(|| feed.gid().to_string()),
        some(&others)
    );
    let (gid, dirs, top) = (feed.gid(), parts(&used.path, &DIRS), quoted(&used.path));
    Some(Check::Ownership.warning(found).remedy(format!(
        "chgrp -R {gid} {dirs} && find {dirs} -type d -exec chmod g+s {{}} + && find -H {top} -maxdepth 1 -type f ! -name '.*' -exec \
         chgrp {gid} {{}} +"
    )))
}

/// Whether the user who runs this could publish.
pub(super) fn write(used: &Place) -> Option<Finding> {
    let owners = Owners::of(used)?;
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
    let publisher = owners.publisher();
    let (me_name, owner) = (user(me), user(publisher));
    let as_owner = format!("publish as {owner}: {} lastgood publish …", sudo(publisher));
    if refused.is_empty() {
        if me == 0 && publisher != 0 {
            let found = format!(
                "root can publish here, but the feed is {owner}'s: what root publishes, {owner} may not be able to replace"
            );
            return Some(Check::WriteAccess.note(found).remedy(as_owner));
        }
        return Some(Check::WriteAccess.ok(format!("{me_name} can publish here")));
    }
    let found = format!("{me_name} cannot publish here: no right to write {}", some(&refused));
    let dir = quoted(&used.path);
    Some(if me == owners.feed {
        Check::WriteAccess.error(found).remedy(format!("chmod -R u+rwX {dir}"))
    } else if owners.inside.is_empty() || me == publisher {
        // Nobody else's feed.
        Check::WriteAccess.note(found).remedy(format!("as root, let {me_name} write there: chown {me} {dir}"))
    } else {
        Check::WriteAccess.note(found).remedy(as_owner)
    })
}

/// Runs what follows as a user, whether it has a name or only a number.
fn sudo(uid: u32) -> String {
    match uzers::get_user_by_uid(uid) {
        Some(user) => format!("sudo -u {}", user.name().display()),
        None => format!("sudo -u '#{uid}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::{Severity, triggers};
    use super::*;

    fn owners(feed: u32, private: u32, manifest: u32) -> Owners {
        Owners { feed, inside: vec![(".lastgood".to_owned(), private), ("manifest.json".to_owned(), manifest)] }
    }

    #[test]
    fn the_publisher_is_the_one_to_whom_the_feed_belongs_and_hardly_root() {
        for (feed, private, manifest, publisher) in [
            (1000, 1000, 1000, 1000),
            (0, 0, 0, 0),
            // Root prepared the directory, or published once.
            (0, 1000, 1000, 1000),
            (1000, 1000, 0, 1000),
            (1000, 0, 0, 1000),
            (0, 1000, 0, 1000),
            (0, 0, 1000, 1000),
            // A shared directory of one user, published into by another.
            (1000, 1001, 1001, 1001),
            (1000, 1001, 1002, 1000),
            (0, 1001, 1002, 1001),
        ] {
            assert_eq!(owners(feed, private, manifest).publisher(), publisher, "{feed} {private} {manifest}");
        }
        assert_eq!(Owners { feed: 1000, inside: Vec::new() }.publisher(), 1000);
    }

    #[test]
    fn what_another_user_has_left_is_named() {
        let found = owned(Path::new("/nowhere"), &owners(1000, 0, 1000), false);
        assert!(found.found.contains(".lastgood") && !found.found.contains("manifest.json"), "{}", found.found);
        assert!(found.remedy.clone().unwrap().starts_with("chown -R 1000 "));
        triggers(&[found], "ownership", Severity::Warning);
        assert_eq!(owned(Path::new("/nowhere"), &owners(1000, 1000, 1000), false).severity, Severity::Ok);
        assert_eq!(
            owned(Path::new("/nowhere"), &owners(0, 1000, 1000), false).severity,
            Severity::Ok,
            "prepared by root"
        );
        let found = owned(Path::new("/nowhere"), &owners(0, 1000, 1000), true);
        assert!(found.remedy.unwrap().starts_with("chown 1000 /nowhere\n"));
    }
}
