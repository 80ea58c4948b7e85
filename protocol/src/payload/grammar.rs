//! The grammar of RFC 8259 and the rules about names, numbers and surrogates.

use std::mem;

use super::names::Duplicate;
use super::number::{Number, Verdict, plain_number};
use super::path::{Container, Path, Place, TooDeep};
use super::refusal::{RefusalKind, UnsafeNumber, excerpt};
use super::state::State;
use super::word::{LOOKAHEAD, is_word, skip_whitespace, word};
use super::{Nan, Permit, Rules};
use crate::text::{Escape, escape, plain_end, push_surrogate};

/// A long name that contained escapes or was cut leaves at most this buffer behind.
const KEPT_BUFFER: usize = 1024;

/// Reads text in pieces and knows what may come next.
pub(super) struct Grammar {
    rules: Rules,
    state: State,
    path: Path,
    number: Number,
    /// The name that is being read, unescaped.
    name: Vec<u8>,
    /// How the number that is being read began, for messages.
    number_start: String,
    rows: Option<u64>,
}

/// How far a piece was read.
pub(super) struct Progress {
    /// What follows waits for more text.
    pub(super) read: usize,
    /// Where in this piece the long token starts that is still being read.
    pub(super) token: Option<usize>,
    /// The last token read, to be published as `null`. There may be more to read.
    pub(super) nan: Option<&'static str>,
}

/// A refusal whose place is relative to the piece.
pub(super) struct Fault {
    pub(super) kind: RefusalKind,
    pub(super) at: At,
    pub(super) pointer: String,
}

pub(super) enum At {
    Index(usize),
    /// The start of the token that began in an earlier piece.
    Token,
}

