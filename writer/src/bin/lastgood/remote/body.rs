//! What a body is once its encodings are taken off.

use std::io::Read;

use super::client::Answer;

/// The encoding that an answer says, unless it is none.
pub(crate) fn encoding(answer: &Answer) -> Option<String> {
    answer.header("content-encoding").map(str::to_ascii_lowercase).filter(|name| name != "identity")
}

/// Takes an encoding off, up to `limit` bytes; `None` where it is another, or not what is there.
pub(crate) fn decode(encoding: &str, bytes: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = match encoding {
        "gzip" => flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out),
        "br" => brotli::Decompressor::new(bytes, 4096).take(limit).read_to_end(&mut out),
        _ => return None,
    };
    read.ok().map(|_| out)
}
