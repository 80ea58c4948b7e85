//! Files that were there before lastgood, kept as they were.

use std::io;
use std::path::Path;

use super::super::error::Context;
use super::sync::{SyncJob, sync_in_parallel};
use super::sys::{self, Handle, Open, System};

/// The directory of these files, in the private directory.
pub(super) const DIR: &str = "kept";

/// Keeps the file at `path` in `dir`, under its name or, where that is taken, with a number after it.
pub(super) fn keep(system: &impl System, path: &Path, dir: &Path, mode: u32) -> io::Result<Option<String>> {
    let Some(mut file) = sys::open_regular(system, path).context("open", path)? else { return Ok(None) };
    sys::make_dir(system, dir, mode).context("create", dir)?;
    sys::refuse_link(system, dir).context("use", dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for number in 0_u32.. {
        let kept = dir.join(if number == 0 { name.to_string() } else { format!("{name}.{number}") });
        // Copied, not linked: whatever still writes to the file in place would write to the copy as well.
        let mut copy = match sys::open(system, &kept, Open::New { mode: 0o600 }) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened.context("create", &kept)?,
        };
        let copied = io::copy(&mut file, &mut copy).and_then(|_| copy.sync());
        if copied.is_err() {
            // What cannot be removed now is half a copy beside the whole file.
            let _ = sys::remove_file(system, &kept);
        }
        copied.context("write", &kept)?;
        let parent = dir.parent().unwrap_or(dir);
        sync_in_parallel(system, vec![SyncJob::Dir(dir.to_owned()), SyncJob::Dir(parent.to_owned())])?;
        return Ok(Some(kept.display().to_string()));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
