//! A feed at an address as an origin of the native reader.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::layout;
use lastgood::protocol::manifest::{Generation, MAX_MANIFEST_BYTES, Manifest, SchemaRef};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::read::{
    Caching, Document, Kind, Known, LockPolicy, Payload, Plan, Reading, Request, Shape, Wanted,
};
use lastgood::protocol::time::Timestamp;
use lastgood::read::{Origin, drive};

use super::body::{decode, encoding};
use super::client::{Client, FeedUrl};

/// A feed that is fetched, with nothing cached. All of it takes no longer than its limit.
pub(crate) struct HttpOrigin {
    url: FeedUrl,
    client: Client,
    /// The generation to be read; `None` for the published one.
    generation: Option<Generation>,
}

impl HttpOrigin {
    pub(crate) fn new(url: &FeedUrl, limit: Duration) -> Self {
        Self { url: url.clone(), client: Client::new(url, limit, "lastgood"), generation: None }
    }

    /// The same feed as it was in this generation, which must be retained.
    pub(crate) fn at(self, generation: Option<Generation>) -> Self {
        Self { generation, ..self }
    }

    /// What is published, verified.
    pub(crate) fn published(&mut self) -> Result<Manifest, Failure> {
        let request = Request { path: layout::manifest(), limit: MAX_MANIFEST_BYTES, caching: Caching::Revalidate };
        Ok((*self.manifest(&request)?.manifest).clone())
    }

    /// A payload, verified, and validated if it was published with a schema.
    pub(crate) fn read(&mut self, dataset: &DatasetName, max_bytes: u64) -> Result<Reading<Vec<u8>>, Failure> {
        let wanted = Wanted { dataset: dataset.clone(), kind: Kind::Any(Shape::default()) };
        // The manifest is always consistent; the marker is for those who would rather wait.
        let (datasets, lock) = (vec![wanted], LockPolicy::Ignore);
        let plan = Plan { datasets, lock, lock_wait_ms: 0, max_bytes, max_age_ms: None, again: false };
        let readings = drive(self, plan, Known::default()).result?;
        Ok(readings.into_iter().next().expect("a snapshot of one dataset has one reading"))
    }

    /// The schema that a dataset was published with, verified.
    pub(crate) fn schema(&mut self, dataset: &DatasetName, schema: &SchemaRef) -> Result<Vec<u8>, Failure> {
        let path = layout::object(&schema.sha256, &Ext::json());
        let request = Request { path: path.clone(), limit: schema.size, caching: Caching::Allow };
        let bytes = self.document(&request).map_err(|failure| failure.of(dataset))?.bytes;
        if Sha256::of(&bytes) == schema.sha256 {
            return Ok(bytes);
        }
        let detail = format!("{path} is not the schema that was published");
        Err(Failure::new(Code::ChecksumMismatch, detail).at(path.as_str()).of(dataset))
    }

    fn get(&self, request: &Request) -> Result<(Vec<u8>, Option<Timestamp>), Failure> {
        let path = match self.generation {
            Some(generation) if request.path == layout::manifest() => layout::history(generation),
            _ => request.path.clone(),
        };
        let path = path.as_str();
        let url = self.url.join(path);
        let revalidated = [("Cache-Control", "max-age=0")];
        let headers = if request.caching == Caching::Allow { &[][..] } else { &revalidated[..] };
        // One byte more than allowed tells a body that is too large from one that just fits.
        let limit = request.limit.saturating_add(1);
        let answer = self.client.get(&url, headers, limit).map_err(|none| {
            let code = if none.late { Code::Timeout } else { Code::Offline };
            Failure::new(code, format!("{}; {}", none.problem, none.remedy)).at(path)
        })?;
        match (answer.status, answer.header("location"), self.generation) {
            (200, ..) => {}
            (300..=399, Some(location), _) => {
                let mut failure = Failure::http(path, answer.status);
                failure.detail =
                    format!("{url} is redirected to {location}; give the address that it leads to: --url URL");
                return Err(failure);
            }
            (404, _, Some(generation)) if request.path == layout::manifest() => {
                let detail = format!("generation {generation} is not retained: {url} is answered with 404");
                return Err(Failure::new(Code::NotFound, detail).at(path));
            }
            (status, ..) => {
                let mut failure = Failure::http(path, status);
                failure.detail = format!("{url}: expected status 200, the server answered {status}");
                return Err(failure);
            }
        }
        let time = server_time(answer.header("date"), answer.header("age"));
        let bytes = match encoding(&answer) {
            None => answer.body,
            Some(name) => decode(&name, &answer.body, limit).ok_or_else(|| {
                let detail =
                    format!("{url}: the body is not {name}, as its Content-Encoding says; see lastgood doctor --url");
                Failure::new(Code::Truncated, detail).at(path)
            })?,
        };
        if bytes.len() as u64 > request.limit {
            return Err(Failure::too_large(path, request.limit));
        }
        Ok((bytes, time))
    }
}

impl Origin for HttpOrigin {
    type Value = Vec<u8>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        let (bytes, server_time) = self.get(request)?;
        Ok(Document { bytes, server_time })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Vec<u8>>, Failure> {
        let (bytes, _) = self.get(request)?;
        Ok(Payload { sha256: Sha256::of(&bytes), size: bytes.len() as u64, value: Ok(bytes) })
    }

    fn cached(&mut self, _: &DatasetName) -> Option<Payload<Vec<u8>>> {
        None
    }

    fn wait(&mut self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }

    fn now(&mut self) -> Timestamp {
        timestamp(SystemTime::now())
    }
}

/// When the answer was made, and how long caches on the way have kept it since.
fn server_time(date: Option<&str>, age: Option<&str>) -> Option<Timestamp> {
    let made = httpdate::parse_http_date(date?).ok()?;
    let age: i64 = age.and_then(|age| age.parse().ok()).unwrap_or(0);
    Some(timestamp(made).plus_ms(age.saturating_mul(1000)))
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
