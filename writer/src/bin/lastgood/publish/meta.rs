//! The options for meta.

use std::collections::BTreeMap;

use clap::Args;
use lastgood::protocol::manifest::Meta;
use lastgood::protocol::name::DatasetName;
use serde_json::{Map, Value};

use super::scope::{Datasets, PerDataset, Scoped, scoped};
use crate::exit::Failure;

/// The publisher's own JSON about the datasets of a call.
#[derive(Debug, Args)]
#[command(next_help_heading = "Meta")]
pub(crate) struct MetaOptions {
    /// Attach a text to every dataset of this call, such as --meta model=ets-2.1, or to one, such as --meta
    /// forecast=model=ets-2.1; may be repeated
    #[arg(long, value_name = "[NAME=]KEY=VALUE", value_parser = pair, conflicts_with = "meta_json")]
    meta: Vec<String>,
    /// Attach any JSON of at most 4 KiB to every dataset of this call, or to one
    #[arg(long, value_name = "[NAME=]JSON", value_parser = scoped(meta_json))]
    meta_json: Vec<Scoped<String>>,
}

/// The meta of a call, by dataset.
pub(crate) struct GivenMeta {
    /// For all datasets, and for those that have their own, which come on top.
    all: BTreeMap<String, String>,
    own: BTreeMap<DatasetName, BTreeMap<String, String>>,
    json: PerDataset<String>,
}

impl MetaOptions {
    /// Whom each is for.
    pub(crate) fn of(&self, datasets: Datasets<'_>) -> Result<GivenMeta, Failure> {
        let mut all = BTreeMap::new();
        let mut own: BTreeMap<DatasetName, BTreeMap<String, String>> = BTreeMap::new();
        for text in &self.meta {
            let (dataset, text) = datasets.split(text, |text| split(text).is_some());
            let (key, value) = split(text).expect("it was parsed");
            let members = match dataset {
                Some(dataset) => own.entry(dataset.clone()).or_default(),
                None => &mut all,
            };
            if members.insert(key.to_owned(), value.to_owned()).is_some() {
                let of = dataset.map(|dataset| format!("{dataset}=")).unwrap_or_default();
                return Err(Failure::Usage(format!("--meta {of}{key}=… is given more than once")));
            }
        }
        Ok(GivenMeta { all, own, json: datasets.single("--meta-json", &self.meta_json)? })
    }
}

impl GivenMeta {
    /// The JSON, on top of the members that the configuration has; `None` when there is none at all. `--meta-json` takes
    /// their place, as it need not be an object.
    pub(crate) fn over(
        &self,
        dataset: &DatasetName,
        configured: &Map<String, Value>,
    ) -> Result<Option<String>, Failure> {
        if let Some(json) = self.json.of(dataset) {
            return Ok(Some(json.clone()));
        }
        let mut members = configured.clone();
        let given = self.all.iter().chain(self.own.get(dataset).into_iter().flatten());
        members.extend(given.map(|(key, value)| (key.clone(), value.as_str().into())));
        if members.is_empty() {
            return Ok(None);
        }
        let json = Value::Object(members).to_string();
        meta_json(&json).map(Some).map_err(|problem| Failure::Usage(format!("--meta: {problem}")))
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once('=').filter(|(key, _)| !key.is_empty())
}

fn pair(text: &str) -> Result<String, String> {
    match split(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected KEY=VALUE, such as model=ets-2.1; for other JSON there is --meta-json".to_owned()),
    }
}

fn meta_json(text: &str) -> Result<String, String> {
    Meta::parse(text).map(|meta| meta.as_str().to_owned()).map_err(|error| error.to_string())
}
