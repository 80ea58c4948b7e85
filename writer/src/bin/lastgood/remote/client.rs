//! Fetches as a browser does, but shows everything: no redirect is followed, nothing is decoded, no status is an error.

use std::io::{self, Read};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ureq::Proxy;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::{RootCerts, TlsConfig};

/// The address of a feed.
///
/// Invariant: absolute, `http` or `https`, and it ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedUrl(String);

impl FeedUrl {
    /// The address of something in the feed.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The part that a server's configuration is written for: `/data/`.
    pub(crate) fn path(&self) -> String {
        self.uri().path().to_owned()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Whether browsers treat the host as safe without https (the loopback names).
    pub(crate) fn is_local(&self) -> bool {
        let uri = self.uri();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.ends_with(".localhost") || host == "::1" || host.starts_with("127.")
    }

    /// The address that a redirect of the manifest leads to: where the whole feed must then be.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let uri = self.uri();
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let absolute = match location {
            other if other.starts_with("//") => format!("{scheme}:{other}"),
            path if path.starts_with('/') => format!("{scheme}://{authority}{path}"),
            other => other.to_owned(),
        };
        absolute.strip_suffix("manifest.json")?.parse().ok()
    }

    fn uri(&self) -> Uri {
        self.0.parse().expect("it was parsed when it was made")
    }
}

impl FromStr for FeedUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem =
            || format!("{text:?} is not the address of a feed: expected one such as https://example.org/data/");
        let feed = text.strip_suffix("manifest.json").unwrap_or(text);
        let feed = if feed.ends_with('/') { feed.to_owned() } else { format!("{feed}/") };
        let uri: Uri = feed.parse().map_err(|_| problem())?;
        let known =
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
        if known && uri.query().is_none() { Ok(Self(feed)) } else { Err(problem()) }
    }
}

impl std::fmt::Display for FeedUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks the server, for as long as there is time.
pub(crate) struct Client {
    agent: ureq::Agent,
    limit: Duration,
    /// When all of it must be over, however many requests there are and however slowly the answers come.
    end: Instant,
}

/// What it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// As it was sent, compressed or not; cut after the limit.
    pub(crate) body: Vec<u8>,
    /// When it was asked for and when the headers were there, in milliseconds since 1970.
    pub(crate) at: (i64, i64),
}

const UNKNOWN_HOST: &str = "correct the host name, or its DNS record";

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) problem: String,
    pub(crate) remedy: &'static str,
    /// Whether the time was over.
    pub(crate) late: bool,
}

