//! `lastgood adopt`

mod envelope;
mod inspect;
mod report;
mod scan;

use std::path::{Path, PathBuf};

use clap::Args;
use lastgood::config::Dataset;
use lastgood::protocol::layout::{self, Encoding, FeedPath};
use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::{DatasetRecord, Error, Item, Operation, Publication, Record, Settings};
use serde_json::{Map, Value};

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::{Measure, Measured, MetricsOptions};
use crate::publish::RuleOptions;
use crate::waits::WaitOptions;
use crate::{Session, output};

use self::inspect::{Input, Payload, Reading, inspect};
use self::report::{FileReport, Report, Role};
use self::scan::{Found, Scan};

const EXAMPLES: &str = "\
Examples:
  lastgood adopt --dir public/data --dry-run   (what would become of which file, and what is wrong)
  lastgood adopt --dir public/data
  lastgood adopt performance.json --unwrap --nan null

Each NAME.json becomes the current payload of a dataset, each NAME_backup.json the one before it.
Pages and scripts that read these files go on to find them under the same names. Every file whose
bytes become part of no generation is kept as it was, in .lastgood/kept/. May be repeated.";

/// Turn a directory of plain JSON files into a feed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Adopt {
    /// Only these files of the directory, with their backups [default: every NAME.json]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Publish what is in {"data": …, "checksum": …} and {"version": …, "data": …} without the envelope
    #[arg(long)]
    unwrap: bool,
    /// Unwrap also where the checksum is not that of the data
    #[arg(long, requires = "unwrap")]
    ignore_checksums: bool,
    /// Adopt the others when some files cannot be
    #[arg(long)]
    skip_bad: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    rules: RuleOptions,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

/// What was done, and what was published last.
struct Adopted {
    report: Report,
    last: Option<Publication>,
}

impl Measure for Adopted {
    fn measure(&self) -> Measured<'_> {
        let failed = (!self.report.adopted).then_some("bad-files");
        Measured { failed, ..self.last.as_ref().map(Measure::measure).unwrap_or_default() }
    }
}

/// A file that becomes a dataset.
struct Adoption {
    dataset: DatasetName,
    file: PathBuf,
    payload: Payload,
    reading: Reading,
}

/// What is to be done.
#[derive(Default)]
struct Plan {
    files: Vec<FileReport>,
    backups: Vec<Adoption>,
    current: Vec<Adoption>,
    /// What is to be kept: its bytes will be in no generation.
    keep: Vec<FeedPath>,
}

