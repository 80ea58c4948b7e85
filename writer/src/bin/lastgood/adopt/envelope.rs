//! Envelopes that hand-made publishers put around their data: `{"data": …, "checksum": …}`, `{"version": …, "data": …}`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lastgood::protocol::digest::Sha256;
use md5::{Digest, Md5};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Data in an envelope.
pub(super) struct Envelope<'a> {
    /// The data as it stands in the file.
    pub(super) data: &'a str,
    /// What the checksum says of it.
    pub(super) checksum: Checksum,
    /// Its members but data and checksum.
    pub(super) rest: Map<String, Value>,
}

/// What a checksum says of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// There is none.
    None,
    /// It is neither an MD5 nor a SHA-256 in hexadecimal.
    Unknown,
    /// It is that of the data, as it stands there or written in a usual way.
    Right,
    /// It is another.
    Wrong,
}

impl<'a> Envelope<'a> {
    /// Looks for an envelope around `json`: an object with `data`, and `checksum` or `version` beside it.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let mut members: BTreeMap<String, &'a RawValue> = serde_json::from_slice(json).ok()?;
        let data = members.remove("data")?.get();
        let checksum = members.remove("checksum");
        if checksum.is_none() && !members.contains_key("version") {
            return None;
        }
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Null);
        let checksum = match checksum.map(value) {
            None => Checksum::None,
            Some(Value::String(text)) => compare(&text, data),
            Some(_) => Checksum::Unknown,
        };
        let rest = members.into_iter().map(|(name, raw)| (name, value(raw))).collect();
        Some(Self { data, checksum, rest })
    }
}

/// Compares a checksum with that of `data`, in each of the ways in which it may have been written when it was computed.
fn compare(checksum: &str, data: &str) -> Checksum {
    let wanted = checksum.trim().rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    let digest: fn(&str) -> String = match wanted.len() {
        _ if !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) => return Checksum::Unknown,
        32 => |text| Md5::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")),
        64 => |text| Sha256::of(text.as_bytes()).to_string(),
        _ => return Checksum::Unknown,
    };
    if forms(data).any(|form| digest(&form) == wanted) { Checksum::Right } else { Checksum::Wrong }
}

/// As it stands; as `JSON.stringify` and as Python's `json.dumps` write it, with names sorted or not, with characters
/// beyond ASCII escaped or not.
fn forms(data: &str) -> impl Iterator<Item = String> {
    let sorted = serde_json::from_str::<Value>(data).map(|mut value| {
        value.sort_all_objects();
        value.to_string()
    });
    let texts = std::iter::once(data.to_owned()).chain(sorted);
    let spaced = texts.enumerate().flat_map(|(at, text)| {
        let as_it_stands = (at == 0).then(|| text.clone());
        as_it_stands.into_iter().chain([("", ""), (" ", " ")].map(|(comma, colon)| respaced(&text, comma, colon)))
    });
    spaced.flat_map(|text| [escaped(&text), text])
}

/// The same JSON with exactly these spaces after commas and colons, and none elsewhere.
fn respaced(json: &str, comma: &str, colon: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut after_backslash) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = character != '"' || after_backslash;
            after_backslash = character == '\\' && !after_backslash;
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        text.push(character);
        if !in_string {
            match character {
                ',' => text.push_str(comma),
                ':' => text.push_str(colon),
                _ => {}
            }
        }
    }
    text
}

/// The same JSON with every character beyond ASCII as `\uXXXX`.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").expect("a String takes everything");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python: `hashlib.md5(json.dumps(data, …).encode()).hexdigest()` and the like.
    #[test]
    fn checksums_of_usual_forms_are_recognised() {
        let data = r#"{ "b": [1, 2.50],
            "a": "ü \" : , x" }"#;
        for text in [
            data,
            r#"{"b":[1,2.50],"a":"ü \" : , x"}"#,
            r#"{"b": [1, 2.50], "a": "ü \" : , x"}"#,
            r#"{"b": [1, 2.50], "a": "\u00fc \" : , x"}"#,
            r#"{"a":"ü \" : , x","b":[1,2.5]}"#,
            r#"{"a": "\u00fc \" : , x", "b": [1, 2.5]}"#,
        ] {
            let md5 = Md5::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            assert_eq!(compare(&md5, data), Checksum::Right, "{text}");
            let sha256 = Sha256::of(text.as_bytes()).to_string().to_uppercase();
            assert_eq!(compare(&format!("sha256:{sha256}"), data), Checksum::Right, "{text}");
        }
        assert_eq!(compare("900150983cd24fb0d6963f7d28e17f72", data), Checksum::Wrong);
        for unknown in ["", "abc", "zz0150983cd24fb0d6963f7d28e17f72", "W/\"1\""] {
            assert_eq!(compare(unknown, data), Checksum::Unknown);
        }
        assert_eq!(compare("900150983cd24fb0d6963f7d28e17f72", "abc"), Checksum::Right, "RFC 1321");
    }

    #[test]
    fn what_is_no_envelope_is_none() {
        for json in
            ["[]", "{}", r#"{"data":1}"#, r#"{"data":1,"rows":2}"#, r#"{"version":1}"#, r#"{"checksum":"x"}"#, "{"]
        {
            assert!(Envelope::of(json.as_bytes()).is_none(), "{json}");
        }
        let envelope = Envelope::of(br#"{"version": 3, "data": [1.10], "by": "x"}"#).unwrap();
        assert_eq!((envelope.data, envelope.checksum), ("[1.10]", Checksum::None));
        assert_eq!(Value::Object(envelope.rest), serde_json::json!({"version": 3, "by": "x"}));
    }
}
