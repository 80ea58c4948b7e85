//! Publishes JSON datasets that a website reads straight from static hosting, and reads them.
//!
//! What a web server serves from a feed's directory is always complete, checksummed and consistent: datasets are replaced
//! atomically and durably, several of them in one generation. Whoever reads gets verified bytes, or the last good copy
//! together with its age and the reason why it is not fresh.
//!
//! # Publishing
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path().join("data");
//! use lastgood::protocol::name::DatasetName;
//! use lastgood::{Committed, Error, Feed, Item};
//!
//! // Opening does no I/O. The first publish makes the feed.
//! let feed = Feed::open(&dir);
//! let performance = DatasetName::parse("performance")?;
//! let transactions = DatasetName::parse("transactions")?;
//!
//! // Both, or neither. Inputs are streamed: any `Read` will do, of any size.
//! let published = feed.publish(vec![
//!     Item::new(performance.clone(), &br#"[{"day": 1, "value": 3.5}]"#[..]).meta(r#"{"run": "8841"}"#),
//!     Item::new(transactions, &b"[]"[..]),
//! ])?;
//! assert_eq!(published.generation.get(), 1);
//!
//! // How it ended is in the type: committed, not committed, or unknown.
//! match feed.publish(vec![Item::new(performance.clone(), &b"[NaN]"[..])]) {
//!     Ok(published) => println!("generation {} survives a power cut", published.generation),
//!     Err(error) if error.committed() == Committed::No => {
//!         // What was published stays published, to the byte.
//!         assert_eq!(error.code(), "nan");
//!         println!("{error}");
//!     }
//!     Err(Error::Unknown { generation, commit, .. }) => {
//!         // The medium did not answer. Nothing was deleted; `commit` is in the manifest if it took place.
//!         let took_place = feed.manifest()?.commit == commit;
//!         println!("generation {generation} is {}", if took_place { "visible" } else { "not there" });
//!     }
//!     Err(other) => return Err(other.into()),
//! }
//! assert_eq!(feed.manifest()?.generation, published.generation);
//! # Ok(())
//! # }
//! ```
//!
//! [`Settings`] say how: waiting for locks, compression, plain copies, expiry. [`Item`] is a builder for one dataset: its
//! [payload rules](Item::rules), its [`meta`](Item::meta), or that it is an [`artifact`](Item::artifact) and no JSON.
//! [`Feed::status`] looks without waiting, [`Feed::verify`] checks every file, [`Feed::recover`] puts a feed in order (each
//! publish does what is needed of that by itself), and [`Feed::operations`] says what was done to it and by whom.
//!
//! # Reading
//!
//! [`Feed::read`] and [`Feed::snapshot`] read once. A service that reads again and again has a [`Reader`], which keeps
//! what it has verified and hands out the last good copy when the feed is gone:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path().join("data");
//! # use lastgood::{Feed, Item};
//! # use lastgood::protocol::name::DatasetName;
//! # let [performance, transactions] = ["performance", "transactions"].map(|name| DatasetName::parse(name).unwrap());
//! # Feed::open(&dir).publish(vec![Item::new(performance.clone(), &b"1"[..]), Item::new(transactions.clone(), &b"2"[..])])?;
//! let reader = lastgood::Reader::open(&dir);
//! // Of one generation, whatever is published meanwhile.
//! let readings = reader.snapshot(&[performance, transactions])?;
//! assert_eq!(readings[0].generation, readings[1].generation);
//! for reading in &readings {
//!     if let Some(reason) = &reading.reason {
//!         println!("{} is {} ms old, because: {reason}", reading.dataset, reading.age_ms);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How it is made
//!
//! The data path reads from top to bottom in `publish.rs`; each other module is a step of it. Only [`storage`] changes
//! files; what holds on which platform is in `docs/design.md`. The command `lastgood` is made of this library alone.
//! Feature `cli` (default) builds it, feature `serve` is the static server; a library needs neither.

pub use lastgood_protocol as protocol;

mod clocks;
mod compress;
#[cfg(feature = "config")]
pub mod config;
pub mod convert;
mod derived;
mod error;
mod feed;
mod formats;
mod gc;
mod guards;
mod history;
mod hold;
mod lazy;
mod lock;
mod mark;
mod objects;
mod operations;
mod outline;
mod output;
mod parallel;
mod patterns;
mod prepare;
mod publish;
mod purge;
pub mod read;
mod recover;
mod rehearse;
mod repair;
mod restore;
mod retained;
mod rollback;
mod schema;
#[cfg(feature = "serve")]
pub mod serve;
mod status;
pub mod storage;
mod sync;
mod taking;
mod traces;
mod verify;
mod withdraw;

pub use compress::Compression;
pub use error::{Committed, Error};
pub use feed::{Feed, RollbackExpiry, Settings};
pub use gc::{Collection, Retention};
pub use guards::{BrokenGuard, Guard, Guards, InvalidShrink, Shrink};
pub use history::{Change, History, Logged, PastCommit, PastDataset};
pub use hold::Hold;
pub use mark::OldCopy;
pub use operations::{DatasetRecord, Operation, Outcome, Record, Who};
pub use outline::{Kinds, Outline};
pub use prepare::Item;
pub use publish::{Publication, PublishedDataset};
pub use purge::{NoPurge, Purge, Purged, Removal};
pub use read::Reader;
pub use recover::Recovery;
pub use rehearse::Rehearsed;
pub use repair::Repair;
pub use rollback::{NoRollback, Restored, Rollback};
pub use schema::{LISTED_VIOLATIONS, Schema, SchemaProblem};
pub use status::{ForeignMarker, LockStatus, Locks, Status};
pub use verify::{Problem, ProblemKind, Progress, Verification};
pub use withdraw::Withdrawal;
