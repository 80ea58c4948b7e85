//! A feed behind an address, for the native reader.

use std::io::Read;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::layout::Dir;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{
    Caching, Document, Kind, Known, LockPolicy, Payload, Plan, Reading, Request, Shape, Wanted,
};
use lastgood::protocol::time::Timestamp;
use lastgood::read::{Origin, drive};
use ureq::http::HeaderMap;

/// A feed that is fetched over HTTP, with nothing cached.
pub struct HttpOrigin {
    feed: String,
    agent: ureq::Agent,
    lock: LockPolicy,
    missing_objects: u64,
}

impl HttpOrigin {
    /// The feed at an address, which ends in a slash.
    #[must_use]
    pub fn new(feed: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { feed: feed.to_owned(), agent: config.into(), lock: LockPolicy::Wait, missing_objects: 0 }
    }

    /// The same with another policy than to wait while datasets are locked.
    #[must_use]
    pub fn with_lock_policy(self, lock: LockPolicy) -> Self {
        Self { lock, ..self }
    }

    /// How often an object was not there that a manifest had named.
    #[must_use]
    pub fn missing_objects(&self) -> u64 {
        self.missing_objects
    }

    /// Reads datasets of one generation.
    ///
    /// # Errors
    /// The failure that the read algorithm reports.
    pub fn snapshot(&mut self, datasets: &[DatasetName]) -> Result<Vec<Reading<Vec<u8>>>, Failure> {
        let plan = Self::plan(datasets, self.lock);
        drive(self, plan, Known::default()).result
    }

    /// What is to be read.
    #[must_use]
    pub fn plan(datasets: &[DatasetName], lock: LockPolicy) -> Plan {
        let any = |dataset: &DatasetName| Wanted { dataset: dataset.clone(), kind: Kind::Any(Shape::default()) };
        let datasets = datasets.iter().map(any).collect();
        Plan { datasets, lock, lock_wait_ms: 5000, max_bytes: 1 << 30, max_age_ms: None, again: false }
    }

    fn get(&self, request: &Request) -> Result<(Vec<u8>, HeaderMap), Failure> {
        let path = request.path.as_str();
        let caching = match request.caching {
            Caching::Allow => "max-age=31536000",
            Caching::Revalidate => "max-age=0",
            Caching::Bypass => "no-cache",
            Caching::Forbid => "no-store",
        };
        let sent = self.agent.get(format!("{}{path}", self.feed));
        let mut response = sent
            .header("accept", "application/json")
            .header("cache-control", caching)
            .call()
            .map_err(|error| Failure::new(Code::Offline, format!("{path}: {error}")).at(path))?;
        if response.status() != 200 {
            return Err(Failure::http(path, response.status().as_u16()));
        }
        let mut bytes = Vec::new();
        // One byte more than allowed tells a body that is too large from one that just fits.
        let read = response.body_mut().as_reader().take(request.limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(Code::Truncated, format!("{path}: {error}")).at(path))?;
        if bytes.len() as u64 > request.limit {
            return Err(Failure::too_large(path, request.limit));
        }
        Ok((bytes, response.headers().clone()))
    }
}

impl Origin for HttpOrigin {
    type Value = Vec<u8>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        let (bytes, headers) = self.get(request)?;
        Ok(Document { bytes, server_time: server_time(&headers) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Vec<u8>>, Failure> {
        let answer = self.get(request);
        let is_missing = |failure: &Failure| failure.status == Some(404);
        if request.path.dir() == Dir::Objects && answer.as_ref().err().is_some_and(is_missing) {
            self.missing_objects += 1;
        }
        let (bytes, _) = answer?;
        Ok(Payload { sha256: Sha256::of(&bytes), size: bytes.len() as u64, value: Ok(bytes) })
    }

    fn cached(&mut self, _: &DatasetName) -> Option<Payload<Vec<u8>>> {
        None
    }

    fn wait(&mut self, ms: u64) {
        thread::sleep(Duration::from_millis(ms));
    }

    fn now(&mut self) -> Timestamp {
        timestamp(SystemTime::now())
    }
}

/// When the answer was made, and how long caches on the way have kept it since.
fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name| headers.get(name)?.to_str().ok();
    let made = httpdate::parse_http_date(text("date")?).ok()?;
    let age: i64 = text("age").and_then(|age| age.parse().ok()).unwrap_or(0);
    Some(timestamp(made).plus_ms(age.saturating_mul(1000)))
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    Timestamp::from_ms(i64::try_from(since.as_millis()).expect("the clock is before the year 292 million"))
}
