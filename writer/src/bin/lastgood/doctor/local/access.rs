//! Permissions as the web server's user meets them.
//!
//! Judged by mode, owner and access control list, as the kernel does for everybody but root. The umask does not matter:
//! modes are set as they are to be.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use lastgood::protocol::layout::{HISTORY_DIR, OBJECTS_DIR};
use lastgood::storage::names_in;

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place};
use super::super::words::{quoted, some};
use super::acl::Acl;

const READ: u32 = 0o4;
pub(super) const WRITE: u32 = 0o2;
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

    /// Whether the visitor has a right, and by what. The first class that applies decides alone: an owner without the right
    /// does not get it as a member of the group.
    pub(super) fn access(&self, right: u32, path: &Path, metadata: &Metadata) -> Access {
        let mode = metadata.mode();
        let by = |by: Class, shift: u32| Access { allowed: mode >> shift & right != 0, by };
        match self {
            Visitor::Others => by(Class::Other, 0),
            Visitor::User { uid: 0, .. } => Access { allowed: true, by: Class::Other },
            Visitor::User { uid, .. } if *uid == metadata.uid() => by(Class::Owner, 6),
            Visitor::User { uid, gids, .. } => {
                let in_group = gids.contains(&metadata.gid());
                // Where there is a list, the group's digit of the mode is its mask.
                match (Acl::of(path).map(|acl| acl.lets(right, *uid, gids, in_group)), in_group) {
                    (Some(Some(allowed)), _) => Access { allowed, by: Class::List },
                    (None, true) => by(Class::Group, 3),
                    _ => by(Class::Other, 0),
                }
            }
        }
    }

    /// The command that gives the visitor a right (`r`, `x`) that it has been refused by these classes.
    fn letting(&self, right: &str, classes: &BTreeSet<Class>, to: &str) -> String {
        let letters: String = classes.iter().filter_map(|class| class.letter()).collect();
        let chmod = (!letters.is_empty()).then(|| format!("chmod {letters}+{right} {to}"));
        // What the list says of the user would hold in spite of the mode.
        let setfacl = match self {
            Visitor::User { name, .. } if classes.contains(&Class::List) => {
                Some(format!("setfacl -m u:{name}:{right} {to}"))
            }
            _ => None,
        };
        chmod.into_iter().chain(setfacl).collect::<Vec<_>>().join(" && ")
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

/// What the visitor may do, and what says so.
pub(super) struct Access {
    pub(super) allowed: bool,
    by: Class,
}

/// As what a visitor is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Owner,
    Group,
    Other,
    /// By an entry of an access control list.
    List,
}

impl Class {
    fn letter(self) -> Option<char> {
        match self {
            Class::Owner => Some('u'),
            Class::Group => Some('g'),
            Class::Other => Some('o'),
            Class::List => None,
        }
    }
}

/// Whether every directory on the way lets the visitor pass.
pub(super) fn path(used: &Place, visitor: &Visitor) -> Option<Finding> {
    let real = used.real.as_deref()?;
    // The way that is written and the way that links lead to: the kernel passes both.
    let way: BTreeSet<&Path> = real.ancestors().chain(used.path.ancestors()).collect();
    let refused = |dir: &Path| {
        let metadata = fs::metadata(dir).ok().filter(Metadata::is_dir)?;
        let access = visitor.access(SEARCH, dir, &metadata);
        (!access.allowed).then_some(access.by)
    };
    let closed: Vec<(&Path, Class)> = way.into_iter().filter_map(|dir| Some((dir, refused(dir)?))).collect();
    let who = visitor.name();
    if closed.is_empty() {
        return Some(Check::PathAccess.ok(format!("{who} can reach {}", used.path.display())));
    }
    let shown: Vec<String> = closed.iter().map(|(dir, _)| described(dir)).collect();
    let classes: BTreeSet<Class> = closed.iter().map(|(_, class)| *class).collect();
    let commands = classes.into_iter().map(|class| {
        let dirs: Vec<String> = closed.iter().filter(|(_, by)| *by == class).map(|(dir, _)| quoted(dir)).collect();
        visitor.letting("x", &BTreeSet::from([class]), &dirs.join(" "))
    });
    let commands: Vec<String> = commands.collect();
    let found = format!("{who} cannot pass {}; a web server answers 403", shown.join(", "));
    let remedy = format!("{}{}", commands.join(" && "), visitor.alternative());
    Some(visitor.finding(Check::PathAccess, found).remedy(remedy))
}

