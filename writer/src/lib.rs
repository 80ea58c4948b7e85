//! Publishes JSON datasets that a website reads straight from static hosting.
//!
//! [`Feed::publish`] replaces datasets atomically and durably, several in one generation; [`Feed::read`] reads them
//! verified. What a web server serves from the feed's directory is always complete, checksummed and consistent.
//!
//! The data path reads from top to bottom in `publish.rs`; each other module is a step of it. Only
//! [`storage`] changes files.

pub use lastgood_protocol as protocol;

mod compress;
#[cfg(feature = "config")]
pub mod config;
pub mod convert;
mod derived;
mod error;
mod feed;
mod guards;
mod hold;
mod lock;
mod objects;
mod output;
mod prepare;
mod publish;
pub mod read;
mod recover;
#[cfg(feature = "serve")]
pub mod serve;
mod status;
pub mod storage;
mod verify;

pub use compress::Compression;
pub use error::{Committed, Error};
pub use feed::{Feed, Settings};
pub use guards::{BrokenGuard, Guard, Guards, InvalidShrink, Shrink};
pub use hold::Hold;
pub use prepare::Item;
pub use publish::{Publication, PublishedDataset};
pub use recover::Recovery;
pub use status::{ForeignMarker, LockStatus, Locks, Status};
pub use verify::{Problem, ProblemKind, Verification};
