//! Failures into plain objects, which `lastgood.js` throws as `LastgoodError`.

use lastgood_protocol::failure::Failure;
use lastgood_protocol::name::InvalidName;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::options::InvalidOption;
use crate::reading::to_js;

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

#[derive(Serialize)]
struct Fields<'a> {
    code: &'static str,
    message: String,
    dataset: Option<&'a str>,
    url: Option<String>,
    status: Option<u16>,
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
        let fields = Fields {
            code: self.code(),
            message: self.to_string(),
            dataset: failure.and_then(|failure| failure.dataset.as_ref()).map(|dataset| dataset.as_str()),
            url: failure.and_then(|failure| failure.path.as_ref()).map(|path| [feed, path].concat()),
            status: failure.and_then(|failure| failure.status),
        };
        to_js(&fields)
    }
}
