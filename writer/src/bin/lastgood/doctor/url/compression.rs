//! Whether payloads are sent compressed: objects, and the plain copies that a first visit asks for.

use lastgood::protocol::manifest::Entry;

use super::super::finding::{Check, Finding, Severity};
use super::super::words::bytes;
use super::Served;
use super::body::Arrived;
use super::remedy::{Settings, caddy};
use crate::remote::Answer;

/// From this size on a payload is worth compressing.
const WORTH_COMPRESSING: u64 = 1024;

/// The largest payload that arrived, and how.
pub(super) struct Sent<'a> {
    /// The files of which it is one.
    pub(super) what: &'a str,
    pub(super) entry: &'a Entry,
    pub(super) answer: &'a Answer,
    pub(super) arrived: &'a Arrived,
}

/// One finding for both: of the plain copies where the objects are as they should be.
pub(super) fn examine(served: &Served<'_>, objects: &Sent<'_>, copies: Option<&Sent<'_>>) -> Option<Finding> {
    let of_objects = objects.judge(served)?;
    let of_copies = copies.and_then(|copies| copies.judge(served));
    let wrong = of_copies.filter(|found| of_objects.severity == Severity::Ok && found.severity > Severity::Ok);
    Some(wrong.unwrap_or(of_objects))
}

impl Sent<'_> {
    fn judge(&self, served: &Served<'_>) -> Option<Finding> {
        let check = Check::UrlCompression;
        let what = self.what;
        let once = |found: String| {
            let nginx = format!("{} and no rewrite to .gz files; it sets Content-Encoding by itself", nginx(served));
            let remedy = served.remedy(&Settings {
                nginx: &nginx,
                caddy: caddy::COMPRESSED,
                bucket: "copy .gz and .br files with --content-encoding gzip or br, or the plain ones without it",
            });
            check.error(found).remedy(remedy)
        };
        match self.arrived {
            Arrived::Other => None,
            Arrived::Unlabelled(encoding) => Some(once(format!(
                "{what} are sent compressed ({encoding}) without Content-Encoding: browsers take them for rubbish"
            ))),
            Arrived::Twice(encoding) => Some(once(format!(
                "{what} are sent compressed twice ({encoding} inside): browsers undo it once and get rubbish"
            ))),
            Arrived::Undecodable(problem) => Some(once(format!("{what} are sent with {problem}"))),
            Arrived::Right(Some(encoding)) => Some(self.varies(served, encoding)),
            Arrived::Right(None) if self.entry.size < WORTH_COMPRESSING => {
                Some(check.ok("the payloads are too small to be worth compressing"))
            }
            Arrived::Right(None) => {
                let remedy = served.remedy(&Settings {
                    nginx: &nginx(served),
                    caddy: caddy::COMPRESSED,
                    bucket: "turn on compression in the CDN for application/json",
                });
                let found = format!(
                    "{} of JSON are sent uncompressed ({what}), although br and gzip were asked for",
                    bytes(self.entry.size)
                );
                Some(check.note(found).remedy(remedy))
            }
        }
    }

    /// Whether caches on the way are told that there are several forms.
    fn varies(&self, served: &Served<'_>, encoding: &str) -> Finding {
        let (sent, size) = (bytes(self.answer.body.len() as u64), bytes(self.entry.size));
        let vary = self.answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
        let vary = vary.collect::<String>().to_ascii_lowercase();
        if vary.contains("accept-encoding") || vary.contains('*') {
            return Check::UrlCompression.ok(format!("{size} are sent as {sent} ({encoding})"));
        }
        let found = format!(
            "{} are sent compressed ({encoding}) without Vary: Accept-Encoding: a shared cache hands that to readers who cannot \
             undo it",
            self.what
        );
        let remedy = served.remedy(&Settings {
            nginx: "gzip_vary on;",
            caddy: "header +Vary Accept-Encoding",
            bucket: "in the CDN, make Accept-Encoding part of the cache key",
        });
        Check::UrlCompression.warning(found).remedy(remedy)
    }
}

/// The location of what has compressed siblings: objects and plain copies.
fn nginx(served: &Served<'_>) -> String {
    let is_literal = |char: char| char.is_ascii_alphanumeric() || "/-_~%".contains(char);
    let escaped = |char: char| if is_literal(char) { char.to_string() } else { format!("\\{char}") };
    let at: String = served.at("").chars().map(escaped).collect();
    format!(
        "location ~ \"^{at}(objects/|(?!manifest\\.|last_update\\.|[^/]*_backup\\.)[a-z0-9][a-z0-9_-]*\\.[a-z0-9]+$)\" \
         {{ gzip_static on; gzip_vary on; }}"
    )
}
