//! Which entries go first when space is short.

use std::iter;

use lastgood_protocol::cache::CacheHead;

/// An entry that may be removed to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The key of its head.
    pub(crate) head_key: String,
    /// What its head says; `None` when it is damaged or not there, so that the payload is of no use to anyone.
    pub(crate) head: Option<CacheHead>,
}

/// The entries to remove, one after the other, until there is room for `needed` bytes.
///
/// Least recently used first; those of no use before all. There are no more of them than make twice the room: when that
/// does not help, others hold the space, and removing more would only lose what is cached.
pub(crate) fn in_order(mut candidates: Vec<Candidate>, needed: u64) -> impl Iterator<Item = Candidate> {
    let used_at = |candidate: &Candidate| candidate.head.as_ref().map(|head| head.used_at);
    let mut freed = 0u64;
    iter::from_fn(move || {
        if freed / 2 >= needed {
            return None;
        }
        // Searching for each is as good as sorting: it is seldom that more than one has to go.
        let (next, _) = candidates.iter().enumerate().min_by_key(|(_, candidate)| used_at(candidate))?;
        let next = candidates.swap_remove(next);
        freed = freed.saturating_add(next.head.as_ref().map_or(0, |head| head.size));
        Some(next)
    })
}

#[cfg(test)]
mod tests {
    use lastgood_protocol::cache::CacheHead;
    use lastgood_protocol::digest::Sha256;
    use lastgood_protocol::id::FeedId;
    use lastgood_protocol::manifest::Generation;
    use lastgood_protocol::name::Ext;
    use lastgood_protocol::time::Timestamp;

    use super::{Candidate, in_order};

    fn candidate(key: &str, used_at: i64, size: u64) -> Candidate {
        let head = CacheHead {
            feed: FeedId::from_random([0; 16]),
            sha256: Sha256::of(b""),
            size,
            changed: Generation::FIRST,
            confirmed: Generation::FIRST,
            published_at: Timestamp::from_ms(0),
            checked_at: Timestamp::from_ms(0),
            used_at: Timestamp::from_ms(used_at),
            meta: None,
            ext: Ext::json(),
            schema: None,
            validated: false,
        };
        Candidate { head_key: key.to_owned(), head: Some(head) }
    }

    fn order(candidates: Vec<Candidate>, needed: u64) -> String {
        in_order(candidates, needed).map(|candidate| candidate.head_key).collect()
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let candidates = vec![candidate("c", 30, 1), candidate("a", 10, 1), candidate("b", 20, 1)];
        assert_eq!(order(candidates, 100), "abc");
    }

    #[test]
    fn what_is_of_no_use_goes_before_all() {
        let damaged = Candidate { head_key: "x".to_owned(), head: None };
        assert_eq!(order(vec![candidate("a", -1, 1), damaged], 100), "xa");
    }

    #[test]
    fn no_more_go_than_make_twice_the_room() {
        let candidates = || (0..10).map(|i| candidate(&i.to_string(), i, 10)).collect::<Vec<_>>();
        assert_eq!(order(candidates(), 10), "01");
        assert_eq!(order(candidates(), 15), "012");
        assert_eq!(order(candidates(), 1000), "0123456789");
        assert_eq!(order(candidates(), 0), "");
    }

    #[test]
    fn an_entry_as_large_as_any_number_does_not_overflow() {
        let candidates = vec![candidate("a", 1, u64::MAX), candidate("b", 2, u64::MAX)];
        assert_eq!(order(candidates, 10), "a");
    }
}
