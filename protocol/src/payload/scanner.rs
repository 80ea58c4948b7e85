//! Cuts the input into text that the grammar can read, and keeps the accounts.

use super::grammar::{At, Fault, Grammar, Progress};
use super::position::Position;
use super::refusal::{Refusal, RefusalKind};
use super::word::LOOKAHEAD;
use super::{Rules, Summary};

/// The input is worked on in blocks that stay in the processor's cache.
const BLOCK: usize = 32 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Checks a payload that comes in chunks, and hands out the bytes to publish.
///
/// After a refusal every further call gives the same refusal, so nothing that
/// was refused can be finished.
pub struct Scanner {
    max_bytes: u64,
    grammar: Grammar,
    /// The end of the chunks so far, when it could not be read without what
    /// follows: part of a short token, or of a character. Always a few bytes.
    carry: Vec<u8>,
    /// How many bytes of the input were read; `carry` comes after them.
    read: u64,
    /// Where reading goes on.
    position: Position,
    /// Where the token starts that is being read.
    token: Position,
    handed_out: u64,
    nan_mapped: u64,
    refusal: Option<Refusal>,
}

impl Scanner {
    /// A scanner for one payload.
    pub fn new(rules: Rules) -> Self {
        Self {
            max_bytes: rules.max_bytes,
            grammar: Grammar::new(rules),
            carry: Vec::new(),
            read: 0,
            position: Position::START,
            token: Position::START,
            handed_out: 0,
            nan_mapped: 0,
            refusal: None,
        }
    }

    /// Takes the next bytes of the input, and hands `out` the bytes to publish as
    /// far as they are decided, in large pieces where the input allows.
    ///
    /// What was handed out is worth nothing until [`Scanner::finish`] accepts it.
    ///
    /// # Errors
    ///
    /// The first breach of the rules, as soon as it can be known.
    pub fn push(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Refusal> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        self.take(chunk, out).inspect_err(|refusal| self.refusal = Some(refusal.clone()))
    }

    /// Ends the input, and hands out the rest.
    ///
    /// # Errors
    ///
    /// The first breach of the rules, be it that the value is not complete.
    pub fn finish(mut self, out: &mut impl FnMut(&[u8])) -> Result<Summary, Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        let mut rest = std::mem::take(&mut self.carry);
        // Also with nothing left: a number ends only when nothing follows it.
        loop {
            let read = self.read(&rest, true, out)?;
            if read == 0 {
                break;
            }
            rest.drain(..read);
        }
        if !rest.is_empty() || !self.grammar.is_complete() {
            let expected = self.grammar.expected();
            let end = self.position.after(&rest);
            return Err(self.refuse_at(end, RefusalKind::Truncated { expected }));
        }
        // Mapped tokens can make the payload larger than the input.
        if self.handed_out > self.max_bytes {
            return Err(self.too_large());
        }
        Ok(Summary { size: self.handed_out, nan_mapped: self.nan_mapped, rows: self.grammar.rows() })
    }

    fn take(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Refusal> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let room = self.room();
            if room == 0 {
                return Err(self.too_large());
            }
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let within = &rest[..rest.len().min(room)];
            let taken =
                if self.carry.is_empty() { self.take_block(within, out)? } else { self.take_with_carry(within, out)? };
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// How many more bytes of input the limit allows.
    fn room(&self) -> u64 {
        let taken = self.read + self.carry.len() as u64;
        self.max_bytes.saturating_sub(taken)
    }

    fn take_block(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) -> Result<usize, Refusal> {
        let block = &bytes[..bytes.len().min(BLOCK)];
        match self.read(block, false, out)? {
            0 => {
                self.carry.extend_from_slice(block);
                Ok(block.len())
            }
            read => Ok(read),
        }
    }

    /// Reads what was left over together with a few of the bytes that follow:
    /// enough to get past it, unless there are no more.
    fn take_with_carry(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) -> Result<usize, Refusal> {
        let mut joined = std::mem::take(&mut self.carry);
        let carried = joined.len();
        let added = bytes.len().min(2 * LOOKAHEAD);
        joined.extend_from_slice(&bytes[..added]);
        let mut read = self.read(&joined, false, out)?;
        if let Some(taken) = read.checked_sub(carried) {
            return Ok(taken);
        }
        // Behind a token that was mapped there may be what is decided, too.
        while read > 0 {
            joined.drain(..read);
            read = self.read(&joined, false, out)?;
        }
        self.carry = joined;
        Ok(added)
    }

    /// Reads from the start of `bytes` and says how far it came: to the end, up to a
    /// short token or a character that is cut, or behind a token that was mapped.
    fn read(&mut self, bytes: &[u8], last: bool, out: &mut impl FnMut(&[u8])) -> Result<usize, Refusal> {
        let (text, tail) = decode(bytes);
        if self.read == 0 && text.starts_with(BYTE_ORDER_MARK) {
            return Err(self.refuse_at(self.position, RefusalKind::ByteOrderMark));
        }
        let Progress { read, token, nan } =
            self.grammar.read(text, last && tail == Tail::Nothing).map_err(|fault| self.refuse(fault, text))?;
        let done = &text.as_bytes()[..read];
        if let Some(start) = token {
            self.token = self.position.after(&done[..start]);
        }
        self.position = self.position.after(done);
        self.read += read as u64;
        if let Some(nan) = nan {
            self.hand_out(&done[..read - nan.len()], out);
            self.hand_out(b"null", out);
            self.nan_mapped += 1;
            return Ok(read);
        }
        self.hand_out(done, out);
        let invalid = match tail {
            Tail::Nothing => 0,
            // In a string it is the string that is truncated.
            Tail::Cut if !last || self.grammar.is_in_string() => 0,
            Tail::Cut => bytes.len() - text.len(),
            Tail::Invalid { len } => len,
        };
        if invalid > 0 {
            let position = self.position.after(&text.as_bytes()[read..]);
            let bytes = bytes[text.len()..][..invalid].to_vec();
            return Err(self.refuse_at(position, RefusalKind::InvalidUtf8 { bytes }));
        }
        Ok(read)
    }

    fn hand_out(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        if !bytes.is_empty() {
            self.handed_out += bytes.len() as u64;
            out(bytes);
        }
    }

    #[cold]
    fn refuse(&self, fault: Fault, text: &str) -> Refusal {
        let Position { line, column } = match fault.at {
            At::Index(at) => self.position.after(&text.as_bytes()[..at]),
            At::Token => self.token,
        };
        Refusal { kind: fault.kind, line, column, pointer: fault.pointer }
    }

    #[cold]
    fn refuse_at(&self, Position { line, column }: Position, kind: RefusalKind) -> Refusal {
        Refusal { kind, line, column, pointer: self.grammar.pointer() }
    }

    #[cold]
    fn too_large(&self) -> Refusal {
        let max_bytes = self.max_bytes;
        let limit = self.position.after(&self.carry);
        self.refuse_at(limit, RefusalKind::TooLarge { max_bytes })
    }
}

/// What follows the text in a piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Nothing,
    /// The beginning of a character.
    Cut,
    /// Bytes that are not part of any character.
    Invalid {
        len: usize,
    },
}

fn decode(bytes: &[u8]) -> (&str, Tail) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, Tail::Nothing),
        Err(error) => {
            let tail = match error.error_len() {
                None => Tail::Cut,
                Some(len) => Tail::Invalid { len },
            };
            let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("from_utf8 found this part valid");
            (text, tail)
        }
    }
}
