//! `lastgood cat`

use std::io::ErrorKind;

use clap::Args;
use lastgood::Feed;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::Code;
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::DatasetName;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::{Session, output};

const EXAMPLES: &str = "\
Examples:
  lastgood cat performance | jq length
  lastgood cat performance --generation 41 > before.json
  lastgood cat performance --json      (the payload as `data`, beside its generation and checksum)";

/// Print the payload of a dataset, verified, and nothing else
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cat {
    /// The dataset
    name: DatasetName,
    /// As it was in this generation, which must be retained [default: the current one]
    #[arg(long, value_name = "N")]
    generation: Option<Generation>,
}

#[derive(Serialize)]
struct Document<'a> {
    dataset: &'a str,
    generation: u64,
    size: usize,
    sha256: String,
    data: &'a RawValue,
}

impl Cat {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let feed = session.feed();
        let read = match self.generation {
            None => feed.read(&self.name).map(|reading| (reading.value, reading.generation)),
            Some(generation) => feed.read_generation(&self.name, generation).map(|payload| (payload, generation)),
        };
        let (payload, generation) = read.map_err(|error| self.with_suggestion(&feed, error))?;
        let printed = if session.output.json { self.document(&payload, generation)? } else { payload };
        match output::print(&printed) {
            // Whoever reads has had enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
            Err(error) => Err(Failure::Stdout(error)),
            Ok(()) => Ok(Exit::Done),
        }
    }

    /// One line; the payload stands in it as it was published.
    fn document(&self, payload: &[u8], generation: Generation) -> Result<Vec<u8>, Failure> {
        let not_json = |problem: String| {
            let failure = lastgood::protocol::failure::Failure::new(Code::NotJson, problem);
            Failure::Feed(failure.of(&self.name).into())
        };
        let text = std::str::from_utf8(payload).map_err(|error| not_json(error.to_string()))?;
        let data = serde_json::from_str(text).map_err(|error| not_json(error.to_string()))?;
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
    fn with_suggestion(&self, feed: &Feed, error: lastgood::Error) -> Failure {
        let lastgood::Error::Read(mut failure) = error else { return error.into() };
        if failure.code == Code::NotFound
            && let Ok(manifest) = feed.manifest()
            && !manifest.datasets.contains_key(&self.name)
        {
            let similarity = |name: &DatasetName| strsim::jaro_winkler(name.as_str(), self.name.as_str());
            let closest = manifest.datasets.keys().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
            if let Some(name) = closest.filter(|name| similarity(name) > 0.8) {
                failure.detail.push_str(&format!("; did you mean \"{name}\"?"));
            }
        }
        Failure::Feed(failure.into())
    }
}
