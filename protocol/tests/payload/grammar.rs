//! Accepted is what RFC 8259 accepts: `serde_json` is the second opinion.

use lastgood_protocol::payload::{Rules, check};
use proptest::prelude::*;
use serde::de::IgnoredAny;

use crate::generated::damaged;
use crate::{PERMISSIVE, scan};

fn is_json(bytes: &[u8]) -> bool {
    // Ignored values are checked for grammar alone: not for depth, duplicate
    // names, the range of numbers or unpaired surrogates, and not for UTF-8.
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn agrees(bytes: &[u8]) {
    let whole = scan([bytes], PERMISSIVE);
    let input = String::from_utf8_lossy(bytes);
    assert_eq!(whole.is_ok(), is_json(bytes), "{input:?}: {whole:?}");
    if let Ok((summary, published)) = &whole {
        assert_eq!(published, bytes);
        assert_eq!(summary.size, bytes.len() as u64);
    }
    assert_eq!(scan(bytes.chunks(1), PERMISSIVE), whole, "{input:?}");
}

/// Every sequence of up to `len` parts, between `before` and `after`.
fn every_sequence(parts: &[&[u8]], len: u32, before: &[u8], after: &[u8]) {
    for len in 0..=len {
        for mut number in 0..parts.len().pow(len) {
            let mut bytes = before.to_vec();
            for _ in 0..len {
                bytes.extend_from_slice(parts[number % parts.len()]);
                number /= parts.len();
            }
            bytes.extend_from_slice(after);
            agrees(&bytes);
        }
    }
}

fn bytes_of(alphabet: &[u8]) -> Vec<&[u8]> {
    alphabet.chunks(1).collect()
}

#[test]
fn every_short_structure() {
    every_sequence(&bytes_of(b"{}[],:\"1 "), 5, b"", b"");
    every_sequence(
        &[b"{", b"}", b"[", b"]", b",", b":", b"\"a\"", b"\n"],
        6,
        b"",
        b"",
    );
}

#[test]
fn every_short_number() {
    every_sequence(&bytes_of(b"-+019.eE"), 5, b"", b"");
    every_sequence(&bytes_of(b"-+0.e1x"), 5, b"[", b"]");
}

#[test]
fn every_short_word() {
    every_sequence(&bytes_of(b"nultrefas"), 5, b"", b"");
    every_sequence(
        &[b"true", b"null", b"false", b"[", b",", b"]", b"x"],
        5,
        b"",
        b"",
    );
}

#[test]
fn every_short_string() {
    let parts = bytes_of(b"\"\\un0d8c/");
    every_sequence(&parts, 5, b"\"", b"\"");
    every_sequence(&parts, 4, b"{\"\\", b"\":0}");
    // Longer than the eight bytes that are looked at together.
    every_sequence(
        &bytes_of(b"\"\\\x1f \x7f"),
        2,
        b"\"a long te",
        b"xt goes on\"",
    );
}

#[test]
fn every_byte_everywhere() {
    for first in 0..=255u8 {
        for second in 0..=255 {
            agrees(&[first, second]);
            agrees(&[b'"', first, second, b'"']);
            agrees(&[b'[', first, second, b']']);
        }
    }
}

#[test]
fn every_short_utf8_sequence() {
    let bytes = [
        0x00, b'"', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0,
        0xf4, 0xf5, 0xff,
    ];
    every_sequence(&bytes_of(&bytes), 4, b"\"", b"\"");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn damaged_documents(bytes in damaged()) {
        agrees(&bytes);
    }

    #[test]
    fn arbitrary_bytes(bytes in any::<Vec<u8>>()) {
        agrees(&bytes);
        prop_assert!(check(&bytes, &Rules::default()).is_err() || is_json(&bytes));
    }
}
