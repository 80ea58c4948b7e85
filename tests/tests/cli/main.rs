//! The `lastgood` command as a person or a script meets it.

#![allow(clippy::disallowed_methods, reason = "tests prepare and damage feeds by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod cat;
mod damage;
mod directory;
mod gc;
mod history;
mod locks;
mod output;
mod publish;
mod recover;
mod refusal;
mod rollback;
mod serve;
mod status;
mod terminal;
mod verify;
