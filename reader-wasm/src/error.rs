//! Failures into plain objects, which `lastgood.js` throws as `LastgoodError`.

use lastgood_protocol::failure::Failure;
use lastgood_protocol::name::InvalidName;
use wasm_bindgen::JsValue;

use crate::js::{self, nullable};
use crate::options::InvalidOption;

/// Why a call was refused or has no readings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Name(#[from] InvalidName),
    #[error("expected a dataset name, found {0}")]
    NotAName(String),
    #[error("{0}")]
    Option(#[from] InvalidOption),
    #[error("{0}")]
    Failure(#[from] Failure),
    #[error("the call was ended by its signal")]
    Aborted,
    #[error("the feed was closed: open it again to read on")]
    Closed,
    #[error("this environment cannot read feeds: {0}")]
    Platform(String),
}

impl Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Name(_) | Self::NotAName(_) => "invalid-name",
            Self::Option(_) => "invalid-options",
            Self::Failure(failure) => failure.code.as_str(),
            Self::Aborted => "aborted",
            Self::Closed => "closed",
            Self::Platform(_) => "wasm",
        }
    }

    /// The error as an object; `feed` is the address that paths are relative to.
    pub(crate) fn into_js(self, feed: &str) -> JsValue {
        let failure = if let Self::Failure(failure) = &self { Some(failure) } else { None };
        let dataset = failure.and_then(|failure| failure.dataset.as_ref());
        let path = failure.and_then(|failure| failure.path.as_ref());
        js::object(&[
            ("code", self.code().into()),
            ("message", self.to_string().into()),
            ("dataset", nullable(dataset.map(|dataset| dataset.as_str()))),
            ("url", nullable(path.map(|path| [feed, path].concat()))),
            ("status", nullable(failure.and_then(|failure| failure.status))),
        ])
    }
}
