//! A number is unsafe exactly when a double changes an integer's neighbourhood
//! or cannot hold the number at all: the standard library's parser is the judge.

use lastgood_protocol::payload::{Permit, RefusalKind, Rules, UnsafeNumber, check};
use proptest::prelude::*;

use crate::generated::number;
use crate::scan;

fn judge(token: &str) -> Option<UnsafeNumber> {
    let double: f64 = token.parse().expect("a number");
    if double.is_infinite() {
        return Some(UnsafeNumber::Overflow);
    }
    let integer = !token.contains(['.', 'e', 'E']);
    let digits = token.trim_start_matches('-');
    let beyond = integer && (digits.len(), digits) > (16, "9007199254740991");
    beyond.then_some(UnsafeNumber::Integer)
}

fn judged(result: Result<impl Sized, lastgood_protocol::payload::Refusal>) -> Option<UnsafeNumber> {
    match result {
        Ok(_) => None,
        Err(refusal) => match refusal.kind {
            RefusalKind::UnsafeNumber { reason, .. } => Some(reason),
            other => panic!("{other}"),
        },
    }
}

/// As the whole payload, as an element, in chunks, and when it is allowed.
fn agrees(token: &str) {
    let rules = Rules::default();
    let expected = judge(token);
    let array = format!("[{token}]");
    assert_eq!(judged(check(token.as_bytes(), &rules)), expected, "{token}");
    assert_eq!(judged(check(array.as_bytes(), &rules)), expected, "{token}");
    for size in [1, 7, 60] {
        let chunks = array.as_bytes().chunks(size);
        assert_eq!(judged(scan(chunks, rules)), expected, "{token}");
    }
    let allowed = Rules {
        unsafe_numbers: Permit::Allow,
        ..rules
    };
    let (_, published) = scan([array.as_bytes()], allowed).expect("allowed");
    assert_eq!(published, array.as_bytes());
}

#[test]
fn integers_at_the_limit() {
    for sign in ["", "-"] {
        for (token, reason) in [
            ("0", None),
            ("999999999999999", None),
            ("9007199254740990", None),
            ("9007199254740991", None),
            ("9007199254740992", Some(UnsafeNumber::Integer)),
            ("9007199254740993", Some(UnsafeNumber::Integer)),
            ("10000000000000000", Some(UnsafeNumber::Integer)),
            ("18446744073709551616", Some(UnsafeNumber::Integer)),
            ("18446744073709551617", Some(UnsafeNumber::Integer)),
            ("9007199254740992.0", None),
            ("1e20", None),
            ("90071992547409910e-1", None),
        ] {
            let token = format!("{sign}{token}");
            assert_eq!(judge(&token), reason, "{token}");
            agrees(&token);
        }
    }
}

#[test]
fn doubles_at_the_limit() {
    let overflow = overflow_limit();
    let below = decremented(&overflow);
    let zeros = "0".repeat(1000);
    let nines = "9".repeat(1000);
    let fraction = |digits: &str| format!("{}.{}", &digits[..1], &digits[1..]);
    for token in [
        "1.7976931348623157e308".to_owned(),
        "1.7976931348623158e308".to_owned(),
        "1.7976931348623159e308".to_owned(),
        "1.8e308".to_owned(),
        "17.976931348623157e307".to_owned(),
        "0.17976931348623157E+309".to_owned(),
        "0.00017976931348623159e312".to_owned(),
        "9.9e307".to_owned(),
        "1e308".to_owned(),
        "1e309".to_owned(),
        "1e+0000000000000000000309".to_owned(),
        "1e-0000000000000000000309".to_owned(),
        "1e99999999999999999999999999".to_owned(),
        "1e-99999999999999999999999999".to_owned(),
        "0e99999999999999999999999999".to_owned(),
        "0.000e999".to_owned(),
        "-0.0".to_owned(),
        format!("{}e308", fraction(&overflow)),
        format!("{}{zeros}e308", fraction(&overflow)),
        format!("{}e308", fraction(&below)),
        format!("{}{nines}e308", fraction(&below)),
        format!("{overflow}.0"),
        format!("{overflow}.{zeros}1"),
        format!("{below}.{nines}"),
        format!("{overflow}{zeros}e-1000"),
        format!("{below}{nines}e-1000"),
        format!("0.{zeros}{overflow}e1309"),
        format!("0.{zeros}{below}e1309"),
        format!("0.{zeros}{overflow}e1310"),
        format!("1{zeros}"),
        format!("1{zeros}e-692"),
        format!("1{zeros}e-691"),
        format!("1{zeros}.{zeros}"),
        format!("0.{zeros}1e1309"),
        format!("0.{zeros}1e1310"),
        nines.clone(),
    ] {
        agrees(&token);
        agrees(&format!("-{token}").replace("--", "-"));
    }
    assert_eq!(
        judge(&format!("{overflow}.0")),
        Some(UnsafeNumber::Overflow)
    );
    assert_eq!(judge(&format!("{below}.{nines}")), None);
}

/// 2^1024 − 2^970, where rounding to infinity begins.
fn overflow_limit() -> String {
    let mut digits = vec![1u8]; // little-endian
    let double = |digits: &mut Vec<u8>| {
        let mut carry = 0;
        for digit in digits.iter_mut() {
            let doubled = *digit * 2 + carry;
            *digit = doubled % 10;
            carry = doubled / 10;
        }
        if carry > 0 {
            digits.push(carry);
        }
    };
    // (2^54 − 1) · 2^970: 1, 3, 7, … and then only doubling.
    for _ in 1..54 {
        double(&mut digits);
        digits[0] += 1;
    }
    for _ in 0..970 {
        double(&mut digits);
    }
    digits
        .iter()
        .rev()
        .map(|&digit| char::from(b'0' + digit))
        .collect()
}

fn decremented(digits: &str) -> String {
    let (head, last) = digits.split_at(digits.len() - 1);
    let last: u8 = last.parse().expect("a digit");
    format!(
        "{head}{}",
        last.checked_sub(1).expect("the limit does not end in zero")
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_number(token in number()) {
        agrees(&token);
    }

    #[test]
    fn numbers_near_overflow(
        keep in 1usize..309,
        tail in "[0-9]{0,20}",
        point in 1usize..309,
        shift in -2i64..=2,
    ) {
        let limit = overflow_limit();
        let digits = format!("{}{tail}", &limit[..keep]);
        let point = point.min(digits.len());
        let (integer, fraction) = digits.split_at(point);
        let exponent = 309 - point as i64 + shift;
        let token = match fraction {
            "" => format!("{integer}e{exponent}"),
            _ => format!("{integer}.{fraction}e{exponent}"),
        };
        agrees(&token);
    }

    #[test]
    fn integers_near_the_limit(offset in -1000i64..1000, negative: bool) {
        let integer = (1i64 << 53) + offset;
        agrees(&if negative { -integer } else { integer }.to_string());
    }
}
