//! `--metrics FILE`: what a command did, for Prometheus.

mod exposition;
mod target;

use std::io;
use std::path::{self, Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use lastgood::protocol::name::DatasetName;
use lastgood::storage::update_file;
use lastgood::{Collection, Publication, Purged, Recovery, Repair, Rollback, Verification, Withdrawal};

use self::exposition::{Exposition, Metric};
use self::target::{Target, recognise};
use crate::exit::Failure;
use crate::{Session, files, output};

/// Flattened into each command that changes a feed, locks it, or reads all of it.
#[derive(Debug, Args)]
pub(crate) struct MetricsOptions {
    /// Write metrics to FILE in the Prometheus text format, also after a failure; for node_exporter's textfile collector. A file
    /// that holds something else is left alone
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

impl MetricsOptions {
    /// Does the work of a command and writes down how it went. Metrics that cannot be written are a warning.
    pub(crate) fn measured<T: Measure>(
        &self,
        session: &Session,
        operation: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(file) = &self.metrics else { return work() };
        let begin = Instant::now();
        let result = work();
        // Two runs may name it differently.
        let dir = path::absolute(&session.dir.path).unwrap_or_else(|_| session.dir.path.clone());
        let run = Run {
            dir: dir.display().to_string(),
            operation,
            at: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64 / 1000.0,
            seconds: begin.elapsed().as_secs_f64(),
            result: result.as_ref().map(Measure::measure).map_err(Failure::code),
        };
        let written = match Target::of(file, &session.dir.path) {
            Ok(Target::File(target)) => run.write(&target).map_err(|error| error.to_string()),
            Ok(Target::Stream) => {
                let mut exposition = Exposition::default();
                run.add_to(&mut exposition);
                files::append(file, exposition.render().as_bytes())
                    .map_err(|error| format!("{}: {error}", file.display()))
            }
            Err(problem) => Err(format!("{}: {problem}", file.display())),
        };
        if let Err(problem) = written {
            output::warn(&format_args!("the metrics were not written: {problem}"));
        }
        result
    }
}

/// What a command that succeeded tells the metrics.
pub(crate) trait Measure {
    fn measure(&self) -> Measured<'_>;
}

/// What was done to a feed.
#[derive(Default)]
pub(crate) struct Measured<'a> {
    /// The generation that is published now, if that is known.
    pub(crate) generation: Option<u64>,
    /// What was published.
    pub(crate) datasets: Vec<MeasuredDataset<'a>>,
    /// How many problems were found, where they were looked for.
    pub(crate) problems: Option<usize>,
    /// The code, where it did not fail and is no success all the same.
    pub(crate) failed: Option<&'static str>,
    /// What was taken out of the feed, of which nothing is to be told any more.
    pub(crate) withdrawn: Vec<&'a str>,
}

pub(crate) struct MeasuredDataset<'a> {
    pub(crate) name: &'a str,
    pub(crate) size: u64,
    pub(crate) rows: Option<u64>,
    /// When readers cease to take it for current, in seconds since 1970.
    pub(crate) expires: Option<f64>,
}

impl Measure for Publication {
    fn measure(&self) -> Measured<'_> {
        let datasets = self.datasets.iter().map(|dataset| MeasuredDataset {
            name: dataset.dataset.as_str(),
            size: dataset.size,
            rows: dataset.rows,
            expires: dataset.expires_at.map(|end| end.ms() as f64 / 1000.0),
        });
        Measured { generation: Some(self.generation.get()), datasets: datasets.collect(), ..Measured::default() }
    }
}

impl Measure for Rollback {
    fn measure(&self) -> Measured<'_> {
        self.publication.measure()
    }
}

impl Measure for Withdrawal {
    fn measure(&self) -> Measured<'_> {
        let withdrawn = self.datasets.iter().map(DatasetName::as_str).collect();
        Measured { withdrawn, ..self.publication.measure() }
    }
}

impl Measure for Purged {
    fn measure(&self) -> Measured<'_> {
        Measured { generation: Some(self.generation.get()), ..Measured::default() }
    }
}

impl Measure for Collection {
    fn measure(&self) -> Measured<'_> {
        Measured { generation: Some(self.generation.get()), ..Measured::default() }
    }
}

impl Measure for Recovery {
    fn measure(&self) -> Measured<'_> {
        Measured { generation: self.generation.map(|generation| generation.get()), ..Measured::default() }
    }
}

impl Measure for Verification {
    fn measure(&self) -> Measured<'_> {
        let failed = (!self.problems.is_empty()).then_some("damaged");
        let generation = Some(self.generation.get());
        Measured { generation, problems: Some(self.problems.len()), failed, ..Measured::default() }
    }
}

impl Measure for Repair {
    fn measure(&self) -> Measured<'_> {
        self.verification.measure()
    }
}

/// One run of a command.
struct Run<'a> {
    dir: String,
    operation: &'a str,
    /// When it ended, in seconds since 1970.
    at: f64,
    seconds: f64,
    result: Result<Measured<'a>, &'static str>,
}

impl Run<'_> {
    /// Adds the run to what is in a file.
    fn write(&self, file: &Path) -> io::Result<()> {
        update_file(file, |before| {
            let name = file.display();
            // Again, now that no other process writes it.
            let other = |problem| io::Error::other(format!("{name}: {problem}"));
            let mut exposition = recognise(&before.unwrap_or_default()).map_err(other)?.unwrap_or_else(|| {
                output::warn(&format_args!("the metrics in {name} are damaged; they begin anew, from zero"));
                Exposition::default()
            });
            self.add_to(&mut exposition);
            Ok(exposition.render().into_bytes())
        })
    }

    fn add_to(&self, exposition: &mut Exposition) {
        let of_operation = [self.dir.as_str(), self.operation];
        exposition.set(Metric::LastAttempt, &of_operation, self.at);
        exposition.set(Metric::Duration, &of_operation, self.seconds);
        let failed = self.result.as_ref().map_or_else(|code| Some(*code), |measured| measured.failed);
        // Zero, too, so that the first one is an increase.
        exposition.add(Metric::Done, &of_operation, f64::from(u8::from(failed.is_none())));
        match failed {
            Some(code) => exposition.add(Metric::Failures, &[&self.dir, self.operation, code], 1.0),
            None => exposition.set(Metric::LastSuccess, &of_operation, self.at),
        }
        let Ok(measured) = &self.result else { return };
        if let Some(problems) = measured.problems {
            exposition.set(Metric::Problems, &[&self.dir], problems as f64);
        }
        if let Some(generation) = measured.generation {
            exposition.set(Metric::Generation, &[&self.dir], generation as f64);
        }
        for dataset in &measured.withdrawn {
            exposition.forget_dataset(&[&self.dir, dataset]);
        }
        for dataset in &measured.datasets {
            let labels = [self.dir.as_str(), dataset.name];
            exposition.set(Metric::DatasetLastSuccess, &labels, self.at);
            exposition.set(Metric::DatasetSize, &labels, dataset.size as f64);
            exposition.add(Metric::DatasetBytes, &labels, dataset.size as f64);
            if let Some(rows) = dataset.rows {
                exposition.set(Metric::DatasetRows, &labels, rows as f64);
            }
            match dataset.expires {
                Some(end) => exposition.set(Metric::DatasetExpires, &labels, end),
                None => exposition.forget(Metric::DatasetExpires, &labels),
            }
        }
    }
}
