//! What a client may cost the server.

use std::time::Duration;

/// What a client may cost the server before its connection is closed.
///
/// The defaults are generous to whoever is slow and honest; tests and unusual sites may want others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may take to send the head of a request, and how long a connection may idle between two. 30 s.
    pub head: Duration,
    /// How many bytes the head of a request may have, at least 8192; one that has more is answered with 431. 64 KiB.
    pub head_bytes: usize,
    /// How long a client may take no byte of a response that it asked for. 60 s.
    pub stall: Duration,
    /// How many connections there may be, at least one. When another one comes, the one whose client has done nothing
    /// for longest is closed. As many as the process may have files open, two for each, and at most 1024.
    pub connections: usize,
    /// How long a client may do nothing before its connection can be closed for another. 1 s.
    pub grace: Duration,
    /// How long running responses may take to finish after the shutdown. 10 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            head_bytes: 64 * 1024,
            stall: Duration::from_secs(60),
            connections: connections(super::platform::max_open_files()),
            grace: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}

/// A connection takes a descriptor, and another one for the file that it sends; the rest of the process needs some too.
fn connections(max_open_files: Option<u64>) -> usize {
    const MOST: usize = 1024;
    const RESERVED: u64 = 64;
    let pairs = max_open_files.map_or(MOST as u64, |files| files.saturating_sub(RESERVED) / 2);
    usize::try_from(pairs).unwrap_or(MOST).clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn connections_never_use_up_the_descriptors() {
        for (files, expected) in [(0, 1), (64, 1), (256, 96), (1024, 480), (4096, 1024), (u64::MAX, 1024)] {
            assert_eq!(connections(Some(files)), expected, "{files}");
        }
        assert_eq!(connections(None), 1024);
    }
}
