//! The payload rules, against `serde_json`, and however the payload is cut.

use std::collections::HashSet;
use std::fmt;

use lastgood::protocol::payload::{MAX_DEPTH, Nan, Permit, Refusal, RefusalKind, Rules, Scanner, Summary};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::input::{assert_fit_for_a_terminal, assert_inside};

pub(crate) fn run(input: &[u8]) {
    let Some((&[flags, cuts], payload)) = input.split_first_chunk() else { return };
    let permit = |bit: u8| if flags & bit == 0 { Permit::Refuse } else { Permit::Allow };
    let rules = Rules {
        nan: if flags & 1 == 0 { Nan::Refuse } else { Nan::Null },
        unsafe_numbers: permit(2),
        duplicate_names: permit(4),
        unpaired_surrogates: permit(8),
        max_bytes: if flags & 16 == 0 { Rules::default().max_bytes } else { u64::from(flags >> 5) * 8 },
    };
    assert_eq!(known(&rules, [payload]), known(&rules, payload.chunks(1)), "what is known before the end");
    let outcome = scan(&rules, [payload]);
    assert_eq!(outcome, scan(&rules, payload.chunks(1)));
    assert_eq!(outcome, scan(&rules, Pieces { rest: payload, seed: cuts }));
    match outcome {
        Ok((summary, published)) => accepted(&rules, payload, &published, summary),
        Err(refusal) => refused(&rules, payload, &refusal),
    }
}

/// The refusal that is known before the end of the input.
fn known<'a>(rules: &Rules, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Refusal> {
    let mut scanner = Scanner::new(*rules);
    pieces.into_iter().try_for_each(|piece| scanner.push(piece, &mut |_: &[u8]| {})).err()
}

/// What is published, or the refusal.
fn scan<'a>(rules: &Rules, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Summary, Vec<u8>), Refusal> {
    let mut published = Vec::new();
    let mut out = |bytes: &[u8]| published.extend_from_slice(bytes);
    let mut scanner = Scanner::new(*rules);
    pieces.into_iter().try_for_each(|piece| scanner.push(piece, &mut out))?;
    let summary = scanner.finish(&mut out)?;
    Ok((summary, published))
}

/// Pieces of up to 16 bytes.
struct Pieces<'a> {
    rest: &'a [u8],
    seed: u8,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.seed = self.seed.wrapping_mul(109).wrapping_add(89);
        let (piece, rest) = self.rest.split_at(usize::from(self.seed >> 4).min(self.rest.len()));
        self.rest = rest;
        (!piece.is_empty() || !rest.is_empty()).then_some(piece)
    }
}

fn accepted(rules: &Rules, payload: &[u8], published: &[u8], summary: Summary) {
    assert_eq!(summary.size, published.len() as u64);
    assert!(summary.size <= rules.max_bytes);
    if summary.nan_mapped == 0 {
        assert_eq!(payload, published, "not published to the byte");
    }
    // Published, it obeys the rules without any mapping, and is taken as it is.
    let again = scan(&Rules { nan: Nan::Refuse, max_bytes: u64::MAX, ..*rules }, [published]);
    assert_eq!(again, Ok((Summary { nan_mapped: 0, ..summary }, published.to_vec())));
    if !is_deep(published) {
        let opinion = Opinion::of(published, rules);
        assert_eq!(opinion.as_ref().err(), None, "accepted, and serde_json says otherwise");
        assert_eq!(opinion.ok().flatten(), summary.rows);
    }
}

fn refused(rules: &Rules, payload: &[u8], refusal: &Refusal) {
    assert_inside(payload, refusal.line, refusal.column);
    assert_fit_for_a_terminal(&refusal.to_string());
    assert!(refusal.pointer.is_empty() || refusal.pointer.starts_with('/'));
    match &refusal.kind {
        RefusalKind::TooLarge { max_bytes } => assert_eq!(*max_bytes, rules.max_bytes),
        RefusalKind::TooDeep => assert!(is_deep(payload)),
        // To serde_json an integer with many digits is a double like any other.
        RefusalKind::UnsafeNumber { token, .. } if token.contains('…') => assert!(token.len() > 40),
        RefusalKind::UnsafeNumber { token, .. } if !token.contains(['.', 'e', 'E']) => {
            let digits = token.trim_start_matches('-');
            let is_small = digits.parse::<u64>().is_ok_and(|integer| integer <= 9_007_199_254_740_991);
            assert!(!is_small && digits.bytes().all(|byte| byte.is_ascii_digit()), "{refusal}");
        }
        _ if is_deep(payload) => {}
        _ => assert!(Opinion::of(payload, rules).is_err(), "refused, and serde_json sees nothing wrong: {refusal}"),
    }
}

