//! The targets.

pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod documents;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod manifest;
pub(crate) mod names;
pub(crate) mod payload;
pub(crate) mod read;
pub(crate) mod reader;
pub(crate) mod schema;
