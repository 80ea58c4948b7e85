//! What a body is once its encodings are taken off.

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::manifest::MAX_MANIFEST_BYTES;

use crate::remote::{Answer, decode, encoding};

/// How a payload of known digest and size arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// As it was published; by which encoding, if any.
    Right(Option<&'static str>),
    /// Compressed without saying so: browsers get rubbish.
    Unlabelled(&'static str),
    /// Compressed twice and labelled once.
    Twice(&'static str),
    /// Encoded in a way that was not asked for, or that cannot be undone.
    Undecodable(String),
    /// Something else.
    Other,
}

/// Compares a body with what it must be.
pub(super) fn arrived(answer: &Answer, sha256: &Sha256, size: u64) -> Arrived {
    let is_right = |bytes: &[u8]| bytes.len() as u64 == size && Sha256::of(bytes) == *sha256;
    // A payload that would become longer than it was is not the payload; what is compressed twice is a bit longer.
    let limit = size.saturating_mul(2).saturating_add(64 * 1024);
    let any = |bytes: &[u8]| {
        ["gzip", "br"].into_iter().find(|encoding| decode(encoding, bytes, limit).is_some_and(|inner| is_right(&inner)))
    };
    match encoding(answer) {
        None if is_right(&answer.body) => Arrived::Right(None),
        None => any(&answer.body).map_or(Arrived::Other, Arrived::Unlabelled),
        Some(name) => {
            let Some(known) = ["gzip", "br"].into_iter().find(|known| *known == name) else {
                return Arrived::Undecodable(format!("Content-Encoding: {name}, which was not asked for"));
            };
            match decode(known, &answer.body, limit) {
                None => Arrived::Undecodable(format!("Content-Encoding: {name}, but the body is not")),
                Some(bytes) if is_right(&bytes) => Arrived::Right(Some(known)),
                Some(bytes) => any(&bytes).map_or(Arrived::Other, Arrived::Twice),
            }
        }
    }
}

/// The body as a browser's script gets it; as it is, where that is impossible.
pub(super) fn decoded(answer: &Answer) -> Vec<u8> {
    encoding(answer)
        .and_then(|name| decode(&name, &answer.body, MAX_MANIFEST_BYTES))
        .unwrap_or_else(|| answer.body.clone())
}
