//! The latest manifest seen, of what storage and this page remember.

use lastgood_protocol::cache::FeedMemory;

/// The later of two memories of one feed address.
///
/// Of two different feeds, one has replaced the other, and generations do not tell which. What is stored was written by
/// the tab that looked last, so it is taken.
pub(crate) fn later(stored: Option<FeedMemory>, in_page: Option<FeedMemory>) -> Option<FeedMemory> {
    match (stored, in_page) {
        (Some(stored), Some(in_page)) => {
            let newer_here = in_page.feed == stored.feed && in_page.generation > stored.generation;
            Some(if newer_here { in_page } else { stored })
        }
        (stored, in_page) => stored.or(in_page),
    }
}

#[cfg(test)]
mod tests {
    use lastgood_protocol::cache::FeedMemory;
    use lastgood_protocol::id::{CommitId, FeedId};
    use lastgood_protocol::manifest::Generation;

    use super::later;

    fn memory(feed: u8, generation: u64) -> FeedMemory {
        FeedMemory {
            feed: FeedId::from_random([feed; 16]),
            generation: Generation::new(generation).unwrap(),
            commit: CommitId::from_random([0; 16]),
            clock_offset_ms: 0,
        }
    }

    #[test]
    fn of_one_feed_the_higher_generation_counts_wherever_it_is() {
        for (stored, in_page) in [(1, 2), (2, 1), (2, 2)] {
            let found = later(Some(memory(1, stored)), Some(memory(1, in_page)));
            assert_eq!(found, Some(memory(1, 2)));
        }
    }

    #[test]
    fn of_two_feeds_the_stored_one_counts() {
        assert_eq!(later(Some(memory(1, 1)), Some(memory(2, 9))), Some(memory(1, 1)));
    }

    #[test]
    fn either_alone_counts() {
        assert_eq!(later(None, Some(memory(1, 1))), Some(memory(1, 1)));
        assert_eq!(later(Some(memory(1, 1)), None), Some(memory(1, 1)));
        assert_eq!(later(None, None), None);
    }
}
