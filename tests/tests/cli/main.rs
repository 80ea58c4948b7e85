//! The `lastgood` command as a person or a script meets it.

#![allow(clippy::disallowed_methods, reason = "tests prepare and damage feeds by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod adopt;
mod artifacts;
mod cat;
mod completions;
mod config;
mod convert;
mod damage;
mod diff;
mod directory;
mod doctor;
mod dry_run;
mod expiry;
mod foreign;
mod gc;
mod guards;
mod history;
mod init;
mod input;
mod lock;
mod locks;
mod metrics;
mod names;
mod operations;
mod output;
mod publish;
mod purge;
mod recover;
mod refusal;
mod remedies;
mod remote;
mod remove;
mod rollback;
mod schemas;
mod serve;
mod several;
mod status;
mod terminal;
mod types;
mod values;
mod verify;
