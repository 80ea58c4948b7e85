//! What an input is, that was refused as JSON: the rules tell what breaks the grammar, this tells why.

use std::fmt;

use lastgood_protocol::payload::{Refusal, RefusalKind};
use serde::de::IgnoredAny;

use super::csv::{Delimiter, dialect};
use super::encoding::{self, Advice};
use super::kind::FileKind;
use super::{Format, Source};

/// What a refused input is in all likelihood, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// JSON Lines, read as JSON.
    JsonLines,
    /// JSON, read as JSON Lines.
    Json,
    /// Several JSON documents, one after another, that are not JSON Lines.
    Documents,
    /// CSV with this delimiter, read as JSON.
    Csv(Delimiter),
    /// JSON Lines, joined where the first file does not end its last line, and the second starts with a byte order mark.
    Joined,
    /// Another encoding than UTF-8.
    Encoding(Advice),
}

impl Hint {
    /// The command-line option that reads the input as it is, if there is one.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        match self {
            Self::JsonLines => Some("--format jsonl".to_owned()),
            Self::Json => Some("--format json".to_owned()),
            Self::Csv(Delimiter::COMMA) => Some("--format csv".to_owned()),
            Self::Csv(_) => Some("--format csv --delimiter auto".to_owned()),
            Self::Documents | Self::Joined | Self::Encoding(_) => None,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = self.way_out().unwrap_or_default();
        match self {
            Self::JsonLines => write!(f, "this looks like JSON Lines, one value on each line: {read} reads it"),
            Self::Json => write!(f, "this looks like JSON: {read} reads it"),
            Self::Csv(_) => write!(f, "this looks like CSV: {read} reads it"),
            Self::Documents => f.write_str(
                "these are several JSON documents, one after another, and no JSON Lines, which have one on each line; jq -s . \
                 FILE > NEW makes one array of them",
            ),
            Self::Joined => f.write_str(
                "this is a byte order mark, as where a second file was joined to one whose last line does not end; join them \
                 with { cat FIRST; echo; cat SECOND; } > NEW",
            ),
            Self::Encoding(advice) => advice.fmt(f),
        }
    }
}

/// Whether what the input is can be the reason of this refusal.
pub(super) fn may_help(refusal: &Refusal) -> bool {
    use RefusalKind::{InvalidUtf8, NotJson, TrailingData};
    matches!(refusal.kind, NotJson { .. } | TrailingData { .. } | InvalidUtf8 { .. })
}

/// The start of an input.
#[derive(Default)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    /// There is more of the input.
    cut: bool,
}

impl Head {
    /// Takes the next bytes of the input.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let room = dialect::HEAD_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
    }

    /// Reads on until the start is known, however far the input was read. Where it cannot be, what is known is enough.
    pub(super) fn complete(&mut self, mut rest: impl Source) {
        let mut chunk = vec![0; dialect::HEAD_BYTES];
        while !self.cut {
            match rest.read(&mut chunk) {
                Ok(size) if size > 0 => self.take(&chunk[..size]),
                _ => break,
            }
        }
    }

    /// The kind of file that the input is, if it is none of text. The first bytes are read before anything is refused.
    pub(super) fn kind(&self) -> Option<FileKind> {
        FileKind::of(&self.bytes)
    }

    /// What the input is, that was refused when it was read in this format.
    pub(super) fn hint(&self, format: &Format, refusal: &Refusal) -> Option<Hint> {
        let encoding = || encoding::wide(&self.bytes).map(|iconv| Hint::Encoding(Advice::Wide { iconv }));
        match (&refusal.kind, format) {
            (RefusalKind::InvalidUtf8 { .. }, _) => encoding().or_else(|| self.not_utf8()),
            (RefusalKind::TrailingData { found }, Format::Json) => {
                self.values(found, refusal.line).or_else(|| self.csv(refusal))
            }
            (RefusalKind::NotJson { .. }, Format::Json) => encoding().or_else(|| self.csv(refusal)),
            (RefusalKind::NotJson { found, .. }, Format::JsonLines) if found.starts_with('\u{feff}') => {
                Some(Hint::Joined)
            }
            (RefusalKind::NotJson { .. }, Format::JsonLines) => encoding().or_else(|| documents(&self.bytes, self.cut)),
            _ => None,
        }
    }

    fn not_utf8(&self) -> Option<Hint> {
        let valid = str::from_utf8(&self.bytes).map_or_else(|error| error.valid_up_to(), str::len);
        // The head may end within a character.
        (self.bytes.len() - valid > 3 || !self.cut && valid < self.bytes.len())
            .then(|| Hint::Encoding(encoding::advice(&self.bytes, 0)))
    }

    /// Another value follows the first, on this line.
    fn values(&self, found: &str, line: u64) -> Option<Hint> {
        if !found.starts_with(['{', '[', '"', '-']) && !found.starts_with(|char: char| char.is_ascii_digit()) {
            return None;
        }
        let mut lines = self.bytes.split(|&byte| byte == b'\n').enumerate();
        let is_blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
        let (first, text) = lines.find(|(_, line)| !is_blank(line))?;
        let (second, _) = lines.find(|(_, line)| !is_blank(line)).unzip();
        let whole = serde_json::from_slice::<IgnoredAny>(text).is_ok();
        // Of a first line that is longer than the head, only this is known: something follows on another line.
        let follows = second.map_or(line == first as u64 + 2, |second| line == second as u64 + 1);
        match found.starts_with(['{', '[']) {
            _ if (whole || second.is_none() && self.cut) && follows => Some(Hint::JsonLines),
            true => Some(Hint::Documents),
            false => None,
        }
    }

    fn csv(&self, refusal: &Refusal) -> Option<Hint> {
        let text = self.bytes.trim_ascii_start();
        let json = text.starts_with(b"{") || text.starts_with(b"[");
        let delimiter = if json || refusal.line > 2 { None } else { dialect::plain(&self.bytes, !self.cut) };
        delimiter.map(Hint::Csv)
    }
}

/// What an input that starts like this is, if it is arrays or objects of JSON. A table that looks like it is none.
pub(super) fn json(head: &[u8], cut: bool) -> Option<Hint> {
    let text = head.trim_ascii_start();
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return None;
    }
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let one_line = serde_json::from_slice::<IgnoredAny>(line).is_ok();
    match documents(text, cut)? {
        Hint::Documents if one_line => Some(Hint::JsonLines),
        hint => Some(hint),
    }
}

/// Whether this is one JSON document, or several. The last may be cut.
fn documents(head: &[u8], cut: bool) -> Option<Hint> {
    let mut found = 0;
    for value in serde_json::Deserializer::from_slice(head).into_iter::<IgnoredAny>() {
        match value {
            Err(error) if !(error.is_eof() && cut) => return None,
            _ => found += 1,
        }
    }
    match found {
        0 => None,
        1 => Some(Hint::Json),
        _ => Some(Hint::Documents),
    }
}
