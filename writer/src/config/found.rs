//! Whether a file that was found, and named by nobody, may be believed.
//!
//! Whoever writes a `lastgood.toml` decides where a command publishes and which file becomes a schema. So one that is
//! found at or above the working directory counts only when nobody else can have put it there: it, the directory that
//! it stands in and, for a link, what it leads to belong to the user, to root or, as in git, to the user who has called
//! `sudo`; and no others may write there. In a directory with the sticky bit, such as `/tmp`, the owner of a file alone
//! can replace it, so there it suffices that the file is the user's own. A file that is named is believed, whoever owns it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// The text of the file, or why it is not to be believed.
pub(super) enum Found {
    Text(String),
    Untrusted(String),
}

/// Reads the file at `path`; `None` when there is none, or when this user may not look for one there.
pub(super) fn read(path: &Path) -> io::Result<Option<Found>> {
    let link = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        // Looking at a name takes no right but to search the directories above it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::info!(file = %path.display(), "not looked for: this user may not search the directory");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if let Some(problem) = stranger(path, &link) {
        return Ok(Some(Found::Untrusted(problem)));
    }
    // A pipe is not waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file"));
    }
    let mut file = File::open(path)?;
    // Of what was opened, not of what was looked at.
    if let Some(problem) = stranger(path, &file.metadata()?) {
        return Ok(Some(Found::Untrusted(problem)));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Some(Found::Text(text)))
}

/// Who else can have put there what stands at `path`, if anybody.
#[cfg(unix)]
fn stranger(path: &Path, found: &Metadata) -> Option<String> {
    unix::stranger(path, found)
}

#[cfg(not(unix))]
fn stranger(_path: &Path, _found: &Metadata) -> Option<String> {
    None
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Metadata};
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    const STICKY: u32 = 0o1000;

    pub(super) fn stranger(path: &Path, found: &Metadata) -> Option<String> {
        if !trusted(found.uid()) {
            return Some(format!("it belongs to {}", user(found.uid())));
        }
        // The mode of a link says nothing.
        if let Some(others) = writers(found).filter(|_| !found.is_symlink()) {
            return Some(format!("{others} may write to it"));
        }
        let real = fs::canonicalize(path).ok();
        let above = [path.parent(), real.as_deref().and_then(Path::parent)];
        above.into_iter().flatten().find_map(|dir| {
            let found = fs::metadata(dir).ok()?;
            if !trusted(found.uid()) {
                return Some(format!("{}, where it stands, belongs to {}", dir.display(), user(found.uid())));
            }
            let others = writers(&found).filter(|_| found.mode() & STICKY == 0)?;
            Some(format!("{others} may write to {}, where it stands", dir.display()))
        })
    }

    /// Whether this user does what that one says, anyway.
    fn trusted(uid: u32) -> bool {
        let me = uzers::get_effective_uid();
        let caller = || std::env::var("SUDO_UID").ok()?.parse().ok();
        uid == me || uid == 0 || (me == 0 && caller() == Some(uid))
    }

    /// Who may write there beside the owner, by the mode. The mask of an access control list stands in it.
    fn writers(found: &Metadata) -> Option<String> {
        if found.mode() & 0o002 != 0 {
            return Some("every user".to_owned());
        }
        let group = found.gid();
        let shared = found.mode() & 0o020 != 0 && group != 0 && !of_this_user_alone(group);
        shared.then(|| match uzers::get_group_by_gid(group) {
            Some(group) => format!("the group {}", group.name().display()),
            None => format!("the group {group}"),
        })
    }

    /// Many systems give each user such a group, and let it write to all that the user makes.
    fn of_this_user_alone(gid: u32) -> bool {
        use uzers::os::unix::GroupExt;
        let name = uzers::get_effective_username();
        gid == uzers::get_effective_gid()
            && uzers::get_group_by_gid(gid)
                .is_none_or(|group| group.members().iter().all(|member| Some(member) == name.as_ref()))
    }

    fn user(uid: u32) -> String {
        match uzers::get_user_by_uid(uid) {
            Some(user) => user.name().to_string_lossy().into_owned(),
            None => format!("user {uid}"),
        }
    }
}
