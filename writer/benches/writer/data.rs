//! What is published: rows as a pipeline writes them.

use std::fmt::Write;

/// JSON rows of about `bytes` bytes that begin with a number, so that each round can have a payload of its own.
pub(crate) fn rows(bytes: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes + 200);
    text.push_str("[{\"round\":\"0000000000\"}");
    let mut row = 0_u32;
    while text.len() < bytes {
        let price = f64::from(row.wrapping_mul(2_654_435_761) % 1_000_000) / 100.0;
        let day = row % 28 + 1;
        write!(
            text,
            ",{{\"id\":{row},\"day\":\"2026-10-{day:02}\",\"symbol\":\"SYM{}\",\"price\":{price:.2},\"open\":{}}}",
            row % 500,
            row.is_multiple_of(3)
        )
        .expect("writing to a string does not fail");
        row += 1;
    }
    text.push(']');
    text.into_bytes()
}

/// Makes the payload that of a round.
pub(crate) fn stamp(payload: &mut [u8], round: usize) {
    payload[11..21].copy_from_slice(format!("{round:010}").as_bytes());
}
