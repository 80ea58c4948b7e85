//! `lastgood publish`

pub(crate) mod compression;
mod format;
mod guards;
mod meta;
pub(crate) mod report;
mod rules;
mod schema;
mod scope;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lastgood::config::value::{self, Limit};
use lastgood::convert::Format;
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::{Error, Feed, Item, Settings};

use crate::exit::{Exit, Failure};
use crate::input::{Artifact, Input};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::waits::WaitOptions;
use crate::{Session, output, progress};

use self::compression::CompressionOptions;
use self::format::FormatOptions;
use self::guards::GuardOptions;
use self::meta::MetaOptions;
use self::report::Report;
pub(crate) use self::rules::RuleOptions;
use self::schema::SchemaOptions;
use self::scope::Datasets;

const EXAMPLES: &str = "\
Examples:
  lastgood publish performance=out/performance.json
  lastgood publish performance=p.json transactions=t.json   (both, or neither)
  lastgood publish sales=sales.csv --column id=text         (as an array of objects)
  lastgood publish forecast=f.json --artifact chart=chart.png   (published as it is)
  python export.py | lastgood publish performance --nan null --meta run=8841
  lastgood publish performance=p.json --schema performance.schema.json --schema-version 3
  lastgood publish performance=- < p.json
  lastgood publish sales=s.csv items=i.csv --column sales=id=text --min-rows items=100   (NAME=: for that one alone)
  lastgood publish performance=p.json --dry-run   (what would happen)

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
    guards: GuardOptions,
    #[command(flatten)]
    schema: SchemaOptions,
    #[command(flatten)]
    meta: MetaOptions,

    /// How long readers may take these datasets for current, such as 26h for a daily job, or never [default: never]
    #[arg(long, value_name = "TIME", value_parser = value::lifetime)]
    expires_in: Option<Limit>,

    #[command(flatten)]
    waits: WaitOptions,

    /// Make a feed in a directory that holds other files
    #[arg(long)]
    create: bool,

    /// No plain copies (NAME.json, NAME_backup.json) of these datasets; those that are there are removed
    #[arg(long)]
    no_plain_copies: bool,
    /// Plain copies, although lastgood.toml says none
    #[arg(long, overrides_with = "no_plain_copies")]
    plain_copies: bool,
    #[command(flatten)]
    compression: CompressionOptions,
    /// Do everything but the commit: read, convert and check the inputs, and say what would be published. Changes nothing,
    /// takes no lock, and writes no metrics
    #[arg(long)]
    dry_run: bool,
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
        if self.dry_run {
            return self.rehearse(session);
        }
        let publish = || self.with_items(session, |feed, items| feed.publish(items));
        let publication = self.metrics.measured(session, "publish", publish)?;
        for warning in &publication.warnings {
            output::warn(warning);
        }
        self.collect_garbage(session);
        session.output.report(&Report::new(&session.dir, &publication));
        Ok(Exit::Done)
    }

    fn rehearse(&self, session: &Session) -> Result<Exit, Failure> {
        let rehearsed = self.with_items(session, |feed, items| {
            feed.check_access()?;
            feed.rehearse(items)
        })?;
        for warning in &rehearsed.warnings {
            output::warn(warning);
        }
        session.output.answer(&Report::rehearsed(&session.dir, &rehearsed), Exit::Done)
    }

    /// Opens the inputs and has something done with them.
    fn with_items<T>(
        &self,
        session: &Session,
        act: impl FnOnce(&Feed, Vec<Item<'_>>) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let artifacts = self.artifacts.iter().map(|artifact| &artifact.input);
        Input::check(self.inputs.iter().chain(artifacts.clone()))?;
        let formats = self.format.over(&self.inputs, &session.config)?;
        let inputs: Vec<&Input> = self.inputs.iter().chain(artifacts).collect();
        inputs.iter().try_for_each(|input| session.config.check_listed(&input.dataset))?;
        let schemas = self.schema.over(
            &self.inputs.iter().map(|input| &input.dataset).collect::<Vec<_>>(),
            &self.artifacts.iter().map(|artifact| &artifact.input.dataset).collect::<Vec<_>>(),
            &session.config,
        )?;
        let datasets: Vec<&DatasetName> = inputs.iter().map(|input| &input.dataset).collect();
        let datasets = Datasets(&datasets);
        let (guards, meta) = (self.guards.of(datasets)?, self.meta.of(datasets)?);
        let meta = |input: &&Input| meta.over(&input.dataset, &session.config.dataset(&input.dataset).meta);
        let metas = inputs.iter().map(meta).collect::<Result<Vec<_>, _>>()?;
        let (mut opened, mut missing) = (Vec::with_capacity(inputs.len()), Vec::new());
        for input in &inputs {
            match input.open() {
                Ok(file) => opened.push(file),
                Err(failure) => missing.push(failure),
            }
        }
        // All that are missing are told at once.
        if let Some(failure) = Failure::of_sources(missing) {
            return Err(failure);
        }
        // Only from here on is there anything to be cleaned up.
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let settings = self.over(session.config.settings.clone());
        let feed = session.feed().with_settings(settings).with_cancellation(interrupt.check());
        let total = opened.iter().map(|(_, size)| *size).sum();
        let kinds =
            formats.iter().map(Kind::Json).chain(self.artifacts.iter().map(|artifact| Kind::Artifact(&artifact.ext)));
        progress::shown(session.watched, "publishing", total, |progress| {
            let mut items = Vec::with_capacity(opened.len());
            for (((input, kind), meta), (file, _)) in inputs.iter().zip(kinds).zip(metas).zip(opened) {
                let payload = progress.counting(interrupt.ending(file));
                let configured = session.config.dataset(&input.dataset);
                let mut item = Item::new(input.dataset.clone(), payload)
                    .rules(self.rules.over(configured.rules))
                    .guards(guards.over(&input.dataset, &configured.guards));
                if self.guards.force {
                    item = item.force();
                }
                if let Some(meta) = meta {
                    item = item.meta(meta);
                }
                if let Some(given) = schemas.get(&input.dataset) {
                    item = item.schema(given.schema.clone());
                }
                if self.schema.assert_formats || configured.assert_formats {
                    item = item.assert_formats();
                }
                items.push(match kind {
                    Kind::Json(format) => item.format(format.clone()),
                    Kind::Artifact(ext) => item.artifact(ext.clone()),
                });
            }
            act(&feed, items).map_err(|error| match error {
                Error::SchemaRefused { ref dataset, .. } => match schemas.get(dataset) {
                    Some(given) => Failure::SchemaRefused { file: given.file.as_path().into(), error },
                    None => error.into(),
                },
                error => error.into(),
            })
        })
    }

    /// As the configuration has it. The publish has succeeded, whatever becomes of this.
    fn collect_garbage(&self, session: &Session) {
        if !session.config.collect_after_publish {
            return;
        }
        let feed = session.feed().with_settings(self.waits.over(session.config.settings.clone()));
        if let Err(error) = feed.gc(&session.config.retention) {
            output::warn(&format_args!("no garbage was collected: {error}"));
        }
    }

    /// The options where they are given, else what is configured.
    fn over(&self, configured: Settings) -> Settings {
        let waiting = self.waits.over(configured);
        Settings {
            create_beside_others: self.create,
            compression: self.compression.over(waiting.compression),
            plain_copies: self.plain_copies || (waiting.plain_copies && !self.no_plain_copies),
            expires_in: self.expires_in.map_or(waiting.expires_in, |limit| limit.0),
            ..waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;
    use lastgood::Compression;
    use lastgood::protocol::payload::{Nan, Permit, Rules};

    use super::*;
    use crate::args::{AnyCommand, Cli, Command};

    #[test]
    fn without_options_what_is_configured_holds() {
        let AnyCommand::OnFeed(Command::Publish(publish)) = Cli::parse_from(["lastgood", "publish", "a"]).command
        else {
            panic!("another command")
        };
        let rules = Rules { max_bytes: 7, unsafe_numbers: Permit::Allow, nan: Nan::Null, ..Rules::default() };
        assert_eq!(publish.rules.over(rules), rules);
        let configured = Settings {
            lock_wait: Duration::ZERO,
            foreign_marker_stale_after: Some(Duration::ZERO),
            compression: Compression { gzip: None, brotli: None, min_size: 7 },
            plain_copies: false,
            expires_in: Some(Duration::ZERO),
            ..Settings::default()
        };
        assert_eq!(format!("{:?}", publish.over(configured.clone())), format!("{configured:?}"));
    }
}
