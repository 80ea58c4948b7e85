//! Publishes JSON datasets to static hosting: the native library of lastgood.

pub mod storage;
