//! One file: the payload that it becomes, and what is wrong with it.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::manifest::Meta;
use lastgood::protocol::payload::{Rules, Scanner};
use serde_json::{Map, Value};

use super::envelope::{Checksum, Envelope};

/// How files are taken.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) rules: Rules,
    pub(super) unwrap: bool,
    pub(super) ignore_checksums: bool,
}

/// What a file becomes.
pub(super) struct Payload {
    pub(super) sha256: Sha256,
    pub(super) rows: Option<u64>,
    /// Whether its bytes are not those of the file.
    pub(super) changed: bool,
    /// Members of the envelope, for the meta.
    pub(super) meta: Map<String, Value>,
    /// What is worth a word.
    pub(super) notes: Vec<String>,
}

/// Reads a file and says what it becomes, or why it cannot.
pub(super) fn inspect(file: &Path, reading: Reading) -> Result<Payload, String> {
    let Taken { original, json, nan_mapped } = take(file, reading.rules)?;
    let mut notes = Vec::new();
    match nan_mapped {
        0 => {}
        many => notes.push(format!("{many} NaN as null")),
    }
    let envelope = Envelope::of(&json);
    let (mut meta, mut payload) = (Map::new(), &json[..]);
    match envelope {
        Some(envelope) if reading.unwrap => {
            match envelope.checksum {
                Checksum::Wrong if !reading.ignore_checksums => {
                    return Err(
                        "the checksum in it is not that of its data, in any usual way of writing it; if it was \
                                computed in another way, pass --ignore-checksums"
                            .to_owned(),
                    );
                }
                Checksum::Wrong => notes.push("unwrapped, although the checksum is another".to_owned()),
                Checksum::Right => notes.push("unwrapped, the checksum is right".to_owned()),
                Checksum::Unknown => notes.push("unwrapped, with a checksum of an unknown kind".to_owned()),
                Checksum::None => notes.push("unwrapped".to_owned()),
            }
            payload = envelope.data.as_bytes();
            if Meta::parse(&Value::Object(envelope.rest.clone()).to_string()).is_ok() {
                meta = envelope.rest;
            } else {
                notes.push("the rest of the envelope is too large for the meta".to_owned());
            }
        }
        // What was adopted once is not adopted again.
        Some(_) => notes.push(
            "an envelope around data; --unwrap publishes the data alone, and after the adoption jq -c .data FILE | lastgood \
             publish NAME"
                .to_owned(),
        ),
        None => {}
    }
    let summary = lastgood::protocol::payload::check(payload, &reading.rules).map_err(|refusal| refusal.to_string())?;
    Ok(Payload { sha256: Sha256::of(payload), rows: summary.rows, changed: payload != original, meta, notes })
}

/// The payload of a file that has been inspected, read again when it is asked for: one at a time is in memory.
pub(super) struct Input {
    file: PathBuf,
    reading: Reading,
    payload: Option<Cursor<Vec<u8>>>,
}

impl Input {
    pub(super) fn new(file: PathBuf, reading: Reading) -> Self {
        Self { file, reading, payload: None }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let payload = match &mut self.payload {
            Some(payload) => payload,
            None => {
                let json = take(&self.file, self.reading.rules).map_err(io::Error::other)?.json;
                let data =
                    if self.reading.unwrap { Envelope::of(&json).map(|envelope| envelope.data.into()) } else { None };
                self.payload.insert(Cursor::new(data.unwrap_or(json)))
            }
        };
        payload.read(buffer)
    }
}

struct Taken {
    original: Vec<u8>,
    /// Strict JSON.
    json: Vec<u8>,
    nan_mapped: u64,
}

fn take(file: &Path, rules: Rules) -> Result<Taken, String> {
    let cannot = |error: io::Error| format!("it cannot be read: {error}");
    if !fs::symlink_metadata(file).map_err(cannot)?.is_file() {
        return Err("it is not a regular file; put the file itself there".to_owned());
    }
    let mut original = Vec::new();
    let limit = rules.max_bytes.saturating_add(1);
    File::open(file).map_err(cannot)?.take(limit).read_to_end(&mut original).map_err(cannot)?;
    let mut json = Vec::with_capacity(original.len());
    let mut sink = |bytes: &[u8]| json.extend_from_slice(bytes);
    let mut scanner = Scanner::new(rules);
    let scanned = scanner.push(&original, &mut sink).and_then(|()| scanner.finish(&mut sink));
    let summary = scanned.map_err(|refusal| refusal.to_string())?;
    Ok(Taken { original, json, nan_mapped: summary.nan_mapped })
}
