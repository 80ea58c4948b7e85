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

/// What the group has in a directory that it shares, and in a file.
const SHARED_DIR: u32 = 0o2070;
const SHARED_FILE: u32 = 0o060;

/// The owners of the feed directory and of what a publisher must be able to replace in it.
struct Owners {
    feed: u32,
    /// By path from the feed directory; the private directory comes first, if it is there.
    inside: Vec<(String, u32)>,
}

impl Owners {
    fn of(feed: &Path) -> Option<Self> {
        let found = fs::metadata(feed).ok().filter(Metadata::is_dir)?;
        let owner = |path: &PathBuf| {
            let name = path.strip_prefix(feed).unwrap_or(path).display().to_string();
            fs::symlink_metadata(path).ok().map(|metadata| (name, metadata.uid()))
        };
        Some(Self { feed: found.uid(), inside: paths(feed).iter().filter_map(owner).collect() })
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
fn paths(feed: &Path) -> Vec<PathBuf> {
    let private = feed.join(PRIVATE_DIR);
    let staging = private.join("staging");
    let mut paths = vec![private.clone()];
    let files = ["lock", "turn", "holder", "operations.lock", "operations.jsonl"];
    paths.extend(files.map(|name| private.join(name)));
    paths.extend([OBJECTS_DIR, HISTORY_DIR, "manifest.json"].map(|name| feed.join(name)));
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
    let Some(owners) = Owners::of(&used.path) else { return Vec::new() };
    if let Some(gid) = shared_with(&used.path) {
        return vec![shared(&used.path, gid)];
    }
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
    Check::Ownership.warning(found).remedy(format!(
        "{}\nand publish as {name}: {} lastgood publish …",
        given_to(feed, &owners.inside, publisher, with_feed),
        sudo(publisher)
    ))
}

/// The command that gives a user what others have left in a feed. No group is given: that of a shared directory stays. No more
/// than the feed's own files: others may be beside them.
fn given_to(feed: &Path, inside: &[(String, u32)], user: u32, with_feed: bool) -> String {
    let inside: BTreeSet<u32> = inside.iter().map(|(_, uid)| *uid).filter(|uid| *uid != user).collect();
    let parts = parts(feed, &[PRIVATE_DIR, OBJECTS_DIR, HISTORY_DIR, "manifest.json"]);
    let feed = with_feed.then(|| format!("chown {user} {}", quoted(feed)));
    // Elsewhere chown does not know it.
    let from = |uid: u32| if cfg!(target_os = "linux") { format!("--from={uid} ") } else { String::new() };
    let inside = inside.into_iter().map(|uid| format!("chown -R {}{user} {parts}", from(uid)));
    feed.into_iter().chain(inside).collect::<Vec<_>>().join(" && ")
}

/// The group that shares the feed: its members may write to the directory, which hands the group down.
fn shared_with(feed: &Path) -> Option<u32> {
    fs::metadata(feed).ok().filter(|feed| feed.mode() & SHARED_DIR == SHARED_DIR).map(|feed| feed.gid())
}

/// Whether each member of the group that shares a feed can publish there, whoever has made what is in it.
fn shared(feed: &Path, gid: u32) -> Finding {
    let refuses = |path: &PathBuf| {
        let found = fs::symlink_metadata(path).ok()?;
        let wanted = match (found.is_dir(), path.ends_with("manifest.json")) {
            (true, _) => SHARED_DIR,
            // It is replaced, not written to.
            (false, true) => 0,
            (false, false) => SHARED_FILE,
        };
        let wrong = found.gid() != gid || found.mode() & wanted != wanted;
        wrong.then(|| path.strip_prefix(feed).unwrap_or(path).display().to_string())
    };
    let wrong: Vec<String> = paths(feed).iter().filter_map(refuses).collect();
    let name = group_name(gid);
    if wrong.is_empty() {
        return Check::Ownership.ok(format!("shared by the group {name}: each of its members can publish here"));
    }
    let found = format!(
        "the feed directory is shared by the group {name}, but not all of its members can use {}: whoever of them publishes \
         next may be refused the lock or the files",
        some(&wrong)
    );
    let (dirs, files) = (parts(feed, &DIRS), parts(feed, &["manifest.json"]));
    let parts = format!("{dirs} {files}");
    let parts = parts.trim_end();
    Check::Ownership.warning(found).remedy(format!(
        "chgrp -R {gid} {parts} && chmod -R g+rwX {parts} && find {dirs} -type d -exec chmod g+s {{}} +"
    ))
}

fn group_name(gid: u32) -> String {
    let name = uzers::get_group_by_gid(gid).map(|group| group.name().to_string_lossy().into_owned());
    name.unwrap_or_else(|| gid.to_string())
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
    let found = format!(
        "the feed directory hands down its group, {}, but these have another: {}; who is to read by that group cannot",
        group_name(feed.gid()),
        some(&others)
    );
    let (gid, dirs, top) = (feed.gid(), parts(&used.path, &DIRS), quoted(&used.path));
    Some(Check::Ownership.warning(found).remedy(format!(
        "chgrp -R {gid} {dirs} && find {dirs} -type d -exec chmod g+s {{}} + && find -H {top} -maxdepth 1 -type f ! -name '.*' -exec \
         chgrp {gid} {{}} +"
    )))
}

/// What the user who runs this may not do in the feed, each with mode and owner.
fn refused(feed: &Path) -> Vec<String> {
    let private = feed.join(PRIVATE_DIR);
    let dirs =
        [feed.to_owned(), feed.join(OBJECTS_DIR), feed.join(HISTORY_DIR), private.clone(), private.join("staging")];
    let wanted = dirs.map(|dir| (dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK));
    let locks = ["lock", "turn"].map(|lock| (private.join(lock), Access::READ_OK | Access::WRITE_OK));
    let wanted = wanted.into_iter().chain(locks);
    let refused = wanted.filter(
        |(path, right)| matches!(rustix::fs::access(path, *right), Err(error) if error != rustix::io::Errno::NOENT),
    );
    refused.map(|(path, _)| described(&path)).collect()
}

/// Whether the user who runs this could publish.
pub(super) fn write(used: &Place) -> Option<Finding> {
    let owners = Owners::of(&used.path)?;
    let me = rustix::process::geteuid().as_raw();
    let refused = refused(&used.path);
    let publisher = owners.publisher();
    let (me_name, owner) = (user(me), user(publisher));
    if refused.is_empty() {
        if me == 0 && publisher != 0 && shared_with(&used.path).is_none() {
            let found = format!(
                "root can publish here, but the feed is {owner}'s: what root publishes, {owner} may not be able to replace"
            );
            return Some(
                Check::WriteAccess
                    .note(found)
                    .remedy(format!("publish as {owner}: {} lastgood publish …", sudo(publisher))),
            );
        }
        return Some(Check::WriteAccess.ok(format!("{me_name} can publish here")));
    }
    let found = format!("{me_name} cannot publish here: no right to write {}", some(&refused));
    let dir = quoted(&used.path);
    Some(if me == owners.feed {
        Check::WriteAccess.error(found).remedy(format!("chmod -R u+rwX {dir}"))
    } else {
        Check::WriteAccess.note(found).remedy(way_in(&used.path, &owners, me))
    })
}

/// How a user who may not write to a feed comes to publish there: whose it is decides.
fn way_in(feed: &Path, owners: &Owners, me: u32) -> String {
    let (publisher, name) = (owners.publisher(), user(me));
    if let Some(gid) = shared_with(feed) {
        return match uzers::get_user_by_uid(me).filter(|_| uzers::get_group_by_gid(gid).is_some()) {
            Some(_) => format!(
                "the group {group} publishes here; as root, make {name} one of it: usermod -aG {group} {name}; it counts from the \
                 next login on",
                group = group_name(gid)
            ),
            None => {
                format!("the group {gid} publishes here; run it with that group, such as docker run --group-add {gid}")
            }
        };
    }
    if publisher == me || publisher == 0 {
        // Nobody's but root's: what root may do once, it need not do always.
        let with_feed = owners.feed != me;
        return format!("as root, let {name} publish here: {}", given_to(feed, &owners.inside, me, with_feed));
    }
    format!("publish as {}, whose feed it is: {} lastgood publish …", user(publisher), sudo(publisher))
}

/// What a user can do who was refused a right in the feed directory; `None` where that user has all rights that publishing
/// takes.
pub(crate) fn advice(feed: &Path) -> Option<String> {
    let me = rustix::process::geteuid().as_raw();
    let Some(owners) = Owners::of(feed) else {
        let above = feed.ancestors().skip(1).find(|above| above.is_dir())?;
        let owner = user(fs::metadata(above).ok()?.uid());
        let gid = rustix::process::getegid().as_raw();
        return Some(format!(
            "{} belongs to {owner}, and this is {}; as root, make the feed directory: install -d -o {me} -g {gid} -m 0755 {}",
            above.display(),
            user(me),
            quoted(feed)
        ));
    };
    if refused(feed).is_empty() {
        return None;
    }
    let whose = match shared_with(feed) {
        Some(gid) => format!("the group {}", group_name(gid)),
        None => user(owners.publisher()),
    };
    Some(format!("the feed belongs to {whose}, and this is {}; {}", user(me), way_in(feed, &owners, me)))
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
        assert!(found.remedy.clone().unwrap().starts_with("chown -R --from=0 1000 "));
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
