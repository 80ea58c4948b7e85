//! `lastgood history`

use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::protocol::name::DatasetName;
use lastgood::{Change, History as Found, PastCommit, PastDataset};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::text::one_line;
use crate::{Session, output, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood history --limit 10
  lastgood history performance               (the commits that published it)
  lastgood history performance --json | jq '.commits[].generation'

Only what is retained is listed; `lastgood gc` says what that is. A payload that a dataset had before, such as after
`lastgood rollback`, is shown as \"back to\" the last generation that had it.";

/// List what was published, when, how large, and by whom, the newest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct History {
    /// Only the commits that published this dataset [default: all]
    name: Option<DatasetName>,
    /// At most so many commits
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    commits: Vec<Commit<'a>>,
    /// Whether there are older ones that were left out.
    more: bool,
    damaged: Vec<Damaged<'a>>,
}

#[derive(Serialize)]
struct Commit<'a> {
    generation: u64,
    commit: String,
    feed: String,
    published_at: String,
    expires_at: Option<String>,
    who: Option<&'a str>,
    command: Option<&'a str>,
    datasets: Vec<Dataset<'a>>,
    withdrawn: Vec<&'a str>,
    /// How many payloads were purged.
    purged: usize,
}

#[derive(Serialize)]
struct Dataset<'a> {
    dataset: &'a str,
    change: &'static str,
    back_to: Option<u64>,
    size: u64,
    rows: Option<u64>,
    sha256: String,
    ext: &'a str,
    meta: Option<&'a RawValue>,
    forced: Vec<&'a str>,
    expires_at: Option<String>,
    purged_at: Option<String>,
}

#[derive(Serialize)]
struct Damaged<'a> {
    path: &'a str,
    problem: String,
}

impl History {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let feed = session.feed();
        let found = feed.history(self.name.as_ref(), self.limit)?;
        if let Some(name) = self.name.as_ref().filter(|_| found.commits.is_empty() && !found.more) {
            unknown::check(std::iter::once(name), &feed.manifest()?)?;
        }
        let report = Report::new(session, &found);
        for Damaged { path, problem } in &report.damaged {
            output::warn(&format_args!("{path} {problem}; what it says is missing from this list"));
        }
        session.output.answer(&report, Exit::Done)
    }
}

impl<'a> Report<'a> {
    fn new(session: &Session, found: &'a Found) -> Self {
        let damaged = found.damaged.iter();
        Self {
            dir: session.dir.path.display().to_string(),
            commits: found.commits.iter().map(Commit::new).collect(),
            more: found.more,
            damaged: damaged.map(|(path, kind)| Damaged { path: path.as_str(), problem: kind.to_string() }).collect(),
        }
    }
}

impl<'a> Commit<'a> {
    fn new(commit: &'a PastCommit) -> Self {
        let logged = commit.logged.as_ref();
        Self {
            generation: commit.generation.get(),
            commit: commit.commit.to_string(),
            feed: commit.feed.to_string(),
            published_at: commit.published_at.to_string(),
            expires_at: commit.expires_at.map(|at| at.to_string()),
            who: logged.map(|logged| logged.who.as_str()),
            command: logged.map(|logged| logged.command.as_str()),
            datasets: commit.datasets.iter().map(|dataset| Dataset::new(commit, dataset)).collect(),
            withdrawn: commit.withdrawn.iter().map(DatasetName::as_str).collect(),
            purged: commit.purged,
        }
    }
}

impl<'a> Dataset<'a> {
    fn new(commit: &'a PastCommit, past: &'a PastDataset) -> Self {
        let (change, back_to) = match past.change {
            Change::New => ("new", None),
            Change::Changed => ("changed", None),
            Change::BackTo(generation) => ("back", Some(generation.get())),
            Change::Unchanged => ("unchanged", None),
        };
        Self {
            dataset: past.dataset.as_str(),
            change,
            back_to,
            size: past.size,
            rows: commit.logged.as_ref().and_then(|logged| logged.rows.get(&past.dataset).copied()),
            sha256: past.sha256.to_string(),
            ext: past.ext.as_str(),
            meta: past.meta.as_ref().and_then(|meta| serde_json::from_str(meta.as_str()).ok()),
            forced: past.forced.iter().flat_map(|codes| codes.split_whitespace()).collect(),
            expires_at: past.expires_at.map(|end| end.to_string()),
            purged_at: past.purged_at.map(|at| at.to_string()),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.commits.iter().flat_map(|commit| &commit.datasets).map(|dataset| dataset.dataset.len());
        let width = names.max().unwrap_or(0);
        for commit in &self.commits {
            write!(f, "{}  {}", commit.generation, commit.published_at)?;
            if let Some(who) = commit.who {
                write!(f, "  {}", one_line(who))?;
            }
            if let Some(command) = commit.command {
                write!(f, "  {}", one_line(command))?;
            }
            writeln!(f)?;
            match (commit.datasets.is_empty(), commit.withdrawn.is_empty(), commit.purged) {
                (true, true, 0) => writeln!(f, "  no dataset changed; feed {}", commit.feed)?,
                (true, true, purged) => writeln!(f, "  no dataset changed; purged {purged} earlier payload(s)")?,
                _ => commit.withdrawn.iter().try_for_each(|name| writeln!(f, "  {name:width$}  withdrawn"))?,
            }
            for dataset in &commit.datasets {
                writeln!(f, "  {:width$}  {dataset}", dataset.dataset)?;
            }
        }
        match (self.commits.is_empty(), self.more) {
            (true, _) => writeln!(f, "nothing that is retained published it"),
            (_, true) => writeln!(f, "older ones are left out because of --limit"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Dataset<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = HumanBytes(self.size).to_string();
        write!(f, "{size:>12}  ")?;
        match self.back_to {
            Some(generation) => write!(f, "back to generation {generation}")?,
            None => f.write_str(self.change)?,
        }
        if let Some(rows) = self.rows {
            write!(f, "  {rows} {}", if rows == 1 { "row" } else { "rows" })?;
        }
        if !self.forced.is_empty() {
            write!(f, "  forced: {}", self.forced.join(", "))?;
        }
        if let Some(end) = &self.expires_at {
            write!(f, "  expires at {end}")?;
        }
        if let Some(at) = &self.purged_at {
            write!(f, "  purged at {at}")?;
        }
        if let Some(meta) = self.meta {
            write!(f, "  {}", one_line(meta.get()))?;
        }
        Ok(())
    }
}
