//! What an app may want to log of storage; `FeedEvent` in `npm/src/types.ts` has the rest.

use serde::Serialize;

/// Something that happened to a copy.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A copy is kept from now on.
    Cached {
        dataset: &'a str,
        #[serde(rename = "in")]
        place: &'a str,
    },
    CacheUnavailable {
        detail: &'a str,
    },
    CacheEvicted {
        dataset: &'a str,
    },
    CacheFull {
        dataset: &'a str,
        detail: &'a str,
    },
    CacheCorrupt {
        dataset: &'a str,
        detail: &'a str,
    },
}
