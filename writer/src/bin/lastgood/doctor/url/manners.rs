//! What the server does beyond the feed's files: missing and private ones, other origins, the time.

use lastgood::protocol::marker::LockMarker;

use super::super::finding::{Check, Finding};
use super::super::words::age;
use super::Served;
use super::manifest::not_a_page;
use super::remedy::{Settings, caddy};
use crate::remote::{Answer, NoAnswer};

/// An object that is not there: no payload has this digest.
const MISSING: &str = "objects/0000000000000000000000000000000000000000000000000000000000000000.json";
/// A difference of clocks that a reader may notice, and one at which leases and ages are wrong.
const CLOCK_NOTE_MS: u64 = 5_000;
const CLOCK_WARNING_MS: u64 = 30_000;
/// An origin that no page has (RFC 2606), for asking what others get.
const SOME_ORIGIN: &str = "https://lastgood.invalid";

pub(super) fn examine(served: &Served<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in [missing, lock, private, listing, cors, clock] {
        let finding = check(served);
        // What came too late says nothing about this.
        if served.client.is_late() {
            break;
        }
        findings.push(finding);
    }
    findings
}

fn unanswered(check: Check, NoAnswer { problem, remedy, .. }: NoAnswer) -> Finding {
    check.warning(problem).remedy(remedy)
}

/// A missing object: with a page in its place, a reader cannot tell what is missing from what is damaged.
fn missing(served: &Served<'_>) -> Finding {
    let check = Check::UrlMissing;
    let answer = match served.get(MISSING) {
        Ok(answer) => answer,
        Err(none) => return unanswered(check, none),
    };
    let kept = answer.caching().lifetime("s-maxage").max(answer.caching().lifetime("max-age")).filter(|s| *s > 0);
    match (answer.status, kept) {
        (404 | 410, None) => check.ok(format!("a missing object is answered with {}", answer.status)),
        (404 | 410, Some(seconds)) => check
            .warning(format!(
                "a missing object is answered with {} and {}: asked for a moment too early, it is \
                missing for {seconds} s",
                answer.status,
                answer.caching()
            ))
            .remedy(served.remedy(&Settings {
                nginx: "no `always` at add_header Cache-Control, and no `expires`, so that errors are left alone",
                caddy: caddy::OBJECTS,
                bucket: "in the CDN, set the error caching minimum TTL for 403 and 404 to 0",
            })),
        (403, _) => {
            check.note("a missing object is answered with 403, so readers cannot tell missing from forbidden").remedy(
                "bucket: allow s3:ListBucket on the prefix to whoever reads, or map 403 to 404 in the CDN; \
                other servers: see their error log",
            )
        }
        (status, _) => {
            let what = if answer.is_html() { "an HTML page" } else { "something else" };
            check
                .error(format!(
                    "a missing object is answered with {status} and {what} instead of 404: the page \
                    of a single-page app, as it seems"
                ))
                .remedy(not_a_page(served.server, &served.url.path()))
        }
    }
}

/// The lock marker, which is usually not there and is asked for at every poll.
fn lock(served: &Served<'_>) -> Finding {
    let check = Check::UrlLock;
    let answer = match served.get(".lock") {
        Ok(answer) => answer,
        Err(none) => return unanswered(check, none),
    };
    let at = served.at(".lock");
    let never = served.remedy(&Settings {
        nginx: &format!(
            "location = {at} {{ add_header Cache-Control no-store always; error_page 404 = \
                    @unlocked; log_not_found off; }}\nnginx, in the server: location @unlocked {{ return 204; }}"
        ),
        caddy: caddy::LOCK,
        bucket: "nothing to do if the marker is not copied there; in the CDN, TTL 0 for this path",
    });
    if answer.caching().unasked() {
        let found = format!(
            ".lock is answered with {}: a cached marker, or its absence, outlives the commit",
            answer.caching()
        );
        return check.warning(found).remedy(never);
    }
    match answer.status {
        204 => check.ok("a missing lock marker is answered with 204"),
        200 if LockMarker::decode(&answer.body).is_ok() => check.ok("the lock marker is served; a publish is going on"),
        404 | 403 | 410 => check
            .note(format!(
                "a missing lock marker is answered with {}: harmless, but browsers write it to the \
                console at every poll",
                answer.status
            ))
            .remedy(never),
        status => check
            .warning(format!(
                "a missing lock marker is answered with {status} and something that is no marker; \
                readers take it for not locked, but it is sent at every poll"
            ))
            .remedy(never),
    }
}

/// The writer's own directory.
fn private(served: &Served<'_>) -> Finding {
    let check = Check::UrlPrivate;
    let at = served.at(".lastgood/");
    let mut open = Vec::new();
    for path in [".lastgood/lock", ".lastgood/holder", ".lastgood/staging/"] {
        match served.get(path) {
            // A page stands for a missing file here: that is told of by another check.
            Ok(answer) if answer.status == 200 && (!answer.is_html() || is_listing(served, &answer)) => open.push(path),
            Ok(_) => {}
            Err(none) => return unanswered(check, none),
        }
    }
    if open.is_empty() {
        return check.ok(".lastgood/ is not served");
    }
    let remedy = served.remedy(&Settings {
        nginx: &format!("location ^~ {at} {{ return 404; }}"),
        caddy: caddy::PRIVATE,
        bucket: "do not copy it: --exclude '.lastgood/*'; remove what is there",
    });
    check
        .error(format!("{} is served: unpublished data lies there while a publish runs", open.join(", ")))
        .remedy(remedy)
}

