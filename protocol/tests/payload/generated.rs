//! Inputs for the property tests: valid documents of every shape, and documents
//! that were damaged.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A document with everything that JSON allows and some of what it does not:
/// tokens for NaN, duplicate names, unpaired surrogates, huge numbers.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => select(vec!["null", "true", "false"]).prop_map(String::from),
        6 => number(),
        6 => string(),
        1 => select(vec!["NaN", "Infinity", "-Infinity"]).prop_map(String::from),
    ];
    let value = leaf.prop_recursive(5, 48, 6, |inner| {
        let element = (space(), inner.clone(), space())
            .prop_map(|(before, value, after)| before + &value + &after)
            .boxed();
        let member = (space(), string(), space(), element.clone())
            .prop_map(|(before, name, after, value)| before + &name + &after + ":" + &value);
        prop_oneof![
            vec(element, 0..6).prop_map(|elements| format!("[{}]", elements.join(","))),
            vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (space(), value, space()).prop_map(|(before, value, after)| before + &value + &after)
}

/// A document with a few bytes changed, removed, doubled or cut off.
pub(crate) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    const BYTES: &[u8] =
        b"{}[]:,\"\\ \n\t\r0123456789-+.eEtrufalsnNIyx'/#\0\x1f\x7f\x80\xbf\xc3\xe2\xf0\xff";
    let damage = (any::<Index>(), 0..4, select(BYTES));
    (document(), vec(damage, 0..4)).prop_map(|(document, damages)| {
        let mut bytes = document.into_bytes();
        for (place, kind, byte) in damages {
            let place = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                2 if place < bytes.len() => drop(bytes.remove(place)),
                3 if place % 4 == 0 => bytes.truncate(place),
                _ => {}
            }
        }
        bytes
    })
}

pub(crate) fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?",
        1 => r"-?[1-9][0-9]{30,400}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?",
        1 => r"-?0\.0{0,400}[0-9]{1,30}([eE][+-]?[0-9]{1,5})?",
    ]
}

fn string() -> impl Strategy<Value = String> {
    const PIECES: [&str; 20] = [
        "a",
        "b",
        "c",
        "name",
        "~",
        "/",
        "é",
        "日本",
        "😀",
        "\u{7f}",
        r"\n",
        r#"\""#,
        r"\\",
        r"\/",
        r"\u0061",
        r"\u00E9",
        r"\ud83d\ude00",
        r"\ud800",
        r"\udc00",
        "and some longer plain text",
    ];
    vec(select(&PIECES), 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \n\r\t]{1,4}"]
}
