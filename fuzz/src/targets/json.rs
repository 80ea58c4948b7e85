//! The reader of the protocol's own documents, against `serde_json`.

use lastgood::protocol::json::{Json, quoted};
use serde_json::value::RawValue;

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let expected = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    let found = Json::parse(text).ok();
    // What nests deeper than serde_json follows is not its business.
    if expected.is_some() || !is_deep(text) {
        assert_eq!(found.map(Json::as_str), expected);
    }
    let Some(json) = found else { return };
    assert_eq!(json.parsed::<String>(), serde_json::from_str(text).ok());
    assert_eq!(json.number::<u64>(), serde_json::from_str(text).ok());
    assert_eq!(json.number::<u8>(), serde_json::from_str(text).ok());
    // A zero with a sign is a double to serde_json.
    if json.as_str() != "-0" {
        assert_eq!(json.signed(), serde_json::from_str::<i64>(text).ok());
    }
    if let Some(elements) = json.array() {
        let again: Vec<&str> = elements.into_iter().map(Json::as_str).collect();
        assert_eq!(
            Some(again.len()),
            Json::parse(&format!("[{}]", again.join(","))).ok().and_then(Json::array).map(|all| all.len())
        );
    }
    if let Some(object) = json.object() {
        for (name, value) in object.members() {
            let twice = object.members().filter(|(other, _)| *other == name).count() > 1;
            assert_eq!(object.member(name), (!twice).then_some(value));
            assert_eq!(serde_json::from_str::<String>(&quoted(name)).ok().as_deref(), Some(name));
        }
    }
}

fn is_deep(text: &str) -> bool {
    text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() >= 127
}
