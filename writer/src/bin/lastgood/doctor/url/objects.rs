//! The payloads: objects and plain copies.

use lastgood::protocol::layout;
use lastgood::protocol::manifest::Entry;
use lastgood::protocol::name::DatasetName;

use super::super::finding::{Check, Finding};
use super::super::place::plain_copies;
use super::super::words::some;
use super::Served;
use super::body::{Arrived, arrived};
use super::compression::{self, Sent};
use super::remedy::{Settings, caddy};
use crate::remote::Answer;

/// With so many datasets all are fetched, with more the newest, the largest and the smallest.
const ALL_UP_TO: usize = 8;
/// Larger payloads are not fetched.
const LARGEST: u64 = 64 * 1024 * 1024;
const DAY: u64 = 86_400;

/// What was found of several files: problems by file, and how many were looked at.
struct Tally {
    check: Check,
    wrong: Vec<String>,
    /// Whether the time was over before all were looked at.
    late: bool,
}

pub(super) fn examine(served: &Served<'_>) -> Vec<Finding> {
    let datasets = &served.manifest.datasets;
    let chosen = chosen(served);
    let mut objects = Tally { check: Check::UrlObjects, wrong: Vec::new(), late: false };
    let mut copies = Tally { check: Check::UrlPlainCopy, wrong: Vec::new(), late: false };
    let mut findings = Vec::new();
    // The headers are the same for all: they are judged on the largest payload that arrived.
    let mut largest: Option<(&Entry, Answer, Arrived)> = None;
    for (_, entry) in &chosen {
        let path = layout::object(&entry.sha256, &entry.ext);
        match fetch(served, path.as_str(), entry) {
            Err(Wrong { late: true, .. }) => objects.late = true,
            Err(Wrong { problem, .. }) => objects.wrong.push(problem),
            Ok((answer, arrived)) => {
                if arrived == Arrived::Other {
                    objects.wrong.push(format!("{path} is not what was published{}", answer.through()));
                } else if largest.as_ref().is_none_or(|(found, ..)| found.size < entry.size) {
                    largest = Some((entry, answer, arrived));
                }
            }
        }
    }
    let mut largest_copy: Option<(&Entry, Answer, Arrived)> = None;
    let is_chosen = |name: &DatasetName| chosen.iter().any(|(chosen, _)| *chosen == name);
    let mut copied = 0;
    for (_, entry, path) in plain_copies(&served.manifest).filter(|(name, ..)| is_chosen(name)) {
        copied += 1;
        match fetch(served, path.as_str(), entry) {
            Err(Wrong { late: true, .. }) => copies.late = true,
            Err(Wrong { problem, .. }) => copies.wrong.push(problem),
            Ok((answer, Arrived::Other)) => {
                copies.wrong.push(format!("{path} is not the current payload{}", answer.through()));
            }
            Ok((answer, _)) if answer.caching().unasked() => {
                copies.wrong.push(format!("{path} is sent with {}, so caches hand out an old one", answer.caching()));
            }
            Ok((answer, _)) if !answer.caching().asks() => copies.wrong.push(format!(
                "{path} is sent with {}: browsers and CDNs keep it for as long as they guess",
                answer.caching()
            )),
            Ok((answer, arrived)) => {
                if largest_copy.as_ref().is_none_or(|(found, ..)| found.size < entry.size) {
                    largest_copy = Some((entry, answer, arrived));
                }
            }
        }
    }
    let looked_at = format!("{} of {}", chosen.len(), datasets.len());
    findings.extend(objects.finding(
        format!("{looked_at} object(s) fetched, decoded and hashed: all are what was published"),
        "see whether the server serves the whole directory: ls objects/; to a bucket or another server copy the \
            objects first and manifest.json last\nif something on the way changes JSON (minifier, filter), turn \
            it off for the feed",
    ));
    findings.extend(copies.finding(
        format!("{copied} plain copies fetched: all are the current payload"),
        &format!(
            "lastgood recover rebuilds them here; purge them from the CDN, and send them with \
            Cache-Control: no-cache as manifest.json\n{}",
            copies_setting(served)
        ),
    ));
    if let Some((entry, answer, arrived)) = largest {
        findings.push(caching(served, &answer));
        if entry.ext.is_json() {
            findings.push(content_type(served, &answer));
            let copy = largest_copy.as_ref().filter(|(entry, ..)| entry.ext.is_json());
            let copy = copy.map(|(entry, answer, arrived)| Sent { what: "plain copies", entry, answer, arrived });
            let objects = Sent { what: "objects", entry, answer: &answer, arrived: &arrived };
            findings.extend(compression::examine(served, &objects, copy.as_ref()));
        }
    }
    findings
}