/// Whether the visitor can read everything that is published.
pub(super) fn files(used: &Place, visitor: &Visitor) -> Option<Finding> {
    if !matches!(used.content, Content::Feed(_) | Content::Damaged(_) | Content::Later(_)) {
        return None;
    }
    let mut closed = Vec::new();
    let (mut dirs_closed, mut files_closed) = (BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for dir in ["", OBJECTS_DIR, HISTORY_DIR] {
        let path = used.path.join(dir);
        if !dir.is_empty()
            && let Ok(metadata) = fs::symlink_metadata(&path)
        {
            let access = visitor.access(SEARCH, &path, &metadata);
            if !access.allowed {
                closed.push((format!("{dir}/"), path));
                dirs_closed.insert(access.by);
                continue;
            }
        }
        // A directory that cannot be listed here is told of by another check.
        for name in names_in(&path).into_iter().flatten() {
            let file = path.join(&name);
            let name = name.to_string_lossy().into_owned();
            let Ok(metadata) = fs::symlink_metadata(&file) else { continue };
            if name.starts_with('.') || !metadata.is_file() {
                continue;
            }
            count += 1;
            let access = visitor.access(READ, &file, &metadata);
            if !access.allowed {
                let shown = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                closed.push((shown, file));
                files_closed.insert(access.by);
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
    // The feed's own directories and the files in them, and nothing that is private or beside them.
    let inner = [OBJECTS_DIR, HISTORY_DIR].map(|dir| used.path.join(dir)).into_iter().filter(|dir| dir.is_dir());
    let inner: Vec<String> = inner.map(quoted).collect();
    let mut commands = Vec::new();
    // In a directory that is closed, the files were not looked at.
    files_closed.extend(&dirs_closed);
    if !dirs_closed.is_empty() {
        commands.push(visitor.letting("x", &dirs_closed, &inner.join(" ")));
    }
    let find = format!("find -H {} {} -maxdepth 1 -type f ! -name '.*'", quoted(&used.path), inner.join(" "));
    commands.extend(
        files_closed
            .iter()
            .map(|class| format!("{find} -exec {} +", visitor.letting("r", &BTreeSet::from([*class]), "{}"))),
    );
    let remedy = format!("{}{}", commands.join(" && "), visitor.alternative());
    Some(visitor.finding(Check::FileAccess, found).remedy(remedy))
}

pub(super) fn described(path: &Path) -> String {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(metadata) => format!("{shown} (mode {:04o}, owner {})", metadata.mode() & 0o7777, user(metadata.uid())),
        Err(_) => shown.to_string(),
    }
}

pub(super) fn user(uid: u32) -> String {
    match uzers::get_user_by_uid(uid) {
        Some(user) => user.name().to_string_lossy().into_owned(),
        None => format!("user {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let may = |visitor: &Visitor, right, metadata: &Metadata| visitor.access(right, dir.path(), metadata).allowed;
        let user = |uid, gid| Visitor::User { name: "x".to_owned(), uid, gids: vec![gid] };
        for mode in 0..0o1000_u32 {
            // The owner must keep the right to open it.
            let mode = mode | 0o400;
            let metadata = metadata(mode);
            for right in [READ, SEARCH] {
                let has = |shift: u32| mode >> shift & right != 0;
                assert_eq!(may(&Visitor::Others, right, &metadata), has(0), "{mode:o}");
                assert_eq!(may(&user(another, other_group), right, &metadata), has(0), "{mode:o}");
                assert_eq!(may(&user(another, group), right, &metadata), has(3), "{mode:o}");
                if owner != 0 {
                    assert_eq!(may(&user(owner, group), right, &metadata), has(6), "{mode:o}");
                }
                assert!(may(&user(0, other_group), right, &metadata), "root may everything");
            }
        }
    }
}
