//! What the times of two commits say of the clocks that they were made by.

use lastgood_protocol::manifest::Manifest;
use lastgood_protocol::time::Timestamp;

/// By how much a clock may differ from that of the publisher before without a word, in milliseconds.
const CLOCKS_DIFFER_MS: u64 = 60_000;

/// A warning when this commit is dated before the one that it follows: then one of the two clocks is wrong, and with it ages,
/// leases and expiry.
pub(crate) fn behind(before: &Manifest, now: Timestamp) -> Option<String> {
    let ms = before.published_at.ms_since(now);
    (ms > CLOCKS_DIFFER_MS).then(|| {
        format!(
            "this machine's clock says {now}, and the generation before was published at {}, which is {} s later: one of the two \
             clocks is wrong; set it right (timedatectl set-ntp true), then publish again what it has dated in the future",
            before.published_at,
            ms / 1000
        )
    })
}
