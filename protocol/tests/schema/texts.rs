//! Names and texts are compared by their characters, all of them.

use proptest::prelude::*;
use serde_json::json;

use crate::engine::fits;

/// A text as JSON with some characters escaped.
fn escaped(text: &str, escape: &[bool]) -> String {
    let mut units = [0; 2];
    let json =
        text.chars().zip(escape.iter().chain(std::iter::repeat(&true))).map(|(char, escape)| match (char, escape) {
            ('"' | '\\' | '\0'..'\x20', _) | (_, true) => {
                char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }
            (char, false) => char.to_string(),
        });
    format!("\"{}\"", json.collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_text_is_itself_however_it_is_escaped_and_no_other(
        text in "[a-cä\u{1f600}\"\\\\/\n]{0,24}",
        escape in prop::collection::vec(any::<bool>(), 24),
        at in any::<prop::sample::Index>(),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        let mut other = None;
        if !chars.is_empty() {
            let at = at.index(chars.len());
            // As many bytes as before, so that it is the bytes that tell.
            chars[at] = match chars[at] { 'ä' => 'ö', '\u{1f600}' => '\u{1f601}', 'z' => 'y', _ => 'z' };
            other = Some(chars.into_iter().collect::<String>());
        }
        let written = escaped(&text, &escape);
        for (text, same) in std::iter::once((&text, true)).chain(other.iter().map(|other| (other, false))) {
            prop_assert_eq!(fits(&json!({"const": text}).to_string(), &written), same);
            prop_assert_eq!(fits(&json!({"enum": [1, text]}).to_string(), &written), same);
            prop_assert_eq!(fits(&json!({"required": [text]}).to_string(), &format!("{{{written}: 1}}")), same);
            let property = json!({"properties": {text: false}});
            prop_assert_eq!(!fits(&property.to_string(), &format!("{{{written}: 1}}")), same);
            let unique = format!("[{written}, {}]", json!(text));
            prop_assert_eq!(!fits(r#"{"uniqueItems": true}"#, &unique), same);
        }
        let length = text.chars().count();
        let exactly = json!({"minLength": length, "maxLength": length});
        prop_assert!(fits(&exactly.to_string(), &written));
    }
}

#[test]
fn half_of_a_surrogate_pair_is_one_character_and_equal_to_itself_alone() {
    let half = r#""\ud83d""#;
    assert!(fits(r#"{"minLength": 1, "maxLength": 1}"#, half));
    assert!(fits(r#"{"const": "\uD83D"}"#, half));
    assert!(!fits(r#"{"const": "\ud83e"}"#, half));
    assert!(!fits(r#"{"const": "\ufffd"}"#, half));
    assert!(fits(r#"{"pattern": "^\ufffd$"}"#, half));
    assert!(fits(r#"{"minLength": 2, "maxLength": 2}"#, r#""\ude00\ud83d""#));
}
