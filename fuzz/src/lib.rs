//! What is fuzzed: everything that takes bytes of others.
//!
//! A target is a function that takes any bytes and panics when a property does not hold. `cargo xtask fuzz` has libFuzzer look
//! for bytes that make it do so; the committed corpora (`corpus/`) are replayed by ordinary tests.
//!
//! | target | what it is given | what must hold |
//! | --- | --- | --- |
//! | `manifest`, `marker`, `cache`, `log` | a document | what is decoded is encoded and decoded to the same |
//! | `json` | a text | what `serde_json` takes is taken, with the same values |
//! | `payload` | rules, cuts, a payload | cuts change nothing; a second opinion agrees; refusals are inside the input |
//! | `csv`, `jsonl` | options, an input | what comes out obeys the payload rules; refusals are on a line of the input |
//! | `schema` | a schema and an instance | going through the text and through a tree gives the same answer |
//! | `names` | a text | what is taken for a name or a path stays inside the feed |
//! | `config` | a `lastgood.toml` | it is read, or refused at a place inside it |
//! | `read` | decisions of a hostile server | what is handed out is verified, whole and never older |
//! | `reader` | answers over HTTP and entries of localStorage | the same, with what the package makes of them |
//! | `http` | what a client sends to `serve` | only what is public is answered |

extern crate alloc;

pub mod agree;
mod drive;
mod input;
mod targets;
mod visit;

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Something to fuzz.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its corpus.
    pub name: &'static str,
    /// Takes any bytes.
    run: fn(&[u8]),
    /// How many bytes of memory each byte of an input may take at a time, beside [`MEMORY`].
    factor: usize,
}

/// What any input may take, in bytes: buffers, runtimes, what is made once.
const MEMORY: usize = 4 << 20;

impl Target {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self { name: "schema", run: targets::schema::run, factor: 512 },
        Self { name: "payload", run: targets::payload::run, factor: 256 },
        Self { name: "csv", run: targets::convert::csv, factor: 256 },
        Self { name: "jsonl", run: targets::convert::jsonl, factor: 256 },
        Self { name: "read", run: targets::read::run, factor: 1024 },
        Self { name: "reader", run: targets::reader::run, factor: 512 },
        Self { name: "http", run: targets::http::run, factor: 512 },
        Self { name: "manifest", run: targets::manifest::run, factor: 256 },
        Self { name: "marker", run: targets::documents::marker, factor: 256 },
        Self { name: "cache", run: targets::documents::cache, factor: 256 },
        Self { name: "log", run: targets::documents::log, factor: 256 },
        Self { name: "json", run: targets::json::run, factor: 256 },
        Self { name: "config", run: targets::config::run, factor: 1024 },
        Self { name: "names", run: targets::names::run, factor: 256 },
    ];

    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name == name)
    }

    /// Gives it an input.
    ///
    /// # Panics
    /// When a property does not hold: a defect was found.
    pub fn run(&self, input: &[u8]) {
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        (self.run)(input);
        let used = ALLOCATOR.peak_usage().saturating_sub(before);
        let allowed = MEMORY + self.factor * input.len();
        assert!(used <= allowed, "{} bytes of input took {used} bytes of memory, more than {allowed}", input.len());
    }
}
