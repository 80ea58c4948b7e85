//! What is compared: each contestant is a function of `page/src/`, or a page of its own.

use crate::measure::Target;

/// The same work done in several ways. The first contestant is what the others are compared with.
pub(crate) struct Comparison {
    /// The name, here and in `page/src/bench.ts`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) contestants: &'static [Contestant],
    pub(crate) work: Work,
    /// What counts.
    pub(crate) figure: Figure,
    /// How many rounds there are when nothing else is said.
    pub(crate) rounds: usize,
}

/// One way to do the work.
pub(crate) struct Contestant {
    /// The name in the page, or the name of the page.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) target: Option<Target>,
}

/// How the work is done.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// By functions of one page that stays open; each sample is the mean of so many runs.
    Calls(usize),
    /// By opening a page, which says when it had its first value.
    Visit(Visitor),
}

/// What the browser has of a page that is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Nothing.
    New,
    /// All of it, from the visit before.
    Returning,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// From the call to the value.
    WallTime,
    /// Processor time of the page's main thread, where the browser tells it; else as [`Figure::WallTime`].
    MainThread,
}

const fn contestant(id: &'static str, title: &'static str) -> Contestant {
    Contestant { id, title, target: None }
}

const fn with_target(id: &'static str, title: &'static str, target: Target) -> Contestant {
    Contestant { id, title, target: Some(target) }
}

use Target::{AtLeast, AtMost, MegabytesPerSecond};

const READ_1M: &[Contestant] = &[
    contestant("fetch", "await (await fetch(u)).json()"),
    with_target("uncached", "lastgood, cache: none", AtMost(1.1)),
    with_target("cached", "lastgood", AtMost(1.1)),
    with_target("validated uncached", "lastgood, schema, cache: none", AtMost(1.25)),
    with_target("validated cached", "lastgood, schema", AtMost(1.25)),
    contestant("ajv", "digest + JSON.parse + ajv"),
    contestant("zod", "digest + JSON.parse + zod"),
];

const READ_10M: &[Contestant] = &[
    contestant("fetch", "await (await fetch(u)).json()"),
    with_target("uncached", "lastgood, cache: none", AtMost(1.1)),
    with_target("cached", "lastgood", AtMost(1.1)),
    with_target("validated uncached", "lastgood, schema, cache: none", AtMost(1.3)),
    with_target("validated cached", "lastgood, schema", AtMost(1.3)),
    contestant("ajv", "digest + JSON.parse + ajv"),
    contestant("zod", "digest + JSON.parse + zod"),
];

const REFRESH: &[Contestant] = &[
    contestant("watch", "lastgood: refresh of a watch"),
    contestant("read", "lastgood: read"),
    with_target("tanstack", "TanStack Query: refetch", AtLeast(10.0)),
    with_target("swr", "SWR: revalidate", AtLeast(10.0)),
];

const FIRST: &[Contestant] =
    &[contestant("first-script", "lock and localStorage by hand"), contestant("first-lastgood", "lastgood")];

pub(crate) const COMPARISONS: [Comparison; 8] = [
    Comparison {
        name: "read1m",
        title: "first read of 1 MB",
        contestants: READ_1M,
        work: Work::Calls(3),
        figure: Figure::WallTime,
        rounds: 40,
    },
    Comparison {
        name: "read10m",
        title: "first read of 10 MB",
        contestants: READ_10M,
        work: Work::Calls(1),
        figure: Figure::WallTime,
        rounds: 15,
    },
    Comparison {
        name: "refresh",
        title: "refresh of 1 MB that has not changed",
        contestants: REFRESH,
        // Many, so that the call itself, which costs the main thread a millisecond, does not count.
        work: Work::Calls(30),
        figure: Figure::MainThread,
        rounds: 20,
    },
    Comparison {
        name: "cache",
        title: "1 MB from the cache, without a network",
        contestants: &[
            contestant("parse", "JSON.parse(localStorage.getItem(k))"),
            contestant("lastgood", "lastgood: verified fallback"),
        ],
        work: Work::Calls(5),
        figure: Figure::WallTime,
        rounds: 40,
    },
    Comparison {
        name: "first-cold",
        title: "from navigation to the first value, first visit",
        contestants: FIRST,
        work: Work::Visit(Visitor::New),
        figure: Figure::WallTime,
        rounds: 30,
    },
    Comparison {
        name: "first-warm",
        title: "from navigation to the first value, later visit",
        contestants: FIRST,
        work: Work::Visit(Visitor::Returning),
        figure: Figure::WallTime,
        rounds: 30,
    },
    Comparison {
        name: "validate",
        title: "validation of 1 MB against its schema",
        contestants: &[
            contestant("parse and ajv", "JSON.parse + ajv"),
            contestant("parse", "JSON.parse alone"),
            contestant("ajv", "ajv of a parsed value"),
            with_target("lastgood", "lastgood's validator, which parses", MegabytesPerSecond(300.0)),
            contestant("jsonschema", "jsonschema in wasm, which parses"),
        ],
        work: Work::Calls(5),
        figure: Figure::WallTime,
        rounds: 40,
    },
    Comparison {
        name: "many",
        title: "200 datasets of 5 KB each on one page, first read",
        contestants: &[
            contestant("fetches", "200 fetches"),
            contestant("reads", "lastgood: 200 reads"),
            contestant("snapshot", "lastgood: one snapshot"),
        ],
        work: Work::Calls(1),
        figure: Figure::WallTime,
        rounds: 20,
    },
];
