//! JSON, as far as the protocol's own documents need it: the manifest, the lock marker, cache entries.
//!
//! A [`Json`] is the text of one well-formed value, borrowed from the document: what a checksum covers and what is kept
//! to the letter is that text itself, not something made of it. Looking into a value scans its text once more; documents
//! are small and shallow. Nothing recurses, so nesting, however deep, does not overflow the stack.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::mem;
use core::str::FromStr;

use crate::digest::hex;
use crate::scalar::{self, Scalar};
use crate::text::{Escape, escape};

/// How deep arrays and objects of a payload may be nested: the outermost is the first level.
pub const MAX_DEPTH: usize = 128;

/// A text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected JSON, which ends at byte {at}")]
pub struct NotJson {
    at: usize,
}

/// The text of one well-formed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Takes a text that is one value; the text of the value is what is left without the space around it.
    pub fn parse(text: &'a str) -> Result<Self, NotJson> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value();
        scanner.space();
        value.filter(|_| scanner.peek().is_none()).ok_or(NotJson { at: scanner.at })
    }

    /// Its text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The members, if it is an object whose names are made of characters.
    pub fn object(self) -> Option<Object<'a>> {
        Scanner::new(self.0).object().map(Object)
    }

    /// The elements, if it is an array.
    pub fn array(self) -> Option<Vec<Json<'a>>> {
        Scanner::new(self.0).array()
    }

    /// The whole number, if it is one and fits; written with a fraction or an exponent it is none.
    pub fn number<N: TryFrom<u64>>(self) -> Option<N> {
        // Rust's forms of a whole number that are no JSON have been refused.
        self.0.parse::<u64>().ok()?.try_into().ok()
    }

    /// As [`number`](Self::number), of either sign.
    pub fn signed(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The text, if it is a string that is made of characters: half a surrogate pair is none.
    fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.bytes().any(|byte| byte == b'\\') {
            unescaped(inner).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// What its text stands for, if it is a string and that of a `T`.
    pub fn parsed<T: FromStr>(self) -> Option<T> {
        self.text()?.parse().ok()
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut unescaped = String::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        let Escape::Char { char, len } = escape(escaped) else { return None };
        unescaped.push_str(plain);
        unescaped.push(char);
        rest = escaped.get(len..)?;
    }
    unescaped.push_str(rest);
    Some(unescaped)
}

/// The members of an object, in their order.
#[derive(Debug, Clone)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Names and values.
    pub fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The value of a member that is there once. Which of two counts would be a guess.
    pub fn member(&self, name: &str) -> Option<Json<'a>> {
        self.optional(name)?
    }

    /// What `decode` makes of a member that may be left out or `null`.
    pub fn nullable<T>(&self, name: &str, decode: impl Fn(Json<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.optional(name)? {
            Some(value) if value.0 != "null" => decode(value).map(Some),
            _ => Some(None),
        }
    }

    /// The value of a member that may be left out; `None` when it is there twice.
    pub fn optional(&self, name: &str) -> Option<Option<Json<'a>>> {
        let mut found = self.members().filter(|(other, _)| *other == name).map(|(_, value)| value);
        let first = found.next();
        found.next().is_none().then_some(first)
    }

    /// The whole number that a member is.
    pub fn number<N: TryFrom<u64>>(&self, name: &str) -> Option<N> {
        self.member(name)?.number()
    }

    /// What the text of a member stands for.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.member(name)?.parsed()
    }
}

/// Goes over a document. `None` means: no JSON beyond `at`.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn object(&mut self) -> Option<Vec<(Cow<'a, str>, Json<'a>)>> {
        let mut members = Vec::new();
        self.expect(b'{')?;
        if self.eat(b'}') {
            return Some(members);
        }
        loop {
            members.push((self.name()?.text()?, self.value()?));
            if !self.eat(b',') {
                self.expect(b'}')?;
                return Some(members);
            }
        }
    }

    fn array(&mut self) -> Option<Vec<Json<'a>>> {
        let mut elements = Vec::new();
        self.expect(b'[')?;
        if self.eat(b']') {
            return Some(elements);
        }
        loop {
            elements.push(self.value()?);
            if !self.eat(b',') {
                self.expect(b']')?;
                return Some(elements);
            }
        }
    }

    /// Goes over one value, whatever it is.
    fn value(&mut self) -> Option<Json<'a>> {
        self.space();
        let start = self.at;
        // The brackets that are still to be closed; a stack of its own instead of recursion.
        let mut open = Vec::new();
        loop {
            self.space();
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    if !self.eat(b'}') {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if !self.eat(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                _ => self.scalar(Scalar::read)?,
            }
            loop {
                let Some(&close) = open.last() else {
                    return self.since(start);
                };
                if self.eat(b',') {
                    if close == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.expect(close)?;
                open.pop();
            }
        }
    }

    /// The name of a member, with its colon.
    fn name(&mut self) -> Option<Json<'a>> {
        self.space();
        let start = self.at;
        self.scalar(Scalar::read_name)?;
        let name = self.since(start);
        self.expect(b':')?;
        name
    }

    fn scalar(&mut self, read: fn(&str, usize) -> Result<Scalar, scalar::NotJson>) -> Option<()> {
        let scalar = read(self.text, self.at);
        self.at = scalar.map_or_else(|problem| problem.at, Scalar::behind);
        scalar.ok().map(|_| ())
    }

    fn space(&mut self) {
        while self.skip(b" \t\r\n") {}
    }

    /// Takes the next byte if it is `byte`, whatever space is before it.
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        self.skip(&[byte])
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    /// Takes the next byte if it is one of `bytes`.
    fn skip(&mut self, bytes: &[u8]) -> bool {
        let fits = self.peek().is_some_and(|byte| bytes.contains(&byte));
        self.at += usize::from(fits);
        fits
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> Option<Json<'a>> {
        self.text.get(start..self.at).map(Json)
    }
}

