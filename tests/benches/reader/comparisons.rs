//! What is compared: each contestant is a function of `page/src/`, or a page of its own.

use crate::measure::Target;
use crate::server::Route;

/// The same work done in several ways. The first contestant is what the others are compared with, unless they say otherwise.
pub(crate) struct Comparison {
    /// The name, here and in `page/src/bench.ts`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) contestants: &'static [Contestant],
    pub(crate) work: Work,
    /// How the pages reach their server.
    pub(crate) route: Route,
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
    /// Another contestant than the first that it is compared with.
    pub(crate) against: Option<&'static str>,
    pub(crate) target: Option<Target>,
    /// Whether the plain copies have compressed siblings, as they have unless somebody turns them off.
    pub(crate) compressed: bool,
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
    Contestant { id, title, against: None, target: None, compressed: true }
}

const fn with_target(id: &'static str, title: &'static str, target: Target) -> Contestant {
    Contestant { target: Some(target), ..contestant(id, title) }
}

const fn against(base: &'static str, id: &'static str, title: &'static str, target: Target) -> Contestant {
    Contestant { against: Some(base), ..with_target(id, title, target) }
}

use Target::{AtLeast, AtMost, MegabytesPerSecond};

const FETCH: Contestant = contestant("fetch", "await (await fetch(u)).json()");
const AJV: Contestant = contestant("ajv", "digest + JSON.parse + ajv");
const ZOD: Contestant = contestant("zod", "digest + JSON.parse + zod");
/// The floor: what cannot be saved with these requests.
const BY_HAND: Contestant = contestant("by hand", "lock, manifest, payload by hand");
const BY_HAND_VALIDATED: Contestant = contestant("by hand validated", "the same with schema and ajv");

/// In Chromium, Firefox and WebKitGTK.
const VALIDATED: Target = AtMost([1.25, 1.3, 1.3]);

const READ_1M: &[Contestant] = &[
    FETCH,
    BY_HAND,
    BY_HAND_VALIDATED,
    against("by hand", "uncached", "lastgood, cache: none", AtMost([1.06, 1.1, 1.1])),
    against("by hand", "cached", "lastgood", AtMost([1.12, 1.15, 1.15])),
    against("by hand validated", "validated uncached", "lastgood, schema, cache: none", VALIDATED),
    against("by hand validated", "validated cached", "lastgood, schema", VALIDATED),
    AJV,
    ZOD,
];

const THREAD_1M: &[Contestant] = &[
    FETCH,
    BY_HAND,
    contestant("uncached", "lastgood, cache: none"),
    contestant("cached", "lastgood"),
    contestant("validated uncached", "lastgood, schema, cache: none"),
];

const READ_10M: &[Contestant] = &[
    FETCH,
    BY_HAND,
    BY_HAND_VALIDATED,
    against("by hand", "uncached", "lastgood, cache: none", AtMost([1.1; 3])),
    against("by hand", "cached", "lastgood", AtMost([1.1; 3])),
    against("by hand validated", "validated uncached", "lastgood, schema, cache: none", VALIDATED),
    against("by hand validated", "validated cached", "lastgood, schema", VALIDATED),
    AJV,
    ZOD,
];

const LINE_1M: &[Contestant] = &[
    FETCH,
    BY_HAND,
    BY_HAND_VALIDATED,
    with_target("uncached", "lastgood, cache: none", AtMost([1.05; 3])),
    with_target("cached", "lastgood", AtMost([1.05; 3])),
    with_target("validated uncached", "lastgood, schema, cache: none", AtMost([1.1; 3])),
    with_target("validated cached", "lastgood, schema", AtMost([1.1; 3])),
];

const REFRESH: &[Contestant] = &[
    contestant("watch", "lastgood: refresh of a watch"),
    contestant("read", "lastgood: read"),
    with_target("tanstack", "TanStack Query: refetch", AtLeast([10.0, 8.0, 8.0])),
    with_target("swr", "SWR: revalidate", AtLeast([10.0, 8.0, 8.0])),
];

const SCRIPT: Contestant = contestant("first-script", "lock and localStorage by hand");
const FIRST: &[Contestant] = &[SCRIPT, contestant("first-lastgood", "lastgood")];
/// What a visit costs where servers have no compressed form of what the reader guesses.
const UNCOMPRESSED: Contestant =
    Contestant { compressed: false, ..contestant("first-lastgood", "lastgood, plain copies not compressed") };
const FIRST_COLD_LINE: &[Contestant] =
    &[SCRIPT, with_target("first-lastgood", "lastgood", AtMost([1.25, 1.25, 1.4])), UNCOMPRESSED];
const FIRST_WARM_LINE: &[Contestant] =
    &[SCRIPT, with_target("first-lastgood", "lastgood", AtMost([1.1, 1.1, 1.3])), UNCOMPRESSED];

pub(crate) const COMPARISONS: [Comparison; 12] = [
    Comparison {
        name: "read1m",
        title: "first read of 1 MB",
        contestants: READ_1M,
        work: Work::Calls(3),
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 40,
    },
    Comparison {
        name: "thread1m",
        title: "first read of 1 MB",
        contestants: THREAD_1M,
        // Many, so that the call itself, which costs the main thread a millisecond, does not count.
        work: Work::Calls(10),
        route: Route::Loopback,
        figure: Figure::MainThread,
        rounds: 15,
    },
    Comparison {
        name: "read10m",
        title: "first read of 10 MB",
        contestants: READ_10M,
        work: Work::Calls(1),
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 15,
    },
    Comparison {
        name: "line1m",
        title: "first read of 1 MB over 40 ms and 20 Mbit/s",
        contestants: LINE_1M,
        work: Work::Calls(1),
        route: Route::Line,
        figure: Figure::WallTime,
        rounds: 15,
    },
    Comparison {
        name: "refresh",
        title: "refresh of 1 MB that has not changed",
        contestants: REFRESH,
        // Many, so that the call itself, which costs the main thread a millisecond, does not count.
        work: Work::Calls(30),
        route: Route::Loopback,
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
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 40,
    },
    Comparison {
        name: "first-cold",
        title: "from navigation to the first value, first visit",
        contestants: FIRST,
        work: Work::Visit(Visitor::New),
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 30,
    },
    Comparison {
        name: "first-warm",
        title: "from navigation to the first value, later visit",
        contestants: FIRST,
        work: Work::Visit(Visitor::Returning),
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 30,
    },
    Comparison {
        name: "line-cold",
        title: "first visit over 40 ms and 20 Mbit/s, from navigation to the first value",
        contestants: FIRST_COLD_LINE,
        work: Work::Visit(Visitor::New),
        route: Route::Line,
        figure: Figure::WallTime,
        rounds: 15,
    },
    Comparison {
        name: "line-warm",
        title: "later visit over 40 ms and 20 Mbit/s, from navigation to the first value",
        contestants: FIRST_WARM_LINE,
        work: Work::Visit(Visitor::Returning),
        route: Route::Line,
        figure: Figure::WallTime,
        rounds: 15,
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
        route: Route::Loopback,
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
        route: Route::Loopback,
        figure: Figure::WallTime,
        rounds: 20,
    },
];
