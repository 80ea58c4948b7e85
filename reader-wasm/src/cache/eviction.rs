//! What is removed to make room.

use lastgood_protocol::cache::CacheHead;
use lastgood_protocol::digest::Sha256;

/// An entry that may be removed to make room.
pub(super) struct Candidate {
    pub(super) head_key: String,
    /// In Cache Storage, where payloads are kept by digest.
    pub(super) sha256: Option<Sha256>,
    /// Nothing when it is damaged or not there, so that the payload is of no use to anyone.
    pub(super) head: Option<CacheHead>,
}

/// The entries to remove, one after the other, until there is room for `needed` bytes.
///
/// Least recently used first; those of no use before all. There are no more of them than make twice the room: when that does not help,
/// others hold the space, and removing more would only lose what is cached.
pub(super) fn in_order(mut candidates: Vec<Candidate>, needed: u64) -> impl Iterator<Item = Candidate> {
    let mut freed = 0;
    core::iter::from_fn(move || {
        if freed / 2 >= needed {
            return None;
        }
        // There are few, and mostly one is enough.
        let used_at = |&at: &usize| candidates[at].head.as_ref().map(|head| head.used_at);
        let next = (0..candidates.len()).min_by_key(used_at)?;
        let candidate = candidates.swap_remove(next);
        freed += candidate.head.as_ref().map_or(0, |head| head.size);
        Some(candidate)
    })
}