/// Directories: whoever lists objects/ and history/ sees what was published before.
fn listing(served: &Served<'_>) -> Finding {
    let check = Check::UrlListing;
    let mut listed = Vec::new();
    for path in ["", "objects/", "history/"] {
        match served.get(path) {
            Ok(answer) if answer.status == 200 && is_listing(served, &answer) => listed.push(served.at(path)),
            Ok(_) => {}
            Err(none) => return unanswered(check, none),
        }
    }
    if listed.is_empty() {
        return check.ok("directories are not listed");
    }
    let remedy = served.remedy(&Settings {
        nginx: "autoindex off;",
        caddy: "file_server without `browse`",
        bucket: "take s3:ListBucket away from anonymous readers",
    });
    check
        .note(format!("{} can be listed by anybody, with all that was published before", listed.join(", ")))
        .remedy(remedy)
}

fn is_listing(served: &Served<'_>, answer: &Answer) -> bool {
    let body = String::from_utf8_lossy(&super::body::decoded(answer)).into_owned();
    let names = served.manifest.datasets.values().map(|entry| entry.sha256.to_string());
    body.contains("Index of")
        || body.contains("ListBucketResult")
        || body.contains("manifest.json\"")
        || names.into_iter().any(|name| body.contains(&name))
}

/// Reading from pages of other origins.
fn cors(served: &Served<'_>) -> Finding {
    let check = Check::UrlCors;
    let origin = served.origin.unwrap_or(SOME_ORIGIN);
    let answer = match served.client.get(&served.url.join("manifest.json"), &[("Origin", origin)], super::SMALL) {
        Ok(answer) => answer,
        Err(none) => return unanswered(check, none),
    };
    let remedy = served.remedy(&Settings {
        nginx: &format!(
            "add_header Access-Control-Allow-Origin {origin} always; add_header \
                    Access-Control-Expose-Headers \"Date, Age\" always; and the same in each location in it \
                    that has an add_header of its own"
        ),
        caddy: &format!(
            "header Access-Control-Allow-Origin {origin}\nheader \
                    Access-Control-Expose-Headers \"Date, Age\""
        ),
        bucket: &format!(
            "CORS rule: AllowedOrigins [\"{origin}\"], AllowedMethods [\"GET\", \"HEAD\"], \
                    ExposeHeaders [\"Date\", \"Age\"]"
        ),
    });
    let allowed = answer.header("access-control-allow-origin");
    let exposed = answer.header("access-control-expose-headers").unwrap_or_default().to_ascii_lowercase();
    let exposes_date = exposed.contains("date") || exposed.contains('*');
    match (allowed, served.origin) {
        (None, None) => check.ok("only pages of the same origin may read it; give --origin to ask for another"),
        (Some(allowed), Some(origin)) if allowed != "*" && allowed != origin => {
            check.error(format!("pages of {origin} may not read it, only those of {allowed}")).remedy(remedy)
        }
        (None, Some(origin)) => check
            .error(format!(
                "pages of {origin} may not read it: no \
            Access-Control-Allow-Origin"
            ))
            .remedy(remedy),
        (Some(allowed), _) if !exposes_date => check
            .warning(format!(
                "pages of {allowed} may read it, but not the header Date: readers there cannot \
                tell whether a lock marker still counts, and ignore it"
            ))
            .remedy(remedy),
        (Some(allowed), _) => check.ok(format!("pages of {allowed} may read it, and see Date")),
    }
}

/// The server's clock: readers count ages and leases by it.
fn clock(served: &Served<'_>) -> Finding {
    let check = Check::UrlClock;
    let answer = &served.answer;
    let date = answer.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
    let Some(since) = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok()) else {
        return check
            .warning(
                "the server does not tell the time (no valid Date header): readers cannot tell whether a \
                lock marker still counts, and ignore it",
            )
            .remedy("every usual server sends Date: see what removes it on the way");
    };
    let kept: i64 = answer.header("age").and_then(|text| text.parse().ok()).unwrap_or(0);
    let there = i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(kept.saturating_mul(1000));
    // The header has whole seconds, and was written between asking and answer.
    let (asked, answered) = answer.at;
    let difference = if there > answered { there - answered } else { (asked - there - 999).max(0) };
    let difference = u64::try_from(difference).unwrap_or(0);
    let found = format!("the server's clock and that of this machine differ by {}", age(difference));
    let remedy = "timedatectl set-ntp true, on the one that is wrong: readers count leases and ages by the \
        server's clock, publishers date them by their own";
    if difference > CLOCK_WARNING_MS {
        check.warning(found).remedy(remedy)
    } else if difference > CLOCK_NOTE_MS {
        check.note(found).remedy(remedy)
    } else {
        check.ok("the server's clock agrees with that of this machine")
    }
}
