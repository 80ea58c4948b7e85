//! The manifest: reached, intact, the one that was published, and asked for anew each time.

use std::cmp::Ordering;

use lastgood::protocol::manifest::{MAX_MANIFEST_BYTES, Manifest};

use super::super::finding::{Check, Finding};
use super::super::place::{Place, Published};
use super::super::words::{age, quoted};
use super::body::decoded;
use super::remedy::{Server, Settings, caddy};
use super::{Question, Served};
use crate::remote::{Answer, Client, FeedUrl, NoAnswer};

const MANIFEST: &str = "manifest.json";
const REDIRECTS: usize = 5;
/// As `fetch` with `cache: "no-cache"` asks.
const ASK_ANEW: (&str, &str) = ("Cache-Control", "max-age=0");

/// Looks at the manifest; without one there is nothing else to look at.
pub(super) fn examine<'a>(
    client: &'a Client,
    question: &Question<'a>,
    used: &Place,
) -> (Option<Served<'a>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let Some((url, answer)) = reach(client, question.url, &mut findings) else { return (None, findings) };
    findings.push(tls(&url));
    let server = Server::of(&answer);
    let bytes = decoded(&answer);
    let manifest = match Manifest::verify(&bytes) {
        Ok(manifest) => manifest,
        Err(problem) => {
            let found = format!("{}: {problem}{}", url.join(MANIFEST), answer.through());
            let remedy = if answer.is_html() {
                not_a_page(server, &url.path())
            } else {
                "lastgood verify, here and where the server runs; see whether something on the way changes what \
                    it sends (minifier, virus scanner, template engine)"
                    .to_owned()
            };
            findings.push(Check::UrlManifest.error(found).remedy(remedy));
            return (None, findings);
        }
    };
    findings.extend(compare(&url, &manifest, &bytes, &answer, used));
    let served = Served { client, url, server, manifest, answer, origin: question.origin };
    findings.push(caching(&served));
    findings.extend(revalidation(&served));
    (Some(served), findings)
}

/// Whether another commit is served by now.
pub(super) fn has_changed(served: &Served<'_>) -> bool {
    let now = served.client.get(&served.url.join(MANIFEST), &[ASK_ANEW], MAX_MANIFEST_BYTES + 1);
    let now = now.ok().and_then(|answer| Manifest::verify(&decoded(&answer)).ok());
    now.is_some_and(|now| now.commit != served.manifest.commit)
}

/// Gets the manifest, along redirects, which are told of.
fn reach(client: &Client, url: &FeedUrl, findings: &mut Vec<Finding>) -> Option<(FeedUrl, Answer)> {
    let mut at = url.clone();
    let mut hops = Vec::new();
    loop {
        let answer = match client.get(&at.join(MANIFEST), &[ASK_ANEW], MAX_MANIFEST_BYTES + 1) {
            Ok(answer) => answer,
            Err(NoAnswer { problem, remedy, .. }) => {
                findings.push(Check::UrlReachable.error(problem).remedy(remedy));
                return None;
            }
        };
        if matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            let location = answer.header("location").unwrap_or_default().to_owned();
            hops.push(format!("{} to {location}", answer.status));
            match at.redirected(&location) {
                Some(next) if hops.len() <= REDIRECTS => {
                    at = next;
                    continue;
                }
                _ => {
                    let found = format!("{} leads away from the feed: {}", url.join(MANIFEST), hops.join(", "));
                    let remedy = format!(
                        "serve {MANIFEST} at this address without a redirect and without a login, or give the \
                            address that it leads to: --url URL"
                    );
                    findings.push(Check::UrlRedirect.error(found).remedy(remedy));
                    return None;
                }
            }
        }
        if answer.status != 200 {
            findings.push(refused(&at, &answer));
            return None;
        }
        findings.push(Check::UrlReachable.ok(format!(
            "{} answers in {} ms",
            at.join(MANIFEST),
            answer.at.1 - answer.at.0
        )));
        findings.push(redirected(url, &at, &hops));
        return Some((at, answer));
    }
}

fn redirected(url: &FeedUrl, at: &FeedUrl, hops: &[String]) -> Finding {
    if hops.is_empty() {
        return Check::UrlRedirect.ok("served at this address without detours");
    }
    let found = format!("{url} is redirected ({}): each request of a reader makes the detour", hops.join(", "));
    let remedy = format!("give pages the address itself: open(\"{at}\")");
    let only_https = url.to_string().strip_prefix("http:") == at.to_string().strip_prefix("https:");
    if only_https {
        Check::UrlRedirect.note(found).remedy(remedy)
    } else {
        Check::UrlRedirect.warning(found).remedy(remedy)
    }
}

