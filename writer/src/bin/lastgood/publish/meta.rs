//! The options for meta.

use clap::Args;
use lastgood::protocol::manifest::Meta;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// The publisher's own JSON about the datasets of a call.
#[derive(Debug, Args)]
#[command(next_help_heading = "Meta")]
pub(crate) struct MetaOptions {
    /// Attach a text to every dataset of this call, such as --meta model=ets-2.1; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, conflicts_with = "meta_json")]
    meta: Vec<(String, String)>,
    /// Attach any JSON of at most 4 KiB to every dataset of this call
    #[arg(long, value_name = "JSON", value_parser = meta_json)]
    meta_json: Option<String>,
}

impl MetaOptions {
    /// The JSON, on top of the members that the configuration has; `None` when there is none at all. `--meta-json` takes
    /// their place, as it need not be an object.
    pub(crate) fn over(&self, configured: &Map<String, Value>) -> Result<Option<String>, Failure> {
        if let Some(json) = &self.meta_json {
            return Ok(Some(json.clone()));
        }
        let mut members = configured.clone();
        for (at, (key, value)) in self.meta.iter().enumerate() {
            if self.meta[..at].iter().any(|(earlier, _)| earlier == key) {
                return Err(Failure::Usage(format!("--meta {key}=… is given more than once")));
            }
            members.insert(key.clone(), value.as_str().into());
        }
        if members.is_empty() {
            return Ok(None);
        }
        let json = Value::Object(members).to_string();
        meta_json(&json).map(Some).map_err(|problem| Failure::Usage(format!("--meta: {problem}")))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as model=ets-2.1; for other JSON there is --meta-json".to_owned()),
    }
}

fn meta_json(text: &str) -> Result<String, String> {
    Meta::parse(text).map(|meta| meta.as_str().to_owned()).map_err(|error| error.to_string())
}
