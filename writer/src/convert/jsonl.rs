//! JSON Lines: one JSON value on each line.
//!
//! The array is the input with one byte put in before each value: `[` or `,`. So a place in the array is the same line of
//! the input, one column further. Byte order marks at the start of a line are left out: files that are joined have them,
//! and nothing but a program that reads them means anything by them. What the values are is for the payload rules to judge; here only their ends are looked
//! for, so that a value over several lines, or two on one line, cannot pass for something else.

use lastgood_protocol::payload::{Refusal, RefusalKind};
use memchr::memchr3;

use super::bytes::{BYTE_ORDER_MARK, characters, newlines};
use super::{CHUNK_BYTES, Source};
use crate::error::Error;

const ONE_PER_LINE: &str = "the end of the line after its value, as JSON Lines has it";
const WHOLE_VALUE: &str = "the value to end on its line, as JSON Lines has it (a document over several lines is JSON)";

pub(super) fn convert(
    input: &mut impl Source,
    json: &mut impl FnMut(&[u8]) -> Result<(), Error>,
    refused: impl Fn(Refusal) -> Error,
) -> Result<(), Error> {
    let mut lines = Lines::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut array = Vec::new();
    let mut empty = true;
    loop {
        let size = input.read(&mut chunk)?;
        if size == 0 {
            break;
        }
        array.clear();
        let read = lines.read(&chunk[..size], &mut array);
        empty &= array.is_empty();
        // First what comes before the fault: it may break a rule earlier.
        json(&array)?;
        read.map_err(&refused)?;
    }
    if empty && matches!(lines.state, State::Before) {
        // Not an empty array: this is what a producer that died leaves, be it behind a byte order mark.
        let expected = "a JSON value on a line (a blank line alone is an empty array)";
        return Err(refused(lines.refusal(&[], RefusalKind::Truncated { expected })));
    }
    json(lines.end())
}

/// A place in the array as a place in the input.
pub(super) fn in_the_input(refusal: Refusal) -> Refusal {
    Refusal { column: refusal.column.saturating_sub(1).max(1), ..refusal }
}

struct Lines {
    state: State,
    values: u64,
    /// Where the next piece of the input starts.
    line: u64,
    column: u64,
}

/// What comes next on a line.
#[derive(Clone, Copy)]
enum State {
    /// Its value.
    Before,
    /// The rest of a byte order mark, of which there were so many bytes.
    Mark(usize),
    /// The rest of a value without quotes and brackets.
    Word,
    /// The rest of an array or object, in which this many are open.
    Nested(u64),
    /// The rest of a string in so many arrays and objects.
    String { depth: u64, escaped: bool },
    /// Its end.
    After,
}

impl Lines {
    fn new() -> Self {
        Self { state: State::Before, values: 0, line: 1, column: 1 }
    }

    /// Appends to `array` what a piece of the input becomes; up to the fault if there is one.
    fn read(&mut self, bytes: &[u8], array: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut copied = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            self.state = match (self.state, byte) {
                (State::String { depth, escaped: true }, _) => State::String { depth, escaped: false },
                (State::String { depth, .. }, _) => {
                    let Some(found) = memchr3(b'"', b'\\', b'\n', &bytes[at..]) else { break };
                    at += found;
                    match bytes[at] {
                        b'\\' => State::String { depth, escaped: true },
                        b'"' if depth == 0 => State::After,
                        b'"' => State::Nested(depth),
                        _ => return Err(self.fault(WHOLE_VALUE, bytes, copied, at, array)),
                    }
                }
                (State::Nested(depth), b'"') => State::String { depth, escaped: false },
                (State::Nested(depth), b'[' | b'{') => State::Nested(depth + 1),
                (State::Nested(1), b']' | b'}') => State::After,
                (State::Nested(depth), b']' | b'}') => State::Nested(depth - 1),
                (State::Nested(_), b'\n') => return Err(self.fault(WHOLE_VALUE, bytes, copied, at, array)),
                (State::Nested(_), _) => self.state,
                (_, b'\n') => State::Before,
                (State::Word, b' ' | b'\t' | b'\r') => State::After,
                (State::Before | State::After, b' ' | b'\t' | b'\r') => self.state,
                (State::After, 0..0x80) | (State::Word, b',' | b'[' | b']' | b'{' | b'}' | b'"' | b':') => {
                    return Err(self.fault(ONE_PER_LINE, bytes, copied, at, array));
                }
                // Not ASCII, so the rules refuse it.
                (State::After | State::Word, _) => State::Word,
                (State::Before, b']' | b'}' | b',' | b':') => {
                    return Err(self.fault("a JSON value on each line", bytes, copied, at, array));
                }
                (State::Before, 0xEF) => {
                    array.extend_from_slice(&bytes[copied..at]);
                    copied = at + 1;
                    State::Mark(1)
                }
                (State::Mark(begun), _) if byte == BYTE_ORDER_MARK[begun] => {
                    copied = at + 1;
                    if begun + 1 == BYTE_ORDER_MARK.len() { State::Before } else { State::Mark(begun + 1) }
                }
                // Something else, so the rules refuse it.
                (State::Mark(begun), _) => {
                    self.begin(array);
                    array.extend_from_slice(&BYTE_ORDER_MARK[..begun]);
                    copied = at;
                    State::Word
                }
                (State::Before, _) => {
                    array.extend_from_slice(&bytes[copied..at]);
                    copied = at;
                    self.begin(array);
                    match byte {
                        b'"' => State::String { depth: 0, escaped: false },
                        b'[' | b'{' => State::Nested(1),
                        _ => State::Word,
                    }
                }
            };
            at += 1;
        }
        array.extend_from_slice(&bytes[copied..]);
        (self.line, self.column) = self.place(bytes);
        Ok(())
    }

    /// Begins a value.
    fn begin(&mut self, array: &mut Vec<u8>) {
        array.push(if self.values == 0 { b'[' } else { b',' });
        self.values += 1;
    }

    /// What the array ends with. A value that has not ended is for the rules to refuse.
    fn end(&self) -> &'static [u8] {
        match self.state {
            State::Nested(_) | State::String { .. } => b"",
            // No character starts with it alone, so the rules refuse it.
            State::Mark(_) => &BYTE_ORDER_MARK[..1],
            _ if self.values == 0 => b"[]",
            _ => b"]",
        }
    }

    #[cold]
    fn fault(&self, expected: &'static str, bytes: &[u8], copied: usize, at: usize, array: &mut Vec<u8>) -> Refusal {
        array.extend_from_slice(&bytes[copied..at]);
        let found = char::from(bytes[at]).to_string();
        self.refusal(&bytes[..at], RefusalKind::NotJson { expected, found })
    }

    /// A refusal of what follows `before`, with which a piece of the input begins.
    #[cold]
    fn refusal(&self, before: &[u8], kind: RefusalKind) -> Refusal {
        let (line, column) = self.place(before);
        let pointer = match (self.state, self.values.checked_sub(1)) {
            (State::Before, _) | (_, None) => String::new(),
            (_, Some(index)) => format!("/{index}"),
        };
        Refusal { kind, line, column, pointer }
    }

    /// The line and column behind `before`, with which a piece of the input begins.
    fn place(&self, before: &[u8]) -> (u64, u64) {
        match memchr::memrchr(b'\n', before) {
            None => (self.line, self.column + characters(before)),
            Some(last) => (self.line + newlines(before), 1 + characters(&before[last + 1..])),
        }
    }
}