fn refused(url: &FeedUrl, answer: &Answer) -> Finding {
    let remedy = match answer.status {
        401 | 403 => "if the server's user may not read the files: lastgood doctor --as-user www-data; if it \
            asks for a login, exempt the feed's path; bucket: allow s3:GetObject on the prefix"
            .to_owned(),
        404 | 410 => {
            let path = url.path();
            format!(
                "the server looks elsewhere, or the address is wrong\nnginx: location {path} {{ alias \
                    /THE/FEED/DIRECTORY/; }}\nCaddy: handle_path {path}* {{\n  root * \
                    /THE/FEED/DIRECTORY\n  file_server\n}}\nbucket: copy the feed to this prefix, {MANIFEST} \
                    last"
            )
        }
        _ => "see the server's error log".to_owned(),
    };
    let found = format!("{} is answered with {}{}", url.join(MANIFEST), answer.status, answer.through());
    Check::UrlReachable.error(found).remedy(remedy)
}

fn tls(url: &FeedUrl) -> Finding {
    if url.is_https() || url.is_local() {
        return Check::UrlTls.ok(if url.is_https() {
            "served over https"
        } else {
            "a local address: browsers treat it as safe"
        });
    }
    let found = "served over http: pages on https cannot read it (mixed content), anybody on the way can change \
        it, and browsers have no crypto.subtle there, so checksums take longer";
    Check::UrlTls
        .note(found)
        .remedy("serve it over https: Caddy does it by itself when given a host name; nginx: certbot --nginx")
}

/// What makes a server answer a missing file with 404 instead of a page.
pub(super) fn not_a_page(server: Server, path: &str) -> String {
    server.remedy(
        path,
        &Settings {
            nginx: "try_files $uri =404;",
            caddy: "file_server, and no try_files; the page has a `handle { … }` of its own beside this one",
            bucket: "do not set index.html as the error document, or only for paths outside the feed \
                    (CloudFront: remove the custom error response for 403 and 404)",
        },
    )
}

/// Feed, generation and bytes against the directory.
fn compare(url: &FeedUrl, served: &Manifest, bytes: &[u8], answer: &Answer, used: &Place) -> Vec<Finding> {
    let intact = Check::UrlManifest.ok(format!("intact, generation {} of feed {}", served.generation, served.feed));
    // What was published since the directory was looked at is looked at now.
    let again =
        used.published().filter(|before| before.manifest.commit != served.commit).map(|_| Place::look(&used.path));
    let Some(local) = again.as_ref().unwrap_or(used).published() else { return vec![intact] };
    let dir = used.path.display();
    if local.manifest.feed != served.feed {
        let found = format!(
            "the server serves another feed than the one in the directory: what is published here never reaches \
                it.\nhere:   {dir} has feed {}, generation {}\nserved: {url} has feed {}, generation {}, \
                published {}",
            local.manifest.feed, local.manifest.generation, served.feed, served.generation, served.published_at
        );
        let remedy = elsewhere(&quoted(&used.path));
        return vec![intact, Check::UrlFeed.error(found).remedy(remedy)];
    }
    let same_feed = Check::UrlFeed.ok(format!("the same feed as in {dir}"));
    if local.manifest.commit != served.commit {
        return vec![intact, same_feed, behind(url, served, answer, used, local)];
    }
    let same = Check::UrlGeneration.ok(format!("the same generation as in {dir}: {}", served.generation));
    if local.bytes != bytes {
        let found = "the served manifest has the same content as the one in the directory, but not the same \
            bytes: something on the way changes it";
        let altered = Check::UrlManifest.warning(found).remedy(
            "turn off what rewrites responses (minifier, \
            template engine, content filter) for the feed; send Cache-Control: no-transform",
        );
        return vec![altered, same_feed, same];
    }
    vec![intact, same_feed, same]
}

fn elsewhere(dir: &str) -> String {
    format!(
        "let the server serve this directory (where is it looking? nginx -T | grep -E 'root|alias'; in a \
            container: docker inspect, Mounts), or publish to the directory that it serves: --dir, LASTGOOD_DIR \
            or `dir` in lastgood.toml instead of {dir}"
    )
}

fn behind(url: &FeedUrl, served: &Manifest, answer: &Answer, used: &Place, local: &Published) -> Finding {
    let (here, there) = (&local.manifest, served);
    let found = format!(
        "here:   {} has generation {} of {}\nserved: {url} has generation {} of {}{}",
        used.path.display(),
        here.generation,
        here.published_at,
        there.generation,
        there.published_at,
        answer.through()
    );
    let dir = quoted(&used.path);
    match there.generation.cmp(&here.generation) {
        Ordering::Less => {
            let ago = age(here.published_at.ms_since(there.published_at));
            let cached = answer.header("age").is_some_and(|age| age != "0");
            let cause = if cached {
                "a cache on the way hands out an old manifest".to_owned()
            } else {
                "the server serves an old copy, or a cache on the way does".to_owned()
            };
            Check::UrlGeneration.error(format!("{cause}, {ago} behind.\n{found}")).remedy(format!(
                "if there is a CDN: purge {}, and have it revalidate that path (Cache-Control: no-cache)\nif it \
                    serves a copy (build output, rsync, bucket): copy again, objects first and {MANIFEST} \
                    last\notherwise {}",
                url.join(MANIFEST),
                elsewhere(&dir)
            ))
        }
        _ => Check::UrlGeneration
            .error(format!(
                "the server is ahead: somebody publishes this feed from another directory or \
                machine.\n{found}"
            ))
            .remedy(format!(
                "publish from one place only; if {dir} is an old copy, remove it and publish where \
                the others do: lastgood doctor there says which directory it uses"
            )),
    }
}