impl Client {
    /// For requests to `url`, all of which together take no longer than `limit` from now on. As browsers do it, a proxy is not
    /// asked for what is on this machine.
    pub(crate) fn new(url: &FeedUrl, limit: Duration, program: &str) -> Self {
        let proxy = if url.is_local() { None } else { Proxy::try_from_env() };
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(proxy)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept("application/json")
            .accept_encoding("gzip, br")
            .user_agent(format!("{program}/{}", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let now = Instant::now();
        // A limit beyond what a clock can tell is none.
        let end = now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(365 * 86_400));
        Self { agent: config.new_agent(), limit, end }
    }

    /// Whether the time is over. What was not answered by then says nothing about the server but that.
    pub(crate) fn is_late(&self) -> bool {
        self.left().is_zero()
    }

    /// How long everything may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Gets `url`, of the body at most `limit` bytes.
    pub(crate) fn get(&self, url: &str, headers: &[(&str, &str)], limit: u64) -> Result<Answer, NoAnswer> {
        let left = self.left();
        if left.is_zero() {
            return Err(NoAnswer::late(url, self.limit));
        }
        let mut request = self.agent.get(url).config().timeout_global(Some(left)).build();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let asked = now_ms();
        let failed = |error: &ureq::Error| match error {
            ureq::Error::Timeout(_) => NoAnswer::late(url, self.limit),
            error => NoAnswer::new(url, error),
        };
        let response = request.call().map_err(|error| failed(&error))?;
        let at = (asked, now_ms());
        let (parts, body) = response.into_parts();
        let mut bytes = Vec::new();
        let read = body.into_reader().take(limit).read_to_end(&mut bytes);
        read.map_err(|error| failed(&ureq::Error::from(error)))?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: bytes, at })
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl NoAnswer {
    fn new(url: &str, error: &ureq::Error) -> Self {
        let remedy = match error {
            ureq::Error::HostNotFound => UNKNOWN_HOST,
            // The system's resolver has no error kind of its own.
            ureq::Error::Io(error) if error.to_string().contains("lookup") => UNKNOWN_HOST,
            ureq::Error::Io(error) if !url.starts_with("https:") || error.kind() != io::ErrorKind::InvalidData => {
                "see whether the server runs and listens on this port: curl -v URL"
            }
            _ if url.starts_with("https:") => {
                "see what is wrong with the certificate, or whether this port speaks TLS at all: curl -v URL; \
                    browsers refuse it, too. A certificate of your own authority must be among those that this \
                    system trusts"
            }
            _ => "see what the server sends: curl -v URL",
        };
        Self { problem: format!("{url}: {error}"), remedy, late: false }
    }

    fn late(url: &str, limit: Duration) -> Self {
        let problem = format!("{url}: timeout, after the {} s that --timeout gives", limit.as_secs_f64());
        let remedy = "see whether the server runs, a firewall lets its port through and the line is fast enough; allow more time with \
             --timeout 5m";
        Self { problem, remedy, late: true }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The directives of `Cache-Control`.
    pub(crate) fn caching(&self) -> Caching {
        let values = self.headers.get_all("cache-control").iter().filter_map(|value| value.to_str().ok());
        let directives = values.flat_map(|value| value.split(','));
        Caching(directives.map(|directive| directive.trim().to_ascii_lowercase()).filter(|d| !d.is_empty()).collect())
    }

    /// Whether it is a page for people.
    pub(crate) fn is_html(&self) -> bool {
        let typed = self.header("content-type").is_some_and(|value| value.contains("html"));
        typed || self.body.trim_ascii_start().starts_with(b"<")
    }

    /// What there is to know of caches on the way.
    pub(crate) fn through(&self) -> String {
        let names = ["age", "x-cache", "cf-cache-status", "via"];
        let found: Vec<String> =
            names.iter().filter_map(|name| Some(format!("{name}: {}", self.header(name)?))).collect();
        if found.is_empty() { String::new() } else { format!(" ({})", found.join(", ")) }
    }
}

/// The directives of a `Cache-Control`.
pub(crate) struct Caching(Vec<String>);

impl Caching {
    pub(crate) fn has(&self, directive: &str) -> bool {
        self.0.iter().any(|found| found == directive)
    }

    /// For how many seconds it may be handed out without asking; `None` when nothing says so.
    pub(crate) fn lifetime(&self, name: &str) -> Option<u64> {
        self.0
            .iter()
            .find_map(|directive| directive.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').parse().ok())
    }

    /// Whether every cache asks before it hands it out.
    pub(crate) fn asks(&self) -> bool {
        self.has("no-cache") || self.has("no-store") || self.lifetime("max-age") == Some(0)
    }

    /// Whether some cache may hand it out without asking.
    pub(crate) fn unasked(&self) -> bool {
        let lives = |name| self.lifetime(name).is_some_and(|seconds| seconds > 0);
        self.has("immutable")
            || (!self.has("no-cache") && !self.has("no-store") && (lives("max-age") || lives("s-maxage")))
    }
}

impl std::fmt::Display for Caching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            f.write_str("no Cache-Control")
        } else {
            write!(f, "Cache-Control: {}", self.0.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_and_anything_else_refused() {
        for text in ["https://example.org/data", "https://example.org/data/", "https://example.org/data/manifest.json"]
        {
            assert_eq!(text.parse::<FeedUrl>().unwrap().to_string(), "https://example.org/data/");
        }
        for text in ["example.org/data", "/data", "ftp://example.org/", "https://", "https://example.org/?a=b", ""] {
            assert!(text.parse::<FeedUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_names_are_local() {
        let local = |text: &str| text.parse::<FeedUrl>().unwrap().is_local();
        assert!(local("http://localhost:8080/data/") && local("http://127.0.0.1/") && local("http://[::1]:80/"));
        assert!(
            !local("http://example.org/") && !local("http://192.168.0.7/") && !local("http://localhost.example.org/")
        );
    }

    #[test]
    fn redirects_lead_to_where_the_feed_is() {
        let url: FeedUrl = "http://example.org/data/".parse().unwrap();
        let to = |location: &str| url.redirected(location).map(|url| url.to_string());
        assert_eq!(to("https://example.org/data/manifest.json").as_deref(), Some("https://example.org/data/"));
        assert_eq!(to("/feed/manifest.json").as_deref(), Some("http://example.org/feed/"));
        assert_eq!(to("//cdn.example.org/manifest.json").as_deref(), Some("http://cdn.example.org/"));
        assert_eq!(to("https://example.org/login"), None);
    }
}