impl Grammar {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Value,
            path: Path::default(),
            number: Number::new(),
            name: Vec::new(),
            number_start: String::new(),
            rows: None,
        }
    }

    /// Reads as much as can be decided without the text that follows; `last`
    /// says that none does. What is left unread must come again with more.
    pub(super) fn read(&mut self, text: &str, last: bool) -> Result<Progress, Fault> {
        let bytes = text.as_bytes();
        let mut state = self.state;
        let mut at = 0;
        let mut token = None;
        let mut nan = None;
        loop {
            match state {
                State::AfterValue => {
                    at = skip_whitespace(bytes, at);
                    let Some(&byte) = bytes.get(at) else { break };
                    match (byte, self.path.innermost()) {
                        (b',', Some(Container::Object)) => state = State::Name,
                        (b',', Some(Container::Array)) => {
                            self.path.next_element();
                            state = State::Value;
                        }
                        (b'}', Some(Container::Object)) => self.path.close(),
                        (b']', Some(Container::Array)) => self.close_array(self.path.index() + 1),
                        _ => {
                            self.refuse_token(state, text, at, last)?;
                            break;
                        }
                    }
                    at += 1;
                }
                State::Name | State::FirstName => {
                    at = skip_whitespace(bytes, at);
                    let Some(&byte) = bytes.get(at) else { break };
                    match byte {
                        b'"' => {
                            let end = plain_end(bytes, at + 1);
                            if bytes.get(end) == Some(&b'"') {
                                self.enter(&bytes[at + 1..end], At::Index(at))?;
                                at = end + 1;
                                state = State::Colon;
                            } else {
                                token = Some(at);
                                at += 1;
                                state = State::InName;
                            }
                        }
                        b'}' if state == State::FirstName => {
                            self.path.close();
                            at += 1;
                            state = State::AfterValue;
                        }
                        _ => {
                            self.refuse_token(state, text, at, last)?;
                            break;
                        }
                    }
                }
                State::Colon => {
                    at = skip_whitespace(bytes, at);
                    match bytes.get(at) {
                        None => break,
                        Some(b':') => {
                            at += 1;
                            state = State::Value;
                        }
                        Some(_) => {
                            self.refuse_token(state, text, at, last)?;
                            break;
                        }
                    }
                }
                State::FirstElement => {
                    at = skip_whitespace(bytes, at);
                    match bytes.get(at) {
                        None => break,
                        Some(b']') => {
                            self.close_array(0);
                            at += 1;
                            state = State::AfterValue;
                        }
                        Some(_) => state = State::Value,
                    }
                }
                State::Value => {
                    at = skip_whitespace(bytes, at);
                    let Some(&byte) = bytes.get(at) else { break };
                    match byte {
                        b'"' => {
                            at += 1;
                            state = State::InString;
                        }
                        b'0'..=b'9' | b'-' if !bytes[at..].starts_with(b"-I") => {
                            if let Some(len) = plain_number(&bytes[at..]) {
                                at += len;
                                state = State::AfterValue;
                            } else {
                                token = Some(at);
                                self.number = Number::new();
                                state = State::InNumber;
                            }
                        }
                        b'{' => {
                            self.open(Container::Object, at)?;
                            at += 1;
                            state = State::FirstName;
                        }
                        b'[' => {
                            self.open(Container::Array, at)?;
                            at += 1;
                            state = State::FirstElement;
                        }
                        _ => match self.literal(text, at, last)? {
                            Literal::Incomplete => break,
                            Literal::Json(literal) => {
                                at += literal.len();
                                state = State::AfterValue;
                            }
                            Literal::Nan(literal) => {
                                at += literal.len();
                                state = State::AfterValue;
                                nan = Some(literal);
                                break;
                            }
                        },
                    }
                }
                State::InNumber => {
                    at += self.number.advance(&bytes[at..]);
                    match self.number_end(text, at, token, last)? {
                        NumberEnd::Here => state = State::AfterValue,
                        NumberEnd::Later => break,
                        NumberEnd::Again { start } => {
                            at = start;
                            state = State::Value;
                            break;
                        }
                    }
                }
                State::InString => {
                    at = plain_end(bytes, at);
                    match bytes.get(at) {
                        None => break,
                        Some(b'"') => {
                            at += 1;
                            state = State::AfterValue;
                        }
                        Some(_) => match self.escape(text, at, state)? {
                            Some(len) => at += len,
                            None => break,
                        },
                    }
                }
                State::InName => {
                    let end = plain_end(bytes, at);
                    self.name.extend_from_slice(&bytes[at..end]);
                    at = end;
                    match bytes.get(at) {
                        None => break,
                        Some(b'"') => {
                            self.enter_buffered(token.map_or(At::Token, At::Index))?;
                            at += 1;
                            state = State::Colon;
                        }
                        Some(_) => match self.escape(text, at, state)? {
                            Some(len) => at += len,
                            None => break,
                        },
                    }
                }
            }
        }
        self.state = state;
        Ok(Progress { read: at, token, nan })
    }

    /// Whether one whole value has been read, and perhaps whitespace behind it.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::AfterValue && self.path.innermost().is_none()
    }

    /// Whether the text read last was inside a string.
    pub(super) fn is_in_string(&self) -> bool {
        matches!(self.state, State::InString | State::InName)
    }

    /// What the grammar wants next.
    pub(super) fn expected(&self) -> &'static str {
        self.state.expected(&self.path, &self.number)
    }

    /// The pointer to where the text read last ends.
    pub(super) fn pointer(&self) -> String {
        self.path.pointer(self.state.place())
    }

    /// The number of elements when the value is an array.
    pub(super) fn rows(&self) -> Option<u64> {
        self.rows
    }

    #[inline]
    fn open(&mut self, container: Container, at: usize) -> Result<(), Fault> {
        match self.path.open(container) {
            Ok(()) => Ok(()),
            Err(TooDeep) => Err(self.fault(RefusalKind::TooDeep, At::Index(at), Place::Value)),
        }
    }

    #[inline]
    fn close_array(&mut self, elements: u64) {
        self.path.close();
        if self.path.innermost().is_none() {
            self.rows = Some(elements);
        }
    }

    #[inline]
    fn enter(&mut self, name: &[u8], at: At) -> Result<(), Fault> {
        match self.rules.duplicate_names {
            Permit::Refuse => match self.path.enter_new(name) {
                Ok(()) => Ok(()),
                Err(Duplicate) => {
                    let name = excerpt(&String::from_utf8_lossy(name));
                    Err(self.fault(RefusalKind::DuplicateName { name }, at, Place::Value))
                }
            },
            Permit::Allow => {
                self.path.enter(name);
                Ok(())
            }
        }
    }

    fn enter_buffered(&mut self, at: At) -> Result<(), Fault> {
        let mut name = mem::take(&mut self.name);
        self.enter(&name, at)?;
        name.clear();
        name.shrink_to(KEPT_BUFFER);
        self.name = name;
        Ok(())
    }

    /// Reads what stopped the plain text of a string short of its end and says
    /// how long it is, or nothing if that depends on the text to come.
    fn escape(&mut self, text: &str, at: usize, state: State) -> Result<Option<usize>, Fault> {
        let rest = &text[at..];
        if !rest.starts_with('\\') {
            let kind = RefusalKind::NotJson {
                expected: "a control character in a string to be escaped",
                found: rest[..1].to_owned(),
            };
            return Err(self.fault(kind, At::Index(at), state.place()));
        }
        let is_name = state == State::InName;
        match escape(rest) {
            Escape::Char { char, len } => {
                if is_name {
                    let mut utf8 = [0; 4];
                    self.name.extend_from_slice(char.encode_utf8(&mut utf8).as_bytes());
                }
                Ok(Some(len))
            }
            Escape::Unpaired { unit, len } => match self.rules.unpaired_surrogates {
                Permit::Allow => {
                    if is_name {
                        push_surrogate(&mut self.name, unit);
                    }
                    Ok(Some(len))
                }
                Permit::Refuse => {
                    let kind = RefusalKind::UnpairedSurrogate { escape: rest[..len].to_owned() };
                    Err(self.fault(kind, At::Index(at), state.place()))
                }
            },
            Escape::Incomplete => Ok(None),
            Escape::Invalid { expected, len } => {
                let kind = RefusalKind::NotJson { expected, found: rest[..len].to_owned() };
                Err(self.fault(kind, At::Index(at), state.place()))
            }
        }
    }

    /// Decides what the bytes up to `at`, where the number's grammar stops, are.
    /// The number starts at `token`, or in an earlier piece.
    fn number_end(&mut self, text: &str, at: usize, token: Option<usize>, last: bool) -> Result<NumberEnd, Fault> {
        let next = text.as_bytes().get(at);
        if next.is_none() && !(last && self.number.is_complete()) {
            return Ok(match token {
                Some(start) if !last && at - start < LOOKAHEAD => NumberEnd::Again { start },
                Some(start) => {
                    self.number_start = excerpt(&text[start..]);
                    NumberEnd::Later
                }
                None => NumberEnd::Later,
            });
        }
        let kind = if !self.number.is_complete() || next.is_some_and(|&byte| is_word(byte)) {
            let found = match token.map(|start| (start, word(text, start, last))) {
                Some((_, Some(word))) => excerpt(word),
                Some((start, None)) => return Ok(NumberEnd::Again { start }),
                None => self.number_start.clone(),
            };
            RefusalKind::NotJson { expected: self.number.expected(), found }
        } else {
            let reason = match (self.rules.unsafe_numbers, self.number.verdict()) {
                (Permit::Allow, _) | (_, Verdict::Safe) => return Ok(NumberEnd::Here),
                (_, Verdict::UnsafeInteger) => UnsafeNumber::Integer,
                (_, Verdict::Overflow) => UnsafeNumber::Overflow,
            };
            let token = match token {
                Some(start) => excerpt(&text[start..at]),
                None => self.number_start.clone(),
            };
            RefusalKind::UnsafeNumber { token, reason }
        };
        Err(self.fault(kind, token.map_or(At::Token, At::Index), Place::Value))
    }

    /// Reads a value that is neither a string nor a number nor a container.
    fn literal(&self, text: &str, at: usize, last: bool) -> Result<Literal, Fault> {
        const JSON: [&str; 3] = ["null", "true", "false"];
        const NAN: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
        let Some(found) = word(text, at, last) else {
            return Ok(Literal::Incomplete);
        };
        if let Some(literal) = JSON.into_iter().find(|&literal| literal == found) {
            return Ok(Literal::Json(literal));
        }
        if let Some(token) = NAN.into_iter().find(|&literal| literal == found) {
            return match self.rules.nan {
                Nan::Null => Ok(Literal::Nan(token)),
                Nan::Refuse => Err(self.fault(RefusalKind::Nan { token }, At::Index(at), Place::Value)),
            };
        }
        let end = at + found.len();
        if let Some(expected) = JSON.into_iter().find(|literal| literal.starts_with(found))
            && end == text.len()
        {
            let kind = RefusalKind::Truncated { expected };
            return Err(self.fault(kind, At::Index(end), Place::Value));
        }
        Err(self.unexpected(State::Value, at, found))
    }

    /// Refuses what stands at `at`, unless the text to come makes it longer.
    fn refuse_token(&self, state: State, text: &str, at: usize, last: bool) -> Result<(), Fault> {
        match word(text, at, last) {
            Some(found) => Err(self.unexpected(state, at, found)),
            None => Ok(()),
        }
    }

    #[cold]
    fn unexpected(&self, state: State, at: usize, found: &str) -> Fault {
        let found = excerpt(found);
        let kind = match (state, self.path.innermost()) {
            (State::AfterValue, None) => RefusalKind::TrailingData { found },
            _ => RefusalKind::NotJson { expected: state.expected(&self.path, &self.number), found },
        };
        self.fault(kind, At::Index(at), state.place())
    }

    #[cold]
    fn fault(&self, kind: RefusalKind, at: At, place: Place) -> Fault {
        let pointer = self.path.pointer(place);
        Fault { kind, at, pointer }
    }
}

enum Literal {
    Json(&'static str),
    Nan(&'static str),
    /// The text ends before the word is decided.
    Incomplete,
}

enum NumberEnd {
    Here,
    /// More of the number is to come.
    Later,
    /// The number is so short that it can be read again from its start.
    Again {
        start: usize,
    },
}