/// serde_json follows 127 levels at most.
fn is_deep(payload: &[u8]) -> bool {
    payload.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() >= MAX_DEPTH - 1
}

/// What serde_json makes of a payload, and of the rules that it does not have.
struct Opinion<'r>(&'r Rules);

impl Opinion<'_> {
    /// The number of elements, if it is an array.
    fn of(payload: &[u8], rules: &Rules) -> Result<Option<u64>, String> {
        let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
        // serde_json has no numbers beyond a double and no halves of surrogate pairs: where they are allowed, they are put aside.
        let text = &tamed(text, rules);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let rows = Opinion(rules).deserialize(&mut deserializer).map_err(|error| error.to_string())?;
        deserializer.end().map_err(|error| error.to_string())?;
        Ok(rows)
    }
}

/// The text with allowed escapes of half a surrogate pair as U+FFFD, and allowed large exponents as small ones.
fn tamed(text: &str, rules: &Rules) -> String {
    let mut tamed = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(char) = rest.chars().next() {
        let mut taken = char.len_utf8();
        let escape = rest.get(..6).filter(|_| in_string && rest.starts_with("\\u"));
        match (char, escape.and_then(|escape| u16::from_str_radix(&escape[2..], 16).ok())) {
            (_, Some(unit @ 0xd800..=0xdfff)) if rules.unpaired_surrogates == Permit::Allow => {
                let low = rest.get(6..12).filter(|next| next.starts_with("\\u"));
                let low = low.and_then(|next| u16::from_str_radix(&next[2..], 16).ok());
                let paired = unit < 0xdc00 && low.is_some_and(|low| (0xdc00..=0xdfff).contains(&low));
                taken = if paired { 12 } else { 6 };
                // Which half it is must stay, or two names could become the same.
                tamed.push_str(if paired { &rest[..12] } else { "\\ufffd" });
                if !paired {
                    tamed.push_str(&rest[2..6].to_ascii_lowercase());
                }
            }
            ('\\', _) if in_string => {
                taken += rest[1..].chars().next().map_or(0, char::len_utf8);
                tamed.push_str(&rest[..taken]);
            }
            ('"', _) => {
                in_string = !in_string;
                tamed.push('"');
            }
            ('0'..='9' | '-', _) if !in_string && rules.unsafe_numbers == Permit::Allow => {
                taken = rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(rest.len());
                let number = &rest[..taken];
                let is_json = serde_json::from_str::<IgnoredAny>(number).is_ok();
                let is_too_large = is_json && serde_json::from_str::<f64>(number).is_err();
                tamed.push_str(if is_too_large { "0" } else { number });
            }
            _ => tamed.push(char),
        }
        rest = &rest[taken..];
    }
    tamed
}

impl<'de> DeserializeSeed<'de> for Opinion<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Opinion<'_> {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<u64>, E> {
        match number {
            0..=9_007_199_254_740_991 => Ok(None),
            _ if self.0.unsafe_numbers == Permit::Allow => Ok(None),
            _ => Err(E::custom("an integer that a browser would change")),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<u64>, E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<u64>, E> {
        // An integer that does not fit into 64 bits comes as this, too; of those that have a point or an exponent nothing is said.
        if number.is_finite() { Ok(None) } else { Err(E::custom("infinite")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<u64>, A::Error> {
        let mut rows = 0;
        while elements.next_element_seed(Opinion(self.0))?.is_some() {
            rows += 1;
        }
        Ok(Some(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<u64>, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value_seed(Opinion(self.0))?;
            if !names.insert(name) && self.0.duplicate_names == Permit::Refuse {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(None)
    }
}
