//! A read from a server that answers whatever it likes: the input decides.

mod server;

use lastgood::protocol::cache::Keys;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Known, Objection, Plan, Request, SchemaRequest};

use self::server::{PAYLOADS, SCHEMAS, Server as Decider};
use crate::drive::{Answer, Body, Look, World, drive};
use crate::input::Decisions;
use crate::visit::{Entries, Response, Server, URL, Visit};

pub(crate) fn run(input: &[u8]) {
    let mut decider = Decider::new(Decisions(input));
    let (plan, memory, heads) = decider.plan();
    let heads = heads.into_iter().map(|head| head.map(|(head, _)| head)).collect();
    let _ = drive(&mut Anything(decider), plan, Known { memory, heads, set: None });

    // Once more, with answers that a network has.
    let (server, plan, entries) = begun(input);
    let _ = Visit::to(server, plan, entries);
}

/// What an input begins with.
pub(crate) fn begun(input: &[u8]) -> (impl Server + '_, Plan, Entries) {
    let mut decider = Decider::new(Decisions(input));
    let (plan, memory, heads) = decider.plan();
    let keys = Keys::new(URL);
    let mut entries = Entries::new();
    entries.extend(memory.map(|memory| (keys.memory().to_owned(), memory.encode())));
    for (wanted, head) in plan.datasets.iter().zip(heads) {
        let Some((head, payload)) = head else { continue };
        entries.insert(keys.head(&wanted.dataset), head.encode());
        let copy = decider.copy(&payload).and_then(|copy| String::from_utf8(copy).ok());
        entries.extend(copy.map(|copy| (keys.payload(&wanted.dataset), copy)));
    }
    (Network(decider), plan, entries)
}

/// Answers what no network would as well.
struct Anything<'a>(Decider<'a>);

impl Anything<'_> {
    fn payload(&mut self) -> Answer<Body> {
        self.0.failure().map_or_else(|| Ok(self.0.payload()), Err)
    }
}

impl World for Anything<'_> {
    fn look(&mut self, _: &Request, lock: Option<&Request>, guesses: &[Request]) -> Look {
        let (manifest, marker) = (self.0.manifest(), self.0.lock());
        Look {
            manifest: self.0.document(manifest),
            lock: lock.map(|_| self.0.document(marker)),
            guesses: guesses.iter().map(|_| self.payload()).collect(),
        }
    }

    fn objects(
        &mut self,
        payloads: &[Request],
        schemas: &[SchemaRequest],
    ) -> (Vec<Answer<Body>>, Vec<Answer<Vec<u8>>>) {
        let payloads = payloads.iter().map(|_| self.payload()).collect();
        let mut schema = || self.0.failure().map_or_else(|| Ok(self.0.schema_bytes().to_vec()), Err);
        (payloads, schemas.iter().map(|_| schema()).collect())
    }

    fn copy(&mut self, _: &DatasetName) -> Option<Body> {
        self.payload().ok()
    }

    fn validate(&mut self, _: &[u8], _: Sha256) -> Result<(), Objection> {
        self.0.verdict()
    }

    fn shape(&mut self, _: &[u8]) -> Result<(), Objection> {
        self.0.shape()
    }
}

/// Answers what a network can. Most objects are those that are asked for.
struct Network<'a>(Decider<'a>);

impl Network<'_> {
    fn document(&mut self, bytes: Vec<u8>) -> Response {
        match self.0.fault(&bytes) {
            Some(fault) => fault,
            None => Response::file(bytes, self.0.server_time()),
        }
    }
}

impl Server for Network<'_> {
    fn begin_round(&mut self) {}

    fn documents(&mut self, lock: bool) -> (Response, Option<Response>) {
        let (manifest, marker) = (self.0.manifest(), self.0.lock());
        (self.document(manifest), lock.then(|| self.document(marker)))
    }

    fn payload(&mut self, _: usize, path: &str) -> Response {
        self.0.object(&PAYLOADS, path)
    }

    fn schema(&mut self, _: usize, path: &str) -> Response {
        self.0.object(&SCHEMAS, path)
    }
}