/// A few datasets that stand for all.
fn chosen<'a>(served: &'a Served<'_>) -> Vec<(&'a DatasetName, &'a Entry)> {
    let mut fitting: Vec<_> = served.manifest.datasets.iter().filter(|(_, entry)| entry.size <= LARGEST).collect();
    if fitting.len() > ALL_UP_TO {
        fitting.sort_by_key(|(_, entry)| entry.size);
        let newest = fitting.iter().max_by_key(|(_, entry)| entry.generation).copied();
        let (smallest, largest) = (fitting.first().copied(), fitting.last().copied());
        fitting = [newest, smallest, largest].into_iter().flatten().collect();
        fitting.sort_by_key(|(name, _)| *name);
        fitting.dedup_by_key(|(name, _)| *name);
    }
    fitting
}

/// Why a payload was not had, or not the right one.
struct Wrong {
    problem: String,
    late: bool,
}

impl From<String> for Wrong {
    fn from(problem: String) -> Self {
        Self { problem, late: false }
    }
}

fn fetch(served: &Served<'_>, path: &str, entry: &Entry) -> Result<(Answer, Arrived), Wrong> {
    // Compressed it may be a little longer than it was.
    let limit = entry.size + entry.size / 8 + 64 * 1024;
    let answer = served.client.get(&served.url.join(path), &[], limit);
    let answer = answer.map_err(|none| Wrong { problem: none.problem, late: none.late })?;
    if answer.status != 200 {
        return Err(format!("{path} is answered with {}", answer.status).into());
    }
    let arrived = arrived(&answer, &entry.sha256, entry.size);
    if arrived == Arrived::Other && answer.is_html() {
        return Err(format!("{path} is answered with an HTML page").into());
    }
    Ok((answer, arrived))
}

impl Tally {
    /// What is to be told: nothing, where no problem was found and not everything was looked at.
    fn finding(self, ok: String, remedy: &str) -> Option<Finding> {
        match (self.wrong.is_empty(), self.check) {
            (true, _) if self.late => None,
            (true, check) => Some(check.ok(ok)),
            // Readers do without plain copies.
            (false, Check::UrlPlainCopy) => Some(Check::UrlPlainCopy.warning(some(&self.wrong)).remedy(remedy)),
            (false, check) => Some(check.error(some(&self.wrong)).remedy(remedy)),
        }
    }
}

fn copies_setting(served: &Served<'_>) -> String {
    served.remedy(&Settings {
        nginx: "add_header Cache-Control no-cache;",
        caddy: caddy::CURRENT,
        bucket: "copy them with --cache-control no-cache",
    })
}

fn caching(served: &Served<'_>, answer: &Answer) -> Finding {
    let caching = answer.caching();
    let keeps = caching.lifetime("max-age").is_some_and(|seconds| seconds >= DAY);
    if keeps && !caching.has("no-cache") && !caching.has("no-store") {
        return Check::UrlObjectCaching.ok(format!("objects are sent with {caching}"));
    }
    let at = served.at("objects/");
    let remedy = served.remedy(&Settings {
        nginx: &format!("location {at} {{ add_header Cache-Control \"public, max-age=31536000, immutable\"; }}"),
        caddy: caddy::OBJECTS,
        bucket: "copy objects/ with --cache-control 'public, max-age=31536000, immutable'",
    });
    let found = format!("objects are sent with {caching}; they never change, and browsers need not ask for them again");
    Check::UrlObjectCaching.note(found).remedy(remedy)
}

fn content_type(served: &Served<'_>, answer: &Answer) -> Finding {
    let found = answer.header("content-type").unwrap_or("no Content-Type");
    let essence = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Check::UrlContentType.ok(format!("JSON is sent as {found}"));
    }
    let remedy = served.remedy(&Settings {
        nginx: "include mime.types; (in http)",
        caddy: "@json path *.json\nheader @json Content-Type application/json",
        bucket: "copy with --content-type application/json",
    });
    Check::UrlContentType
        .warning(format!("JSON is sent as {found}; servers and CDNs compress by type, and programs parse by it"))
        .remedy(remedy)
}
