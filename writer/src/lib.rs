//! Publishes JSON datasets to static hosting: the native library of lastgood.

#[cfg(feature = "serve")]
pub mod serve;
