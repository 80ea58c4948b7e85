//! What is served, fetched as a browser would and compared with what was written.

mod body;
mod compression;
mod manifest;
mod manners;
mod objects;
mod remedy;

use std::time::Duration;

use lastgood::protocol::manifest::Manifest;

use super::finding::{Check, Finding, Severity};
use super::place::Place;

use self::remedy::{Server, Settings};
use crate::remote::{Answer, Client, FeedUrl, NoAnswer};

/// What is asked of the server, and how.
pub(super) struct Question<'a> {
    pub(super) url: &'a FeedUrl,
    /// The origin of the page that reads the feed; `None` for a page of the same origin.
    pub(super) origin: Option<&'a str>,
    pub(super) timeout: Duration,
}

/// A feed on a server that answers.
struct Served<'a> {
    client: &'a Client,
    url: FeedUrl,
    server: Server,
    manifest: Manifest,
    /// The answer that brought the manifest.
    answer: Answer,
    origin: Option<&'a str>,
}

impl Served<'_> {
    /// The path of something in the feed as a server's configuration names it.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.path())
    }

    /// The setting of this server.
    fn remedy(&self, settings: &Settings<'_>) -> String {
        self.server.remedy(&self.url.path(), settings)
    }

    /// Gets something small.
    fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.client.get(&self.url.join(path), &[], SMALL)
    }
}

/// More than this is not read of answers that are looked at for their headers.
const SMALL: u64 = 256 * 1024;

/// Looks at everything that the server tells, as long as there is time. What is published meanwhile is looked at again.
pub(super) fn examine(question: &Question<'_>, used: &Place) -> Vec<Finding> {
    let client = Client::new(question.url, question.timeout, "lastgood-doctor");
    let mut attempts = 0;
    loop {
        let (served, mut findings) = manifest::examine(&client, question, used);
        let Some(served) = served else { return findings };
        findings.extend(objects::examine(&served));
        findings.extend(manners::examine(&served));
        attempts += 1;
        let bad = findings.iter().any(|finding| finding.severity > Severity::Note);
        if client.is_late() {
            findings.push(late(&client));
            return findings;
        }
        if !bad || attempts == 3 || !manifest::has_changed(&served) {
            return findings;
        }
    }
}

/// Not every check could be made.
fn late(client: &Client) -> Finding {
    let seconds = client.limit().as_secs_f64();
    Check::UrlReachable
        .error(format!("the server has not answered everything within {seconds} s: the checks that are not listed were not made"))
        .remedy(
            "see why it is slow: curl -o /dev/null -w '%{speed_download} bytes/s\\n' URL; allow more time with --timeout 5m",
        )
}
