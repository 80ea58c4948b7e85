//! A name is a duplicate exactly when a parser would see the same member twice.

use std::collections::HashSet;
use std::fmt;

use lastgood_protocol::payload::{Permit, RefusalKind, Rules, check};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::generated::damaged;
use crate::{PERMISSIVE, scan};

const UNIQUE_NAMES: Rules = Rules {
    duplicate_names: Permit::Refuse,
    unpaired_surrogates: Permit::Refuse,
    ..PERMISSIVE
};

/// A value that a parser accepts without a member name that it has seen.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unique)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Unique)) = map.next_entry::<String, _>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("duplicate name"));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while let Some(Unique) = elements.next_element()? {}
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// Whether the parser agrees; it refuses numbers beyond its range on top.
fn agrees(bytes: &[u8]) {
    let ours = check(bytes, &UNIQUE_NAMES);
    let theirs = serde_json::from_slice::<Unique>(bytes);
    match &theirs {
        Err(error) if error.to_string().contains("out of range") => {}
        _ => assert_eq!(
            ours.is_ok(),
            theirs.is_ok(),
            "{:?}: {ours:?}, {:?}",
            String::from_utf8_lossy(bytes),
            theirs.err(),
        ),
    }
}

fn object<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let members: Vec<_> = names
        .into_iter()
        .map(|name| format!("\"{name}\":0"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Rows of names from a pool: small and large objects, in any order, with the
/// names of the row before, or without some of them.
fn rows() -> impl Strategy<Value = String> {
    let pool: Vec<String> = (0..40)
        .map(|number| format!("n{number}"))
        .chain(
            [
                "a",
                r"\u0061",
                "\\u00e9",
                "é",
                r"\ud83d\ude00",
                "😀",
                "",
                r#"\""#,
            ]
            .map(String::from),
        )
        .collect();
    let row = (
        vec(select(pool.clone()), 0..6),
        Just(pool).prop_shuffle(),
        0usize..40,
    )
        .prop_map(|(few, shuffled, many)| {
            let names = few.iter().chain(shuffled.iter().take(many));
            object(names.map(String::as_str))
        });
    let row = prop_oneof![
        row,
        vec(any::<prop::sample::Index>(), 0..3).prop_map(|skipped| {
            let mut names: Vec<_> = (0..30).map(|number| format!("n{number}")).collect();
            for index in skipped {
                names.remove(index.index(names.len()));
            }
            object(names.iter().map(String::as_str))
        }),
    ];
    vec(row, 1..6).prop_map(|rows| format!("[{}]", rows.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn damaged_documents(bytes in damaged()) {
        agrees(&bytes);
    }

    #[test]
    fn rows_of_objects(rows in rows()) {
        agrees(rows.as_bytes());
    }
}

/// Every pair of places in objects below, at and above the size from which on
/// names are hashed, after a row with the same names and after none.
#[test]
fn a_duplicate_is_found_wherever_it_is() {
    for count in [2, 3, 15, 16, 17, 18, 19, 40] {
        let names: Vec<_> = (0..count).map(|number| format!("name{number}")).collect();
        let unique = object(names.iter().map(String::as_str));
        for second in 1..count {
            for first in 0..second {
                let mut names = names.clone();
                names[second] = names[first].clone();
                let twice = object(names.iter().map(String::as_str));
                for (before, row) in [("", 0), (unique.as_str(), 1)] {
                    let comma = if row > 0 { "," } else { "" };
                    let payload = format!("[{before}{comma}{twice}]");
                    let refusal = check(payload.as_bytes(), &Rules::default()).unwrap_err();
                    assert_eq!(refusal.code(), "duplicate-name");
                    assert_eq!(refusal.pointer, format!("/{row}/name{first}"));
                    let quote = payload
                        .rfind(&format!("\"name{first}\""))
                        .expect("it is there");
                    assert_eq!(refusal.column, quote as u64 + 1);
                }
            }
        }
    }
}

#[test]
fn the_same_name_in_another_object_is_no_duplicate() {
    for payload in [
        r#"{"a":{"a":{"a":[{"a":0},{"a":0}]}}}"#,
        r#"[{"a":0,"b":0},{"b":0,"a":0},{},{"a":0},{"b":0},{"c":0,"a":0}]"#,
        r#"{"a":0,"A":0,"a ":0," a":0,"":0}"#,
        r#"{"\ud83d\ude00":0,"\ud83d":0}"#,
    ] {
        let rules = Rules {
            unpaired_surrogates: Permit::Allow,
            ..Rules::default()
        };
        assert_eq!(
            check(payload.as_bytes(), &rules).map(|_| ()),
            Ok(()),
            "{payload}"
        );
    }
}

#[test]
fn names_are_compared_unescaped() {
    for (first, second) in [
        ("a", r"\u0061"),
        (r"\u0061", "a"),
        ("é", r"\u00E9"),
        ("😀", r"\ud83d\uDE00"),
        ("/", r"\/"),
        (r"\n", r"\u000a"),
        (r#"\""#, r"\u0022"),
        (r"\ud800", r"\uD800"),
        ("", ""),
    ] {
        let rules = Rules {
            unpaired_surrogates: Permit::Allow,
            ..Rules::default()
        };
        let payload = object([first, second]);
        for size in [1, 3, 1000] {
            let refusal = scan(payload.as_bytes().chunks(size), rules).unwrap_err();
            assert_eq!(refusal.code(), "duplicate-name", "{payload}");
        }
    }
}

#[test]
fn an_object_with_a_million_members() {
    let mut names: Vec<_> = (0..1_000_000)
        .map(|number: u32| number.to_string())
        .collect();
    let unique = object(names.iter().map(String::as_str));
    assert!(check(unique.as_bytes(), &Rules::default()).is_ok());

    names.push("123456".to_owned());
    let twice = object(names.iter().map(String::as_str));
    let refusal = check(twice.as_bytes(), &Rules::default()).unwrap_err();
    assert_eq!(refusal.pointer, "/123456");
    let name = "123456".to_owned();
    assert_eq!(refusal.kind, RefusalKind::DuplicateName { name });

    let allowed = Rules {
        duplicate_names: Permit::Allow,
        ..Rules::default()
    };
    assert!(check(twice.as_bytes(), &allowed).is_ok());
}
