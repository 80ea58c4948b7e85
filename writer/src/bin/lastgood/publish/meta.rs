//! The options for meta.

use std::collections::BTreeMap;

use clap::Args;
use lastgood::protocol::manifest::Meta;

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
    /// The JSON; `None` when none was given.
    pub(crate) fn json(&self) -> Result<Option<String>, Failure> {
        if self.meta.is_empty() {
            return Ok(self.meta_json.clone());
        }
        let mut members = BTreeMap::new();
        for (key, value) in &self.meta {
            if members.insert(key, value).is_some() {
                return Err(Failure::Usage(format!("--meta {key}=… is given more than once")));
            }
        }
        let json = serde_json::to_string(&members).expect("texts are JSON");
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
