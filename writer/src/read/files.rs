//! The feed's own files as an origin.

use std::io;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Document, Payload, Request};
use lastgood_protocol::time::Timestamp;

use super::Origin;
use crate::feed::Feed;
use crate::storage::Storage;

/// Without a cache.
pub(super) struct Files<'a, S> {
    pub(super) feed: &'a Feed<S>,
}

impl<S: Storage> Files<'_, S> {
    pub(super) fn read(&self, request: &Request) -> Result<Vec<u8>, Failure> {
        let path = request.path.as_str();
        match self.feed.storage.read(&request.path, request.limit) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                let mut missing = Failure::http(path, 404);
                missing.detail = format!("{path} is missing in {}", self.feed.location());
                Err(missing)
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(Failure::too_large(path, request.limit)),
            Err(error) => Err(Failure::new(Code::Offline, format!("cannot read {path}: {error}")).at(path)),
        }
    }
}

impl<S: Storage> Origin for Files<'_, S> {
    type Value = Vec<u8>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        Ok(Document { bytes: self.read(request)?, server_time: Some(self.feed.now()) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Vec<u8>>, Failure> {
        let bytes = self.read(request)?;
        Ok(Payload { sha256: Sha256::of(&bytes), size: bytes.len() as u64, value: Ok(bytes) })
    }

    fn cached(&mut self, _: &DatasetName) -> Option<Payload<Vec<u8>>> {
        None
    }

    fn wait(&mut self, ms: u64) {
        std::thread::sleep(std::time::Duration::from_millis(ms));
    }

    fn now(&mut self) -> Timestamp {
        self.feed.now()
    }
}
