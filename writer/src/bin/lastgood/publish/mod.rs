//! `lastgood publish`

pub(crate) mod compression;
mod meta;
pub(crate) mod report;
mod rules;

use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lastgood::{Feed, Item, Settings};

use crate::args::time;
use crate::exit::{Exit, Failure};
use crate::input::{Artifact, Input};
use crate::interrupt::Interrupt;
use crate::{Session, output, progress};

use self::compression::CompressionOptions;
use self::meta::MetaOptions;
use self::report::Report;
use self::rules::RuleOptions;

const EXAMPLES: &str = "\
Examples:
  lastgood publish performance=out/performance.json
  lastgood publish performance=p.json transactions=t.json   (both, or neither)
  lastgood publish forecast=f.json --artifact chart=chart.png   (published as it is)
  python export.py | lastgood publish performance --nan null --meta run=8841
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
    rules: RuleOptions,
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
}

impl Publish {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let artifacts = self.artifacts.iter().map(|artifact| &artifact.input);
        Input::check(self.inputs.iter().chain(artifacts.clone()))?;
        let meta = self.meta.json()?;
        let inputs: Vec<&Input> = self.inputs.iter().chain(artifacts).collect();
        let opened = inputs.iter().map(|input| input.open()).collect::<Result<Vec<_>, _>>()?;
        // Only from here on is there anything to be cleaned up.
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = Feed::open(&session.dir.path).with_settings(self.settings()).with_cancellation(interrupt.check());
        let total = opened.iter().map(|(_, size)| *size).sum();
        let extensions =
            self.inputs.iter().map(|_| None).chain(self.artifacts.iter().map(|artifact| Some(&artifact.ext)));
        let publication = progress::shown(session.watched, "publishing", total, |progress| {
            let mut items = Vec::with_capacity(opened.len());
            for ((input, ext), (file, _)) in inputs.iter().zip(extensions).zip(opened) {
                let payload = progress.counting(interrupt.ending(file).map_err(setup)?);
                let mut item = Item::new(input.dataset.clone(), payload).rules(self.rules.rules());
                if let Some(meta) = &meta {
                    item = item.meta(meta);
                }
                if let Some(ext) = ext {
                    item = item.artifact(ext.clone());
                }
                items.push(item);
            }
            Ok::<_, Failure>(feed.publish(items)?)
        })?;
        for warning in &publication.warnings {
            output::warn(warning);
        }
        session.output.report(&Report::new(&session.dir, &publication));
        Ok(Exit::Done)
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
