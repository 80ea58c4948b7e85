//! Calls that fail for a moment.
//!
//! Only calls that did nothing when they failed, or that can be done twice, come here: opening, renaming, removing,
//! looking. A write that may have been done in part is never repeated, and neither is a sync: after one that failed the
//! page cache may hold for clean what the medium does not have.

use std::time::Duration;
use std::{io, thread};

use super::platform::is_transient;

/// 1 + 2 + 4 + … + 256 ms: about half a second in all.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const RETRIES: u32 = 9;

/// Does `action`, again when it fails for what may be over in a moment. What lasts longer is the error.
pub(super) fn retry<T>(action: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    retry_pausing(action, thread::sleep)
}

fn retry_pausing<T>(mut action: impl FnMut() -> io::Result<T>, mut pause: impl FnMut(Duration)) -> io::Result<T> {
    for attempt in 0..RETRIES {
        match action() {
            Err(error) if is_transient(&error) => pause(FIRST_PAUSE * 2_u32.pow(attempt)),
            result => return result,
        }
    }
    action()
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// Fails `failures` times, then succeeds with the number of the attempt. Returns that and the pauses.
    fn tried(failures: usize, error: impl Fn() -> io::Error) -> (io::Result<usize>, Vec<Duration>) {
        let (mut attempts, mut pauses) = (0, Vec::new());
        let action = || {
            attempts += 1;
            if attempts > failures { Ok(attempts) } else { Err(error()) }
        };
        (retry_pausing(action, |pause| pauses.push(pause)), pauses)
    }

    #[cfg(unix)]
    const TRANSIENT: [i32; 3] = {
        use rustix::io::Errno;
        [Errno::INTR.raw_os_error(), Errno::BUSY.raw_os_error(), Errno::AGAIN.raw_os_error()]
    };
    #[cfg(not(unix))]
    const TRANSIENT: [i32; 3] = [5, 32, 33];

    #[test]
    fn what_is_over_in_a_moment_is_tried_again() {
        for code in TRANSIENT {
            for failures in 0..=RETRIES as usize {
                let (result, pauses) = tried(failures, || io::Error::from_raw_os_error(code));
                assert_eq!((result.unwrap(), pauses.len()), (failures + 1, failures));
                assert!(pauses.is_sorted());
            }
        }
    }

    #[test]
    fn what_lasts_is_the_error_after_less_than_a_second() {
        for code in TRANSIENT {
            let (result, pauses) = tried(RETRIES as usize + 1, || io::Error::from_raw_os_error(code));
            assert_eq!(result.unwrap_err().raw_os_error(), Some(code));
            let total: Duration = pauses.iter().sum();
            assert!(total > Duration::from_millis(200) && total < Duration::from_secs(1), "{total:?}");
        }
    }

    #[test]
    fn everything_else_is_the_error_at_once() {
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::StorageFull,
            ErrorKind::CrossesDevices,
            ErrorKind::ExecutableFileBusy,
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::TimedOut,
            ErrorKind::Other,
        ] {
            let (result, pauses) = tried(1, || kind.into());
            assert_eq!((result.unwrap_err().kind(), pauses), (kind, Vec::new()));
        }
    }
}
