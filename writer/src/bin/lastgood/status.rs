//! `lastgood status`

use std::fmt;
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, HumanDuration};
use lastgood::config::value;
use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::marker::Holder;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::time::Timestamp;
use lastgood::read::Origin;
use lastgood::{LockStatus, Status as FeedStatus};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::recover::old_copy_ways;
use crate::remote::RemoteOptions;
use crate::{Session, output, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood status
  lastgood status --max-age 1h               (exit code 1 when any dataset is older)
  lastgood status --max-age 1d performance   (when this one is)
  lastgood status --max-age 1h --url https://example.org/data/   (of what is served, from any machine)

The age of a dataset counts from when it was last published, changed or not; a time in the future, which is that of a
wrong clock, is too old as well. What was published with --expires-in is told with the time from which on readers take it
for stale; with --json as `expires_at` and `expired`. Exit code 1 when that time has come, also without --max-age.";

/// A clock that is off by less, in milliseconds, is not worth a word.
const TOLERANCE_MS: u64 = 5_000;

/// Say what is published, since when, where, and who is publishing now
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// Only these datasets [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<DatasetName>,
    /// Exit with 1 when a dataset was last published longer ago than this
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    max_age: Option<Duration>,
    #[command(flatten)]
    remote: RemoteOptions,
}

impl Status {
    /// Whether it reads at an address, and no directory.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.url.is_some()
    }

    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let status = match self.remote.origin() {
            Some(mut origin) => served(origin.published().map_err(Failure::Remote)?, origin.now()),
            None => session.feed().status()?,
        };
        unknown::check(self.names.iter(), &status.manifest)?;
        let report = self.report(session, &status);
        let named = |is: fn(&Dataset<'_>) -> bool| {
            let names: Vec<&str> =
                report.datasets.iter().filter(|dataset| is(dataset)).map(|dataset| dataset.dataset).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let stale = named(|dataset| dataset.stale && !dataset.in_future);
        let in_future = named(|dataset| dataset.in_future).filter(|_| self.max_age.is_some());
        let expired = named(|dataset| dataset.expired);
        let fine = stale.is_none() && in_future.is_none() && expired.is_none();
        let exit = match status.old_copy {
            Some(_) => Exit::Damaged,
            None if fine => Exit::Done,
            None => Exit::Failed,
        };
        let exit = session.output.answer(&report, exit)?;
        if let Some(names) = stale {
            output::warn(&format_args!("older than the --max-age: {names}"));
        }
        if let Some(names) = in_future {
            let now = status.at;
            output::warn(&format_args!(
                "published in the future of this machine's clock ({now}), so that nobody can tell how old it is: {names}; set the \
                 clocks right, here and where it is published (timedatectl set-ntp true), then publish again"
            ));
        }
        if let Some(names) = expired {
            output::warn(&format_args!(
                "expired, and readers do not take it for current: {names}; publish again, and find out why nothing was \
                 published in time"
            ));
        }
        Ok(exit)
    }

    fn report<'a>(&self, session: &'a Session, status: &'a FeedStatus) -> Report<'a> {
        let manifest = &status.manifest;
        let local = self.remote.url.is_none();
        let wanted = |name: &DatasetName| self.names.is_empty() || self.names.contains(name);
        let datasets = manifest.datasets.iter().filter(|(name, _)| wanted(name)).map(|(name, entry)| {
            let age_ms = status.at.ms_since(entry.published_at);
            let in_future = entry.published_at.ms_since(status.at) > TOLERANCE_MS;
            let end = manifest.end_of(entry);
            let expired = end.is_some_and(|end| end <= status.at);
            Dataset {
                dataset: name.as_str(),
                size: entry.size,
                sha256: entry.sha256.to_string(),
                generation: entry.generation.get(),
                published_at: entry.published_at.to_string(),
                age_ms,
                stale: self.max_age.is_some_and(|limit| in_future || Duration::from_millis(age_ms) > limit),
                in_future,
                ahead_ms: entry.published_at.ms_since(status.at),
                expires_at: end.map(|end| end.to_string()),
                expired,
                expiry: end.map(|end| Expiry::new(end, status.at)),
                meta: entry.meta.as_ref().and_then(|meta| serde_json::from_str(meta.as_str()).ok()),
            }
        });
        let foreign = status.foreign_markers.iter();
        Report {
            url: self.remote.url.as_ref().map(ToString::to_string),
            dir: local.then(|| session.dir.path.display().to_string()),
            dir_origin: local.then(|| session.dir.origin.to_string()),
            feed: manifest.feed.to_string(),
            generation: manifest.generation.get(),
            commit: manifest.commit.to_string(),
            published_at: manifest.published_at.to_string(),
            age_ms: status.age_ms,
            expires_at: manifest.expires_at.map(|at| at.to_string()),
            expired: manifest.expired(status.at),
            expiry: manifest.expires_at.map(|end| Expiry::new(end, status.at)),
            retained: local.then_some(status.retained.len()),
            old_copy_of: status.old_copy.map(|old_copy| old_copy.known.get()),
            way_out: status.old_copy.map_or_else(Vec::new, |old_copy| old_copy_ways(&old_copy, session)),
            lock: status.lock.as_ref().map(|lock| Lock::new(lock, status.at)),
            foreign_markers: foreign
                .map(|marker| ForeignMarker { path: marker.path.as_str(), age_ms: marker.age_ms })
                .collect(),
            datasets: datasets.collect(),
        }
    }
}

