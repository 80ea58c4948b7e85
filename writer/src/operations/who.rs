//! Who does what is done.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// The environment variable that names whoever an operation is done for, such as the run of a scheduler.
const VARIABLE: &str = "LASTGOOD_WHO";
const MAX_CHARS: usize = 200;

/// Who has done something to a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The value of the environment variable `LASTGOOD_WHO`, else the name of the user whose rights the process has.
    pub user: String,
    /// The host.
    pub host: String,
    /// The process on that host.
    pub pid: u32,
}

impl Who {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        // Asked for once: the answer may come from a directory service.
        static SAME_FOR_ALL: OnceLock<Who> = OnceLock::new();
        let this = SAME_FOR_ALL.get_or_init(|| Self {
            user: named().unwrap_or_else(user),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: 0,
        });
        // A process that was forked is another one.
        Self { pid: std::process::id(), ..this.clone() }
    }
}

fn named() -> Option<String> {
    let name: String = std::env::var(VARIABLE).ok()?.trim().chars().take(MAX_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(unix)]
fn user() -> String {
    // In a container, a process may have the rights of a number that is in no list of users.
    let number = || format!("uid {}", uzers::get_effective_uid());
    uzers::get_effective_username().map_or_else(number, |name| name.to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn user() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "unknown".to_owned())
}
