//! The payload rules, through their public interface.

mod chunks;
mod generated;
mod grammar;
mod names;
mod numbers;
mod refusals;

use lastgood_protocol::payload::{Nan, Permit, Refusal, Rules, Scanner, Summary};

/// Refuses only what no option permits, and the NaN tokens.
const PERMISSIVE: Rules = Rules {
    nan: Nan::Refuse,
    unsafe_numbers: Permit::Allow,
    duplicate_names: Permit::Allow,
    unpaired_surrogates: Permit::Allow,
    max_bytes: u64::MAX,
};

/// Scans an input in the given chunks; on success also what was handed out.
fn scan<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    rules: Rules,
) -> Result<(Summary, Vec<u8>), Refusal> {
    let mut published = Vec::new();
    let mut out = |bytes: &[u8]| published.extend_from_slice(bytes);
    let mut scanner = Scanner::new(rules);
    for chunk in chunks {
        scanner.push(chunk, &mut out)?;
    }
    let summary = scanner.finish(&mut out)?;
    Ok((summary, published))
}
