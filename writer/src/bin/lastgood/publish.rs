//! `lastgood publish`

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use indicatif::HumanBytes;
use lastgood::protocol::manifest::Meta;
use lastgood::protocol::payload::{Nan, Permit, Rules};
use lastgood::{Compression, Feed, Item, Publication, Settings};
use serde::Serialize;

use crate::args::time;
use crate::dir::FeedDir;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::interrupt::Interrupt;
use crate::{Session, output, progress};

const EXAMPLES: &str = "\
Examples:
  lastgood publish performance=out/performance.json
  lastgood publish performance=p.json transactions=t.json   (both, or neither)
  python export.py | lastgood publish performance --nan null --meta run=8841
  lastgood publish performance=- < p.json

A payload that is missing or breaks a rule is refused with exit code 3, and what was
published stays as it is, to the byte.";

/// Publish datasets: all of them in one generation, or none
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Publish {
    /// What to publish: NAME=FILE, or NAME alone (or NAME=-) with the payload on stdin
    #[arg(required = true, value_name = "NAME=FILE", value_parser = OsStringValueParser::new().try_map(Input::parse))]
    inputs: Vec<Input>,

    /// Publish NaN, Infinity and -Infinity as null, and say how many there were
    #[arg(long, value_name = "null", help_heading = "Payload rules")]
    nan: Option<NanAs>,
    /// Publish what a browser would silently change or drop
    #[arg(long, value_name = "WHAT", value_delimiter = ',', help_heading = "Payload rules")]
    allow: Vec<Allow>,
    /// The largest payload, such as 500KiB, 64MiB, 1GiB or a number of bytes
    #[arg(long, value_name = "SIZE", default_value = "64MiB", help_heading = "Payload rules")]
    max_bytes: ByteSize,

    /// Attach a text to every dataset of this call, such as --meta model=ets-2.1; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, conflicts_with = "meta_json", help_heading = "Meta")]
    meta: Vec<(String, String)>,
    /// Attach any JSON of at most 4 KiB to every dataset of this call
    #[arg(long, value_name = "JSON", value_parser = meta_json, help_heading = "Meta")]
    meta_json: Option<String>,

    /// How long to wait for other publishers and for the lock markers of older scripts
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time, help_heading = "Locks")]
    lock_wait: Duration,
    /// From which age on the lock marker of an older script counts as left behind [default: never]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Locks")]
    stale_marker_after: Option<Duration>,

    /// Make a feed in a directory that holds other files
    #[arg(long)]
    create: bool,

    /// The level of the .gz beside each object, 1 to 9, or off
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = |text: &str| level(text, 1..=9), help_heading = "Compression")]
    gzip: Level,
    /// The quality of the .br beside each object, 0 to 11, or off
    #[arg(long, value_name = "QUALITY", default_value = "5", value_parser = |text: &str| level(text, 0..=11), help_heading = "Compression")]
    brotli: Level,
    /// Neither .gz nor .br
    #[arg(long, conflicts_with_all = ["gzip", "brotli"], help_heading = "Compression")]
    no_compress: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NanAs {
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// Integers beyond ±(2^53 - 1), numbers that overflow a double
    UnsafeNumbers,
    /// A member name twice in one object
    DuplicateNames,
    /// Half of a surrogate pair
    UnpairedSurrogates,
}

/// A compression level; `None` is off. A struct, because clap takes an `Option` for an option that may be absent.
#[derive(Debug, Clone, Copy)]
struct Level(Option<u32>);