/// Writes an object, without space.
#[derive(Debug)]
pub struct Writer(String);

impl Writer {
    /// An object without members so far.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "what is empty here is not what is empty elsewhere: it has begun")]
    pub fn new() -> Self {
        Self("{".to_owned())
    }

    /// A member that is JSON already.
    pub fn json(&mut self, name: &str, json: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(name, &mut self.0);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// A member that is a number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.json(name, &number.to_string())
    }

    /// A member that is a text.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.json(name, "");
        quote(text, &mut self.0);
        self
    }

    /// A member that is a text in which nothing is to be escaped: a digest, an id, a time.
    pub fn plain(&mut self, name: &str, text: &dyn fmt::Display) -> &mut Self {
        self.json(name, "");
        write!(self.0, "\"{text}\"").expect("writing to a String does not fail");
        self
    }

    /// The text of the object, which is complete.
    #[must_use]
    pub fn finish(&mut self) -> String {
        self.0.push('}');
        mem::take(&mut self.0)
    }
}

/// The text as a JSON string; also how texts of others stand in messages.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quote(text, &mut quoted);
    quoted
}

fn quote(text: &str, quoted: &mut String) {
    quoted.push('"');
    // Most texts have nothing to be escaped, and a large manifest has many.
    if text.bytes().all(|byte| matches!(byte, b' '..b'\x7f') && byte != b'"' && byte != b'\\') {
        quoted.push_str(text);
        quoted.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Those of the terminal too, which JSON would allow.
            c if c.is_control() => {
                quoted.push_str("\\u00");
                quoted.push_str(&hex::encode(&[c as u8]));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    use super::{Json, NotJson, Object, Writer, quoted};

    fn document() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            "\\PC{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap()),
            // Every kind of escape, halves of surrogate pairs among them.
            "\"(\\\\[\"\\\\/bfnrt]|\\\\u(d[89cd]|00|20)[0-9a-fA-F]{2}|a){0,6}\"",
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(" , "))),
                prop::collection::vec(("[a-c]{0,1}", inner), 0..4).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":\n{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    /// Documents, and what they become when something is replaced in, put into or cut out of them.
    fn damaged() -> impl Strategy<Value = String> {
        let piece = prop_oneof!["[\\[\\]{}:,\"\\\\ eE.+0-9u-]{0,2}", "\\PC{0,1}", "[\\x00-\\x1f]"];
        (document(), any::<prop::sample::Index>(), 0..3usize, piece).prop_map(|(text, at, cut, piece)| {
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            let rest = chars[at..].iter().skip(cut);
            chars[..at].iter().copied().chain(piece.chars()).chain(rest.copied()).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_same_texts_are_json_as_to_serde_json(text in prop_oneof![document(), damaged()]) {
            let expected = serde_json::from_str::<&RawValue>(&text).ok().map(RawValue::get);
            prop_assert_eq!(Json::parse(&text).ok().map(Json::as_str), expected);
        }

        #[test]
        fn values_are_what_they_are_to_serde_json(text in prop_oneof![document(), damaged()]) {
            if let Ok(json) = Json::parse(&text) {
                prop_assert_eq!(json.parsed::<String>(), serde_json::from_str::<String>(&text).ok());
                prop_assert_eq!(json.number::<u64>(), serde_json::from_str::<u64>(&text).ok());
                let elements = json.array().map(|all| all.into_iter().map(Json::as_str).collect::<Vec<_>>());
                let expected = serde_json::from_str::<Vec<&RawValue>>(&text).ok();
                prop_assert_eq!(elements, expected.map(|all| all.into_iter().map(RawValue::get).collect()));
            }
            let members = |object: Object<'_>| -> BTreeMap<String, String> {
                object.members().map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect()
            };
            let expected = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text).ok();
            let expected = expected.map(|all| all.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect());
            prop_assert_eq!(Json::parse(&text).ok().and_then(Json::object).map(members), expected);
        }

        #[test]
        fn what_is_written_is_read_back(text in any::<String>(), number in any::<u64>()) {
            let written = Writer::new().text("a", &text).number(&text, number).json("c", "[]").finish();
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read["c"].as_array().map(Vec::len), Some(0));
            let object = Json::parse(&written).unwrap().object().unwrap();
            let (name, value) = object.members().nth(1).unwrap();
            prop_assert_eq!((name, value.number()), (text.as_str(), Some(number)));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).unwrap(), text);
        }
    }

    #[test]
    fn a_member_is_found_by_what_its_name_means() {
        let object = Json::parse(r#"{"\u0061":1,"b":null,"c":"x","c":"x"}"#).unwrap().object().unwrap();
        assert_eq!(object.number("a"), Some(1));
        assert_eq!(object.nullable("b", Json::parsed::<String>), Some(None));
        assert_eq!(object.parsed::<String>("b"), None);
        assert_eq!((object.member("c"), object.optional("c")), (None, None), "there twice");
        assert_eq!((object.member("d"), object.optional("d")), (None, Some(None)));
    }

    #[test]
    fn where_it_ends_to_be_json_is_told() {
        assert_eq!(Json::parse("[1, 2"), Err(NotJson { at: 5 }));
        assert_eq!(Json::parse("[1, 2] x"), Err(NotJson { at: 7 }));
        assert_eq!(Json::parse("{\"a\": tru}"), Err(NotJson { at: 6 }));
    }
}