/// What a served manifest says. Of locks and of what is retained it tells nothing.
fn served(manifest: Manifest, at: Timestamp) -> FeedStatus {
    let age_ms = at.ms_since(manifest.published_at);
    FeedStatus { manifest, at, age_ms, retained: Vec::new(), lock: None, foreign_markers: Vec::new(), old_copy: None }
}

#[derive(Serialize)]
struct Report<'a> {
    /// Where it is served, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Where it is on this machine, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dir_origin: Option<String>,
    feed: String,
    generation: u64,
    commit: String,
    published_at: String,
    age_ms: u64,
    /// From when on readers take the whole generation for stale, if ever.
    expires_at: Option<String>,
    expired: bool,
    #[serde(skip)]
    expiry: Option<Expiry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retained: Option<usize>,
    /// The generation that is known to have been published, where a lower one is now.
    old_copy_of: Option<u64>,
    /// What can be done about that, in words.
    way_out: Vec<String>,
    lock: Option<Lock<'a>>,
    foreign_markers: Vec<ForeignMarker<'a>>,
    datasets: Vec<Dataset<'a>>,
}

/// How far away it is that readers take something for stale.
enum Expiry {
    In(Duration),
    Ago(Duration),
}

impl Expiry {
    fn new(end: Timestamp, now: Timestamp) -> Self {
        match end <= now {
            true => Self::Ago(Duration::from_millis(now.ms_since(end))),
            false => Self::In(Duration::from_millis(end.ms_since(now))),
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(time) => write!(f, "expires in {}", HumanDuration(*time)),
            Self::Ago(time) => write!(f, "expired {} ago", HumanDuration(*time)),
        }
    }
}

#[derive(Serialize)]
struct Lock<'a> {
    held: bool,
    host: Option<&'a str>,
    pid: Option<u32>,
    age_ms: Option<u64>,
    datasets: Vec<&'a str>,
    #[serde(skip)]
    holder: Option<&'a Holder>,
}

#[derive(Serialize)]
struct ForeignMarker<'a> {
    path: &'a str,
    age_ms: u64,
}

#[derive(Serialize)]
struct Dataset<'a> {
    dataset: &'a str,
    size: u64,
    sha256: String,
    generation: u64,
    published_at: String,
    age_ms: u64,
    stale: bool,
    /// Whether it is dated later than now, by more than clocks may differ.
    in_future: bool,
    #[serde(skip)]
    ahead_ms: u64,
    /// From when on readers take it for stale, if ever.
    expires_at: Option<String>,
    expired: bool,
    #[serde(skip)]
    expiry: Option<Expiry>,
    meta: Option<&'a RawValue>,
}

