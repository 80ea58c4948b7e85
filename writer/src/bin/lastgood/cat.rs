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
use lastgood::protocol::read::Reading;
use lastgood::protocol::time::Timestamp;
use lastgood::{Error, Feed};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::remote::{HttpOrigin, RemoteOptions};
use crate::{Session, output, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood cat performance | jq length
  lastgood cat performance --generation 41 > before.json
  lastgood cat performance --json      (the payload as `data`, beside its generation and checksum)
  lastgood cat performance --url https://example.org/data/      (as it is served, verified)
  lastgood cat chart > chart.png       (an artifact; with --json it is `data_base64`, beside its `ext`)
  lastgood cat forecast --fresh-only   (exit code 1 when it has expired)

What has expired (`publish --expires-in`) is printed with a warning on stderr.";

/// Print the payload of a dataset, verified, and nothing else
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cat {
    /// The dataset
    name: DatasetName,
    /// As it was in this generation, which must be retained [default: the current one]
    #[arg(long, value_name = "N")]
    generation: Option<Generation>,
    /// Print nothing and fail when it has expired, instead of printing it with a warning
    #[arg(long)]
    fresh_only: bool,
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
    expires_at: Option<String>,
    expired: bool,
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
    /// From when on readers do not take it for current, and whether that is so now.
    end: Option<Timestamp>,
    expired: bool,
}

impl From<Reading<Vec<u8>>> for Found {
    /// What a reader without a copy was handed out: only its end can be a reason that it is not fresh.
    fn from(reading: Reading<Vec<u8>>) -> Self {
        let (end, expired) = (reading.expires_at, !reading.fresh());
        Self { payload: reading.value, generation: reading.generation, ext: reading.head.ext, end, expired }
    }
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
        if let Some(end) = found.end.filter(|_| found.expired) {
            self.expired(end)?;
        }
        let printed = if session.output.json { self.document(&found)? } else { found.payload };
        session.output.answer_bytes(&printed)?;
        Ok(Exit::Done)
    }

    fn read(&self, feed: &Feed) -> Result<Found, Error> {
        let generation = match self.generation {
            Some(generation) => generation,
            None => match feed.read(&self.name) {
                // The whole generation has, and readers without a copy get nothing; it is there all the same.
                Err(Error::Read(failure)) if failure.code == Code::Expired => feed.manifest()?.generation,
                read => return Ok(Found::from(read?)),
            },
        };
        let (payload, entry) = feed.read_retained(&self.name, generation)?;
        let (end, expired) = (entry.expires_at, entry.expired(feed.now()));
        Ok(Found { payload, generation, ext: entry.ext, end, expired })
    }

    /// What is to be said of what has expired.
    fn expired(&self, end: Timestamp) -> Result<(), Failure> {
        let name = &self.name;
        let was = self
            .generation
            .map_or_else(|| "publish it anew".to_owned(), |_| format!("`lastgood cat {name}` prints the current one"));
        if self.fresh_only {
            let detail = format!("{name} expired at {end}; {was}, or leave --fresh-only out to print it all the same");
            let failure = lastgood::protocol::failure::Failure::new(Code::Expired, detail);
            return Err(Failure::Feed(failure.of(name).into()));
        }
        output::warn(&format_args!("{name} expired at {end}, and readers do not take it for current; {was}"));
        Ok(())
    }

    fn fetch(&self, mut origin: HttpOrigin) -> Result<Found, Failure> {
        let max_bytes = self.max_bytes.unwrap_or(Rules::default().max_bytes);
        match origin.read(&self.name, max_bytes) {
            Ok(reading) => Ok(Found::from(reading)),
            Err(failure) if failure.code == Code::NotFound && self.generation.is_none() => {
                Err(unknown::not_published(&self.name, &origin.published().map_err(Failure::Remote)?))
            }
            Err(failure) => Err(Failure::Remote(failure)),
        }
    }

    /// One line; the payload stands in it as it was published.
    fn document(&self, Found { payload, generation, ext, end, expired }: &Found) -> Result<Vec<u8>, Failure> {
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
            expires_at: end.map(|end| end.to_string()),
            expired: *expired,
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
                if failure.code == Code::NotFound
                    && !manifest.datasets.contains_key(&self.name)
                    && (self.generation.is_none() || manifest.withdrawn.get(&self.name).is_none()) =>
            {
                unknown::not_published(&self.name, &manifest)
            }
            _ => error.into(),
        }
    }
}