/// Whether caches must ask before they hand it out.
fn caching(served: &Served<'_>) -> Finding {
    let caching = served.answer.caching();
    let at = served.at(MANIFEST);
    let remedy = served.remedy(&Settings {
        nginx: &format!("location = {at} {{ add_header Cache-Control no-cache; }}"),
        caddy: caddy::CURRENT,
        bucket: "copy it with --cache-control no-cache; CDN: a cache policy with TTL 0 for this path",
    });
    let kept = served.answer.header("age").and_then(|age| age.parse::<u64>().ok()).filter(|seconds| *seconds > 0);
    if caching.unasked() {
        let found = format!("{MANIFEST} is sent with {caching}: caches hand out an old one without asking");
        Check::UrlManifestCaching.error(found).remedy(remedy)
    } else if let Some(seconds) = kept {
        let found = format!(
            "{MANIFEST} comes from a cache that has kept it for {seconds} s{}, although it was asked for anew",
            served.answer.through()
        );
        Check::UrlManifestCaching.warning(found).remedy(remedy)
    } else if !caching.asks() {
        let found = format!("{MANIFEST} is sent with {caching}: browsers and CDNs keep it for as long as they guess");
        Check::UrlManifestCaching.warning(found).remedy(remedy)
    } else {
        Check::UrlManifestCaching.ok(format!("{MANIFEST} is sent with {caching}"))
    }
}

/// Whether one who has the manifest already is told so without being sent it again, and only one who has this one.
fn revalidation(served: &Served<'_>) -> Option<Finding> {
    let check = Check::UrlRevalidation;
    // The ETag alone is right: manifests of one second differ in length, of which every server makes it, too.
    let cure = || {
        served.remedy(&Settings {
            nginx: "etag on; if_modified_since off; add_header Last-Modified \"\"; and the last again in each location in it \
                    that has an add_header of its own",
            caddy: "request_header -If-Modified-Since\nheader -Last-Modified",
            bucket: "buckets send ETag by themselves and heed If-Modified-Since, too; publish at most once a second",
        })
    };
    let (etag, modified) = (served.answer.header("etag"), served.answer.header("last-modified"));
    let get = |condition| served.client.get(&served.url.join(MANIFEST), &[ASK_ANEW, condition], MAX_MANIFEST_BYTES + 1);
    let is_unchanged = |condition| get(condition).map(|answer| (answer.status == 304, answer.status));
    let by_etag = etag.map(|etag| is_unchanged(("If-None-Match", etag))).transpose();
    let by_time = modified.map(|modified| is_unchanged(("If-Modified-Since", modified))).transpose();
    let (by_etag, by_time) = match (by_etag, by_time) {
        (Err(none), _) | (_, Err(none)) if none.late => return None,
        (Err(NoAnswer { problem, remedy, .. }), _) | (_, Err(NoAnswer { problem, remedy, .. })) => {
            return Some(check.warning(problem).remedy(remedy));
        }
        (Ok(by_etag), Ok(by_time)) => (by_etag, by_time),
    };
    let again = |why: &str| format!("{why}: each poll of each reader downloads it whole");
    Some(match (by_etag, by_time) {
        (None, None) => check.note(again("the manifest is sent without ETag and Last-Modified")).remedy(cure()),
        (None, Some((false, _))) => check.note(again("the manifest is sent without ETag")).remedy(cure()),
        (Some((false, status)), _) => check
            .note(again(&format!("an unchanged manifest is sent again (status {status} where 304 was due)")))
            .remedy(
                "see what changes the ETag on the way: compression on the fly (switch it off for the manifest), several servers \
                 with different files",
            ),
        (None, Some((true, _))) => check
            .note(
                "the manifest is sent without ETag, and Last-Modified knows only the second: of two that are published within one \
                 second, readers who have the first keep it until the next publish",
            )
            .remedy(cure()),
        (Some((true, _)), Some((true, _))) => check
            .note(
                "an unchanged manifest is not sent again, but If-Modified-Since is heeded, too, which knows only the second: of two \
                 that are published within one second, whoever asks by it alone, such as a cache on the way, keeps the first \
                 until the next publish",
            )
            .remedy(cure()),
        (Some((true, _)), _) => check.ok("an unchanged manifest is not sent again (304)"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Severity;
    use super::*;

    #[test]
    fn a_redirect_to_https_alone_is_no_fault() {
        let severity = |to: &str| {
            let (from, to) = ("http://example.org/data/".parse().unwrap(), to.parse().unwrap());
            redirected(&from, &to, &["301".to_owned()]).severity
        };
        assert_eq!(severity("https://example.org/data/"), Severity::Note);
        assert_eq!(severity("https://www.example.org/data/"), Severity::Warning);
        assert_eq!(severity("http://example.org/feed/"), Severity::Warning);
    }
}