impl Dataset<'_> {
    /// How long ago it was published, and what follows from that.
    fn when(&self) -> String {
        let span = |ms| HumanDuration(Duration::from_millis(ms));
        let mut when = match self.in_future {
            true => format!("in {}: a clock is wrong", span(self.ahead_ms)),
            false if self.stale => format!("{} ago, too old", span(self.age_ms)),
            false => format!("{} ago", span(self.age_ms)),
        };
        if let Some(expiry) = &self.expiry {
            when.push_str(&format!("; {expiry}"));
        }
        when
    }
}

impl<'a> Lock<'a> {
    fn new(lock: &'a LockStatus, at: Timestamp) -> Self {
        let (holder, marker) = (lock.holder.as_ref(), lock.marker.as_ref());
        Self {
            held: lock.held,
            host: holder.map(|holder| holder.host.as_str()),
            pid: holder.map(|holder| holder.pid),
            age_ms: marker.map(|marker| at.ms_since(marker.acquired_at)),
            datasets: marker.iter().flat_map(|marker| &marker.datasets).map(DatasetName::as_str).collect(),
            holder,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = |ms| HumanDuration(Duration::from_millis(ms));
        if let Some(url) = &self.url {
            writeln!(f, "address     {url}")?;
        }
        if let (Some(dir), Some(origin)) = (&self.dir, &self.dir_origin) {
            writeln!(f, "directory   {dir} ({origin})")?;
        }
        writeln!(f, "feed        {}", self.feed)?;
        writeln!(f, "generation  {} of {} ({} ago)", self.generation, self.published_at, age(self.age_ms))?;
        if let (Some(expires_at), Some(expiry)) = (&self.expires_at, &self.expiry) {
            let stale = if self.expired { ": readers take all datasets for stale until the next publish" } else { "" };
            writeln!(f, "expires     {expires_at} ({expiry}{stale})")?;
        }
        if let Some(known) = self.old_copy_of {
            writeln!(
                f,
                "old copy    generation {known} has been published: nothing can be published before that is decided"
            )?;
        }
        self.way_out.iter().try_for_each(|way| writeln!(f, "way out     {way}"))?;
        writeln!(f, "commit      {}", self.commit)?;
        if let Some(retained) = self.retained {
            writeln!(f, "retained    {retained} generation(s)")?;
            match &self.lock {
                None => writeln!(f, "lock        free")?,
                Some(lock) => writeln!(f, "lock        {lock}")?,
            }
        }
        for marker in &self.foreign_markers {
            let age = age(marker.age_ms);
            writeln!(
                f,
                "marker      {}, which lastgood did not write, {age} old; publishing waits for it",
                marker.path
            )?;
        }
        writeln!(f)?;
        let width = self.datasets.iter().map(|dataset| dataset.dataset.len()).max().unwrap_or(0).max(7);
        writeln!(f, "{:width$}  {:>12}  {:>10}  published", "dataset", "size", "generation")?;
        for dataset in &self.datasets {
            let Dataset { dataset: name, size, generation, published_at, .. } = dataset;
            let (size, when) = (HumanBytes(*size).to_string(), dataset.when());
            writeln!(f, "{name:width$}  {size:>12}  {generation:>10}  {published_at} ({when})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Lock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.holder.map_or_else(|| "an unknown process".to_owned(), ToString::to_string);
        f.write_str(if self.held { "held by " } else { "free; a marker was left behind by " })?;
        f.write_str(&who)?;
        if let Some(ms) = self.age_ms {
            write!(f, ", {} old", HumanDuration(Duration::from_millis(ms)))?;
        }
        if !self.datasets.is_empty() {
            write!(f, ", for {}", self.datasets.join(", "))?;
        }
        f.write_str(if self.held { "" } else { "; the next publish removes it" })
    }
}