impl Publish {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        Input::check(&self.inputs)?;
        let meta = self.meta()?;
        let opened = self.inputs.iter().map(Input::open).collect::<Result<Vec<_>, _>>()?;
        // Only from here on is there anything to be cleaned up.
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = Feed::open(&session.dir.path).with_settings(self.settings()).with_cancellation(interrupt.check());
        let total = opened.iter().map(|(_, size)| *size).sum();
        let publication = progress::shown(session.watched, total, |progress| {
            let mut items = Vec::with_capacity(opened.len());
            for (input, (file, _)) in self.inputs.iter().zip(opened) {
                let payload = progress.counting(interrupt.ending(file).map_err(setup)?);
                let item = Item::new(input.dataset.clone(), payload).rules(self.rules());
                items.push(match &meta {
                    Some(meta) => item.meta(meta),
                    None => item,
                });
            }
            Ok::<_, Failure>(feed.publish(items)?)
        })?;
        for warning in &publication.warnings {
            output::warn(warning);
        }
        session.output.report(&Report::new(&session.dir, &publication));
        Ok(Exit::Done)
    }

    fn rules(&self) -> Rules {
        let permit = |what| if self.allow.contains(&what) { Permit::Allow } else { Permit::Refuse };
        Rules {
            nan: if self.nan.is_some() { Nan::Null } else { Nan::Refuse },
            unsafe_numbers: permit(Allow::UnsafeNumbers),
            duplicate_names: permit(Allow::DuplicateNames),
            unpaired_surrogates: permit(Allow::UnpairedSurrogates),
            max_bytes: self.max_bytes.as_u64(),
        }
    }

    fn meta(&self) -> Result<Option<String>, Failure> {
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

    fn settings(&self) -> Settings {
        let compression = match self.no_compress {
            true => Compression::OFF,
            false => Compression { gzip: self.gzip.0, brotli: self.brotli.0, ..Compression::default() },
        };
        Settings {
            lock_wait: self.lock_wait,
            foreign_marker_stale_after: self.stale_marker_after,
            create_beside_others: self.create,
            compression,
            ..Settings::default()
        }
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

fn level(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<Level, String> {
    if text == "off" {
        return Ok(Level(None));
    }
    let level = text.parse().ok().filter(|level| range.contains(level)).map(|level| Level(Some(level)));
    level.ok_or_else(|| format!("expected {} to {}, or off", range.start(), range.end()))
}

/// What has been published.
#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    dir_origin: String,
    feed: String,
    created: bool,
    generation: u64,
    commit: String,
    published_at: String,
    datasets: Vec<Dataset<'a>>,
    recovered: bool,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Dataset<'a> {
    dataset: &'a str,
    new: bool,
    changed: bool,
    size: u64,
    rows: Option<u64>,
    nan_mapped: u64,
    sha256: String,
}

impl<'a> Report<'a> {
    fn new(dir: &'a FeedDir, publication: &'a Publication) -> Self {
        let datasets = publication.datasets.iter().map(|dataset| Dataset {
            dataset: dataset.dataset.as_str(),
            new: dataset.new,
            changed: dataset.changed,
            size: dataset.size,
            rows: dataset.rows,
            nan_mapped: dataset.nan_mapped,
            sha256: dataset.sha256.to_string(),
        });
        Self {
            dir: dir.path.display().to_string(),
            dir_origin: dir.origin.to_string(),
            feed: publication.feed.to_string(),
            created: publication.created,
            generation: publication.generation.get(),
            commit: publication.commit.to_string(),
            published_at: publication.published_at.to_string(),
            datasets: datasets.collect(),
            recovered: publication.recovery.did_something(),
            warnings: &publication.warnings,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.created {
            writeln!(f, "created the feed {} ({})", self.dir, self.dir_origin)?;
        }
        if self.recovered {
            writeln!(f, "put in order what an interrupted publish had left")?;
        }
        writeln!(f, "published generation {} in {}", self.generation, self.dir)?;
        let width = self.datasets.iter().map(|dataset| dataset.dataset.len()).max().unwrap_or(0);
        for dataset in &self.datasets {
            let size = HumanBytes(dataset.size).to_string();
            write!(f, "  {:width$}  {size:>12}", dataset.dataset)?;
            if let Some(rows) = dataset.rows {
                write!(f, "  {rows} {}", if rows == 1 { "row" } else { "rows" })?;
            }
            let change = match dataset {
                Dataset { new: true, .. } => "new",
                Dataset { changed: true, .. } => "changed",
                _ => "unchanged",
            };
            write!(f, "  {change}")?;
            match dataset.nan_mapped {
                0 => writeln!(f)?,
                1 => writeln!(f, ", 1 NaN published as null")?,
                many => writeln!(f, ", {many} NaN published as null")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn without_options_the_defaults_of_the_library_hold() {
        let Command::Publish(publish) = Cli::parse_from(["lastgood", "publish", "a"]).command else {
            panic!("another command")
        };
        assert_eq!(publish.rules(), Rules::default());
        assert_eq!(format!("{:?}", publish.settings()), format!("{:?}", Settings::default()));
    }
}
