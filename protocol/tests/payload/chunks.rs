//! How the input is cut into chunks changes nothing.

use lastgood_protocol::payload::{Nan, Permit, RefusalKind, Rules, Scanner, check};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generated::{damaged, document};
use crate::scan;

fn permit() -> impl Strategy<Value = Permit> {
    prop_oneof![Just(Permit::Refuse), Just(Permit::Allow)]
}

fn rules() -> impl Strategy<Value = Rules> {
    let nan = prop_oneof![Just(Nan::Refuse), Just(Nan::Null)];
    let max_bytes = prop_oneof![3 => Just(u64::MAX), 1 => 0..200u64];
    (nan, permit(), permit(), permit(), max_bytes).prop_map(
        |(nan, unsafe_numbers, duplicate_names, unpaired_surrogates, max_bytes)| Rules {
            nan,
            unsafe_numbers,
            duplicate_names,
            unpaired_surrogates,
            max_bytes,
        },
    )
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cuts| &bytes[cuts[0]..cuts[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_cuts(
        bytes in prop_oneof![damaged(), document().prop_map(String::into_bytes)],
        rules in rules(),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let whole = scan([&bytes[..]], rules);
        prop_assert_eq!(&scan(cut(&bytes, &cuts), rules), &whole);
        prop_assert_eq!(&scan(bytes.chunks(1), rules), &whole);
        prop_assert_eq!(check(&bytes, &rules), whole.map(|(summary, _)| summary));
    }

    #[test]
    fn published_is_what_was_given(document in document(), rules in rules()) {
        if let Ok((summary, published)) = scan([document.as_bytes()], rules) {
            prop_assert_eq!(summary.size, published.len() as u64);
            prop_assert!(summary.size <= rules.max_bytes);
            if summary.nan_mapped == 0 {
                prop_assert_eq!(published, document.as_bytes());
            }
        }
    }

    #[test]
    fn nan_tokens_become_null(
        elements in vec(prop::sample::select(vec!["NaN", "Infinity", "-Infinity", "-1", "\"NaN\"", "0"]), 0..20),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let document = format!("[{}]", elements.join(", "));
        let rules = Rules { nan: Nan::Null, ..Rules::default() };
        let (summary, published) = scan(cut(document.as_bytes(), &cuts), rules).expect("only NaN tokens");
        let is_nan = |element: &&&str| element.ends_with('N') || element.ends_with('y');
        let nans = elements.iter().filter(is_nan).count();
        let mapped = elements.iter().map(|element| if is_nan(&element) { "null" } else { element });
        let expected = format!("[{}]", mapped.collect::<Vec<_>>().join(", "));
        prop_assert_eq!(published, expected.as_bytes());
        prop_assert_eq!(summary.nan_mapped, nans as u64);
        prop_assert_eq!(summary.rows, Some(elements.len() as u64));
    }
}

/// Long inputs are worked on in blocks; whatever stands at the end of a block is
/// read as if it stood elsewhere.
#[test]
fn tokens_across_blocks() {
    const BLOCK: usize = 32 * 1024;
    let digits = "1".repeat(100);
    for token in [
        r#"{"name \ud83d\ude00 of a member":"日本 \u00e9 \\ text"}"#.to_owned(),
        r#"{"a":0,"\u0061":1}"#.to_owned(),
        r#""\ud83d\ud83d""#.to_owned(),
        r#""\u00g0""#.to_owned(),
        "NaN,-Infinity,Infinity,true,-1.5e-7".to_owned(),
        format!("-{digits}.{digits}e-0{digits}"),
        format!("{digits}.{digits}.{digits}"),
        digits,
        "undefined_undefined_undefined_undefined_undefined_undefined".to_owned(),
        "\u{a0}".to_owned(),
    ] {
        for start in BLOCK - token.len() - 2..=BLOCK + 1 {
            for space in [" ", "\n"] {
                let payload = format!("[{}{token}]", space.repeat(start - 1));
                let rules = Rules { nan: Nan::Null, ..Rules::default() };
                let whole = scan([payload.as_bytes()], rules);
                let (before, after) = payload.as_bytes().split_at(BLOCK - 100);
                let cut = [before].into_iter().chain(after.chunks(3));
                assert_eq!(scan(cut, rules), whole, "{token} at {start}");
            }
        }
    }
}

/// Large slices pass through as they come.
#[test]
fn published_bytes_come_in_large_pieces() {
    let payload = format!("[{}0]", r#"{"name":"value"},"#.repeat(100_000));
    let mut pieces = 0;
    let mut out = |_: &[u8]| pieces += 1;
    let mut scanner = Scanner::new(Rules::default());
    scanner.push(payload.as_bytes(), &mut out).expect("valid");
    scanner.finish(&mut out).expect("valid");
    assert!(pieces < payload.len() / 10_000, "{pieces}");
}

#[test]
fn a_refusal_stays() {
    let mut ignore = |_: &[u8]| {};
    let mut scanner = Scanner::new(Rules::default());
    let refusal = scanner.push(b"[1,]", &mut ignore).unwrap_err();
    assert_eq!(scanner.push(b"[]", &mut ignore), Err(refusal.clone()));
    assert_eq!(scanner.finish(&mut ignore), Err(refusal));
}

#[test]
fn too_large_is_known_with_the_first_byte_beyond() {
    let rules = Rules { max_bytes: 5, ..Rules::default() };
    assert!(check(b"[1,2]", &rules).is_ok());
    let mut ignore = |_: &[u8]| {};
    let mut scanner = Scanner::new(rules);
    assert_eq!(scanner.push(b"[1,22", &mut ignore), Ok(()));
    let refusal = scanner.push(b"2", &mut ignore).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::TooLarge { max_bytes: 5 });
    assert_eq!((refusal.line, refusal.column), (1, 6));
}

/// What is published may not pass the limit either.
#[test]
fn mapped_tokens_count_as_published() {
    for (payload, max_bytes, fits) in [
        ("[NaN]", 6, true),
        ("[NaN]", 5, false),
        ("NaN", 4, true),
        ("NaN", 3, false),
        ("[NaN,Infinity]", 14, true),
        ("[NaN,Infinity]", 13, false),
        ("[Infinity,NaN]", 14, true),
    ] {
        let rules = Rules { nan: Nan::Null, max_bytes, ..Rules::default() };
        for size in [1, 2, 100] {
            let result = scan(payload.as_bytes().chunks(size), rules);
            assert_eq!(result.is_ok(), fits, "{payload} within {max_bytes}: {result:?}");
        }
    }
}

/// Whoever puts something behind what has been accepted so far relies on it.
#[test]
fn a_refusal_comes_with_the_byte_that_decides_it() {
    let rules = Rules { nan: Nan::Null, ..Rules::default() };
    for document in ["{\"a\":NaN\u{feff}}", "[NaNa,", "[-Infinity\u{e9}]", "[NaN\u{feff}", "[NaN]]", "[NaN,NaN}]"] {
        let refused_at = |end: usize, size: usize| {
            let mut scanner = Scanner::new(rules);
            let mut chunks = document.as_bytes()[..end].chunks(size);
            chunks.try_for_each(|chunk| scanner.push(chunk, &mut |_: &[u8]| {})).err()
        };
        for (end, size) in (0..=document.len()).flat_map(|end| (1..=4).map(move |size| (end, size))) {
            assert_eq!(
                refused_at(end, size),
                refused_at(end, end.max(1)),
                "{document} up to {end} in chunks of {size}"
            );
        }
        assert!(refused_at(document.len(), 1).is_some(), "{document}");
    }
}
