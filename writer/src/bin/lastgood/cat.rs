//! `lastgood cat`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use lastgood::config::value;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::Code;
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::payload::Rules;
use lastgood::{Error, Feed};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::remote::{HttpOrigin, RemoteOptions};
use crate::{Session, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood cat performance | jq length
  lastgood cat performance --generation 41 > before.json
  lastgood cat performance --json      (the payload as `data`, beside its generation and checksum)
  lastgood cat performance --url https://example.org/data/      (as it is served, verified)
  lastgood cat chart > chart.png       (an artifact; with --json it is `data_base64`, beside its `ext`)";

/// Print the payload of a dataset, verified, and nothing else
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cat {
    /// The dataset
    name: DatasetName,
    /// As it was in this generation, which must be retained [default: the current one]
    #[arg(long, value_name = "N")]
    generation: Option<Generation>,
    #[command(flatten)]
    remote: RemoteOptions,
    /// The largest payload that is fetched [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = value::size, requires = "url", help_heading = "At an address")]
    max_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    dataset: &'a str,
    generation: u64,
    size: usize,
    sha256: String,
    #[serde(flatten)]
    data: Data<'a>,
}

/// The payload: as it stands, or what JSON can hold of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Json { data: &'a RawValue },
    Artifact { ext: &'a str, data_base64: String },
}

/// A payload, as it was found.
struct Found {
    payload: Vec<u8>,
    generation: Generation,
    ext: Ext,
}

impl Cat {
    /// Whether it reads at an address, and no directory.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.url.is_some()
    }

    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let found = match self.remote.origin() {
            Some(origin) => self.fetch(origin.at(self.generation))?,
            None => {
                let feed = session.feed();
                self.read(&feed).map_err(|error| self.explained(&feed, error))?
            }
        };
        let printed = if session.output.json { self.document(&found)? } else { found.payload };
        session.output.answer_bytes(&printed)?;
        Ok(Exit::Done)
    }

    fn read(&self, feed: &Feed) -> Result<Found, Error> {
        Ok(match self.generation {
            None => {
                let reading = feed.read(&self.name)?;
                Found { payload: reading.value, generation: reading.generation, ext: reading.head.ext }
            }
            Some(generation) => {
                let (payload, entry) = feed.read_retained(&self.name, generation)?;
                Found { payload, generation, ext: entry.ext }
            }
        })
    }

    fn fetch(&self, mut origin: HttpOrigin) -> Result<Found, Failure> {
        let max_bytes = self.max_bytes.unwrap_or(Rules::default().max_bytes);
        match origin.read(&self.name, max_bytes) {
            Ok(reading) => Ok(Found { payload: reading.value, generation: reading.generation, ext: reading.head.ext }),
            Err(failure) if failure.code == Code::NotFound && self.generation.is_none() => {
                Err(unknown::not_published(&self.name, &origin.published().map_err(Failure::Remote)?))
            }
            Err(failure) => Err(Failure::Remote(failure)),
        }
    }

    /// One line; the payload stands in it as it was published.
    fn document(&self, Found { payload, generation, ext }: &Found) -> Result<Vec<u8>, Failure> {
        let not_json = |problem: String| {
            let failure = lastgood::protocol::failure::Failure::new(Code::NotJson, problem);
            Failure::Feed(failure.of(&self.name).into())
        };
        let data = if ext.is_json() {
            let text = std::str::from_utf8(payload).map_err(|error| not_json(error.to_string()))?;
            Data::Json { data: serde_json::from_str(text).map_err(|error| not_json(error.to_string()))? }
        } else {
            Data::Artifact { ext: ext.as_str(), data_base64: BASE64.encode(payload) }
        };
        let document = Document {
            dataset: self.name.as_str(),
            generation: generation.get(),
            size: payload.len(),
            sha256: Sha256::of(payload).to_string(),
            data,
        };
        let mut line = serde_json::to_vec(&document).expect("a document has only string keys");
        line.push(b'\n');
        Ok(line)
    }

    /// A name that the feed does not have may be mistyped.
    fn explained(&self, feed: &Feed, error: Error) -> Failure {
        match (&error, feed.manifest()) {
            (Error::Read(failure), Ok(manifest))
                if failure.code == Code::NotFound && !manifest.datasets.contains_key(&self.name) =>
            {
                unknown::not_published(&self.name, &manifest)
            }
            _ => error.into(),
        }
    }
}