impl Adopt {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        // A dry run counts for nothing.
        let adopted = match self.dry_run {
            true => self.adopt(session)?,
            false => self.metrics.measured(session, "adopt", || self.adopt(session))?,
        };
        session.output.report(&adopted.report);
        Ok(if adopted.report.adopted { Exit::Done } else { Exit::Refused })
    }

    fn adopt(&self, session: &Session) -> Result<Adopted, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let configured = self.waits.over(session.config.settings.clone());
        let settings = Settings { create_beside_others: true, ..configured };
        let feed = session.feed().with_settings(settings.clone()).with_cancellation(interrupt.check());
        let published = match feed.manifest() {
            Ok(manifest) => Some(manifest),
            Err(Error::NoFeed { .. }) => None,
            Err(other) => return Err(other.into()),
        };
        let mut plan = self.plan(session, published.as_ref())?;
        let mut report = Report {
            dir: session.dir.path.display().to_string(),
            dry_run: self.dry_run,
            adopted: false,
            files: std::mem::take(&mut plan.files),
            generations: Vec::new(),
            kept: Vec::new(),
        };
        report.adopted = report.bad() == 0 || self.skip_bad;
        let mut last = None;
        if report.adopted && !self.dry_run && !plan.current.is_empty() {
            report.kept = feed.preserve(&plan.keep)?;
            // Without plain copies: until the current payloads are published, too, the files stay what they are.
            let before = Settings { plain_copies: false, ..settings.clone() };
            for (adoptions, settings) in [(plan.backups, before), (plan.current, settings)] {
                if !adoptions.is_empty() {
                    let items = adoptions.into_iter().map(|adoption| adoption.item(session)).collect();
                    let publication =
                        feed.clone().with_settings(settings).publish(items).map_err(|error| {
                            match report.generations.last() {
                                Some(&generation) => Failure::HalfAdopted { generation, error },
                                None => error.into(),
                            }
                        })?;
                    publication.warnings.iter().for_each(|warning| output::warn(warning));
                    report.generations.push(publication.generation.get());
                    last = Some(publication);
                }
            }
            if let Some(publication) = &last {
                let mut record = Record::new(Operation::Adopt, publication.published_at);
                record.feed = Some(publication.feed);
                record.generation = Some(publication.generation);
                let datasets = publication.datasets.iter();
                record.datasets = datasets.map(|dataset| DatasetRecord::named(dataset.dataset.clone())).collect();
                feed.log(&record);
            }
        }
        Ok(Adopted { report, last })
    }

    fn plan(&self, session: &Session, published: Option<&Manifest>) -> Result<Plan, Failure> {
        let dir = &session.dir.path;
        let scan =
            Scan::of(dir, &self.wanted(dir)?).map_err(|source| Failure::Directory { dir: dir.clone(), source })?;
        let mut plan = Plan::default();
        for (file, problem) in scan.misfits {
            plan.files.push(FileReport::without_dataset(file, Role::Bad, problem));
        }
        for found in scan.found {
            self.plan_dataset(session, published, found, &mut plan);
        }
        for (file, what) in scan.leftovers {
            plan.files.push(FileReport::without_dataset(file, Role::Left, what));
        }
        plan.files.sort_by(|a, b| a.file.cmp(&b.file));
        if published.is_none() {
            plan.keep.push(layout::last_update());
        }
        Ok(plan)
    }

    fn plan_dataset(&self, session: &Session, published: Option<&Manifest>, found: Found, plan: &mut Plan) {
        let Found { dataset, file, backup } = found;
        let entry = published.and_then(|manifest| manifest.datasets.get(&dataset));
        let configured = session.config.dataset(&dataset);
        let reading = Reading {
            rules: self.rules.over(configured.rules),
            unwrap: self.unwrap,
            ignore_checksums: self.ignore_checksums,
        };
        if entry.is_some_and(|entry| entry.plain_copy) {
            plan.files.push(FileReport::new(&file, &dataset, Role::Published));
            return;
        }
        let listed = session.config.check_listed(&dataset).map_err(|error| error.to_string());
        let payload = match listed.and_then(|()| inspect(&file, reading)) {
            Ok(payload) => payload,
            Err(problem) => {
                plan.files.push(FileReport { notes: vec![problem], ..FileReport::new(&file, &dataset, Role::Bad) });
                return;
            }
        };
        if entry.is_some_and(|entry| entry.sha256 == payload.sha256 && !session.config.settings.plain_copies) {
            plan.files.push(FileReport::new(&file, &dataset, Role::Published));
            return;
        }
        if let Some(backup) = backup {
            self.plan_backup(&dataset, backup, entry.is_some(), &payload, reading, plan);
        }
        plan.files.push(FileReport::of(&file, &dataset, Role::Current, &payload));
        if payload.changed {
            plan.keep.push(layout::plain_copy(&dataset, &Ext::json()));
        }
        if session.config.settings.plain_copies {
            // They are replaced, or go: servers would send them in the place of what is published.
            let siblings = Encoding::ALL.map(|encoding| layout::copy_sibling(&dataset, &Ext::json(), encoding));
            plan.keep.extend(siblings);
        }
        plan.current.push(Adoption { dataset, file, payload, reading });
    }

    /// `known` when the dataset has been published before: an adoption that was interrupted has had its backup.
    fn plan_backup(
        &self,
        dataset: &DatasetName,
        file: PathBuf,
        known: bool,
        current: &Payload,
        reading: Reading,
        plan: &mut Plan,
    ) {
        let (report, keep) = match inspect(&file, reading) {
            // A backup is replaced sooner or later: what cannot be published is kept.
            Err(problem) => (FileReport { notes: vec![problem], ..FileReport::new(&file, dataset, Role::Bad) }, true),
            Ok(payload) => {
                let report = FileReport::of(&file, dataset, Role::Backup, &payload);
                let changed = payload.changed;
                if !known && payload.sha256 != current.sha256 {
                    plan.backups.push(Adoption { dataset: dataset.clone(), file, payload, reading });
                }
                (report, changed || known)
            }
        };
        plan.files.push(report);
        if keep {
            plan.keep.push(layout::backup(dataset, &Ext::json()));
        }
    }

    /// The names of the files that were asked for, all of which must be in the directory: paths from the working directory,
    /// or bare names.
    fn wanted(&self, dir: &Path) -> Result<Vec<String>, Failure> {
        self.files.iter().map(|file| wanted(file, dir)).collect()
    }
}

fn wanted(file: &Path, dir: &Path) -> Result<String, Failure> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_dir = |parent: &Path| {
        let (parent, dir) = (std::fs::canonicalize(parent), std::fs::canonicalize(dir));
        parent.ok().is_some_and(|parent| dir.ok() == Some(parent))
    };
    let there = file.parent().is_some_and(|parent| parent.as_os_str().is_empty() || is_dir(parent));
    let problem = match name.strip_suffix(".json") {
        _ if !there || !dir.join(&name).exists() => {
            format!("it is not in {}; to publish a file from elsewhere: lastgood publish NAME=FILE", dir.display())
        }
        None => "expected a file named NAME.json".to_owned(),
        Some(stem) if stem.ends_with("_backup") => "a backup is adopted with the file that it belongs to".to_owned(),
        Some(_) => return Ok(name),
    };
    Err(Failure::Usage(format!("{}: {problem}", file.display())))
}

impl Adoption {
    fn item(self, session: &Session) -> Item<'static> {
        let Dataset { meta, .. } = session.config.dataset(&self.dataset);
        let members: Map<String, Value> = meta.clone().into_iter().chain(self.payload.meta).collect();
        let item = Item::new(self.dataset, Input::new(self.file, self.reading)).rules(self.reading.rules);
        if members.is_empty() { item } else { item.meta(Value::Object(members).to_string()) }
    }
}

impl FileReport {
    fn new(file: &Path, dataset: &DatasetName, role: Role) -> Self {
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (dataset, notes) = (Some(dataset.to_string()), Vec::new());
        Self { file, dataset, role, rows: None, changed: false, notes }
    }

    fn of(file: &Path, dataset: &DatasetName, role: Role, payload: &Payload) -> Self {
        let Payload { rows, changed, ref notes, .. } = *payload;
        Self { rows, changed, notes: notes.clone(), ..Self::new(file, dataset, role) }
    }

    fn without_dataset(file: String, role: Role, note: String) -> Self {
        Self { file, dataset: None, role, rows: None, changed: false, notes: vec![note] }
    }
}
