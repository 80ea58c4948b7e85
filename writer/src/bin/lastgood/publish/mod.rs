//! `lastgood publish`

pub(crate) mod compression;
mod format;
mod meta;
pub(crate) mod report;
mod rules;
mod schema;

use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lastgood::convert::Format;
use lastgood::protocol::name::Ext;
use lastgood::{Feed, Item, Publication, Settings};

use crate::args::time;
use crate::exit::{Exit, Failure};
use crate::input::{Artifact, Input};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::{Session, output, progress};

use self::compression::CompressionOptions;
use self::format::FormatOptions;
use self::meta::MetaOptions;
use self::report::Report;
use self::rules::RuleOptions;
use self::schema::SchemaOptions;

const EXAMPLES: &str = "\
Examples:
  lastgood publish performance=out/performance.json
  lastgood publish performance=p.json transactions=t.json   (both, or neither)
  lastgood publish sales=sales.csv --column id=text         (as an array of objects)
  lastgood publish forecast=f.json --artifact chart=chart.png   (published as it is)
  python export.py | lastgood publish performance --nan null --meta run=8841
  lastgood publish performance=p.json --schema performance.schema.json --schema-version 3
  lastgood publish performance=- < p.json

A payload that is missing or breaks a rule is refused with exit code 3, and what was
published stays as it is, to the byte.";

/// Publish datasets: all of them in one generation, or none
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Publish {
    /// What to publish: NAME=FILE, or NAME alone (or NAME=-) with the payload on stdin
    #[arg(required_unless_present = "artifacts", value_name = "NAME=FILE", value_parser = OsStringValueParser::new().try_map(Input::parse))]
    inputs: Vec<Input>,
    /// A file that is no JSON, such as a chart or a report: published as it is, under its extension; may be repeated
    #[arg(long = "artifact", value_name = "NAME=FILE", value_parser = OsStringValueParser::new().try_map(Artifact::parse))]
    artifacts: Vec<Artifact>,

    #[command(flatten)]
    format: FormatOptions,
    #[command(flatten)]
    rules: RuleOptions,
    #[command(flatten)]
    schema: SchemaOptions,
    #[command(flatten)]
    meta: MetaOptions,

    /// How long readers may take this generation for current, such as 26h for a daily job [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires_in: Option<Duration>,

    /// How long to wait for other publishers and for the lock markers of older scripts
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time, help_heading = "Locks")]
    lock_wait: Duration,
    /// From which age on the lock marker of an older script counts as left behind [default: never]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Locks")]
    stale_marker_after: Option<Duration>,

    /// Make a feed in a directory that holds other files
    #[arg(long)]
    create: bool,

    /// No plain copies (NAME.json, NAME_backup.json) of these datasets; those that are there are removed
    #[arg(long)]
    no_plain_copies: bool,
    #[command(flatten)]
    compression: CompressionOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

/// What an input becomes.
enum Kind<'a> {
    Json(&'a Format),
    Artifact(&'a Ext),
}

impl Publish {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let publication = self.metrics.measured(session, "publish", || self.publish(session))?;
        for warning in &publication.warnings {
            output::warn(warning);
        }
        session.output.report(&Report::new(&session.dir, &publication));
        Ok(Exit::Done)
    }

    fn publish(&self, session: &Session) -> Result<Publication, Failure> {
        let artifacts = self.artifacts.iter().map(|artifact| &artifact.input);
        Input::check(self.inputs.iter().chain(artifacts.clone()))?;
        let formats = self.format.formats(&self.inputs)?;
        let meta = self.meta.json()?;
        let schemas = self.schema.of(self.inputs.iter().map(|input| &input.dataset))?;
        let inputs: Vec<&Input> = self.inputs.iter().chain(artifacts).collect();
        let opened = inputs.iter().map(|input| input.open()).collect::<Result<Vec<_>, _>>()?;
        // Only from here on is there anything to be cleaned up.
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = Feed::open(&session.dir.path).with_settings(self.settings()).with_cancellation(interrupt.check());
        let total = opened.iter().map(|(_, size)| *size).sum();
        let kinds =
            formats.iter().map(Kind::Json).chain(self.artifacts.iter().map(|artifact| Kind::Artifact(&artifact.ext)));
        progress::shown(session.watched, "publishing", total, |progress| {
            let mut items = Vec::with_capacity(opened.len());
            for ((input, kind), (file, _)) in inputs.iter().zip(kinds).zip(opened) {
                let payload = progress.counting(interrupt.ending(file).map_err(setup)?);
                let mut item = Item::new(input.dataset.clone(), payload).rules(self.rules.rules());
                if let Some(meta) = &meta {
                    item = item.meta(meta);
                }
                if let Some(schema) = schemas.get(&input.dataset) {
                    item = item.schema(schema.clone());
                }
                items.push(match kind {
                    Kind::Json(format) => item.format(format.clone()),
                    Kind::Artifact(ext) => item.artifact(ext.clone()),
                });
            }
            Ok(feed.publish(items)?)
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            lock_wait: self.lock_wait,
            foreign_marker_stale_after: self.stale_marker_after,
            create_beside_others: self.create,
            compression: self.compression.compression(),
            plain_copies: !self.no_plain_copies,
            expires_in: self.expires_in,
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use lastgood::protocol::payload::Rules;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn without_options_the_defaults_of_the_library_hold() {
        let Command::Publish(publish) = Cli::parse_from(["lastgood", "publish", "a"]).command else {
            panic!("another command")
        };
        assert_eq!(publish.rules.rules(), Rules::default());
        assert_eq!(format!("{:?}", publish.settings()), format!("{:?}", Settings::default()));
    }
}
