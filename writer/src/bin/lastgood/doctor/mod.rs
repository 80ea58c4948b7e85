//! `lastgood doctor`
//!
//! Findings are values: each check looks at one thing and says what it found, how bad it is, and exactly what to do.
//! Nothing that is published is changed, and no lock is needed.

mod finding;
mod local;
mod place;
mod report;
mod url;
mod words;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use lastgood::config::value;
use lastgood::protocol::time::Timestamp;

use crate::Session;
use crate::exit::{Exit, Failure};

use self::finding::Severity;
use self::local::Visitor;
#[cfg(unix)]
pub(crate) use self::local::advice;
use self::place::Place;
use self::report::{List, Report};
use self::url::Question;
use crate::remote::FeedUrl;

const EXAMPLES: &str = "\
Examples:
  lastgood doctor
  lastgood doctor --url https://example.org/data/
  lastgood doctor --as-user www-data
  lastgood doctor --list                    (every check, and the question that it answers)

Exits with 1 when there is a warning or an error, else with 0.
docs/doctor.md explains each check.";

/// Find out what is wrong: directory, permissions, disk, locks, and what the web server makes of it
///
/// Says which directory is used and why, whether another could be taken for it, and whether the web server's user can
/// read it. With --url it fetches the feed as a browser would and compares what is served with what was written. Changes
/// nothing that is published and needs no lock.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Where the feed is served, such as https://example.org/data/
    #[arg(long, value_name = "URL")]
    url: Option<FeedUrl>,
    /// The origin of the pages that read it, if it is another, such as https://www.example.org
    #[arg(long, value_name = "ORIGIN", requires = "url")]
    origin: Option<String>,
    /// How long all that is asked of the server may take together; what is not answered by then is told
    #[arg(long, value_name = "TIME", value_parser = value::time, default_value = "60s")]
    timeout: Duration,
    /// The web server's user, such as www-data [default: any other user]
    #[cfg(unix)]
    #[arg(long, value_name = "USER")]
    as_user: Option<String>,
    /// List every check
    #[arg(long)]
    list: bool,
}

impl Doctor {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        if self.list {
            return session.output.answer(&List::all(), Exit::Done);
        }
        let visitor = self.visitor()?;
        let now = now();
        let used = Place::look(&session.dir.path);
        let mut findings = local::examine(&session.dir, &used, &visitor, self.url.is_some(), now);
        if let Some(url) = &self.url {
            let question = Question { url, origin: self.origin.as_deref(), timeout: self.timeout };
            findings.extend(url::examine(&question, &used));
        }
        let report = Report {
            dir: session.dir.path.display().to_string(),
            dir_origin: session.dir.origin.to_string(),
            url: self.url.map(|url| url.to_string()),
            findings,
        };
        let exit = if report.worst() > Severity::Note { Exit::Failed } else { Exit::Done };
        session.output.answer(&report, exit)
    }

    #[cfg(unix)]
    fn visitor(&self) -> Result<Visitor, Failure> {
        let named = self.as_user.as_deref().map(Visitor::named).transpose().map_err(Failure::Usage)?;
        Ok(named.unwrap_or(Visitor::Others))
    }

    #[cfg(not(unix))]
    fn visitor(&self) -> Result<Visitor, Failure> {
        Ok(Visitor)
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
