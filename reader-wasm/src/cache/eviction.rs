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
    candidates.sort_by_key(|candidate| candidate.head.as_ref().map(|head| head.used_at));
    let mut freed = 0;
    candidates.into_iter().take_while(move |candidate| {
        let goes_on = freed / 2 < needed;
        freed += candidate.head.as_ref().map_or(0, |head| head.size);
        goes_on
    })
}
