//! Numbers are compared as they are written, whichever way that is.

use proptest::prelude::*;

use crate::engine::{compile, fits};

/// A number as an integer, and what it is to be divided by: ten to the power of the places.
#[derive(Debug, Clone)]
struct Exact {
    digits: i128,
    places: u32,
    /// One of the ways to write it.
    text: String,
}

const MOST_PLACES: u32 = 6;

impl Exact {
    fn scaled(&self) -> i128 {
        self.digits * 10_i128.pow(MOST_PLACES - self.places)
    }
}

fn number() -> impl Strategy<Value = Exact> {
    let digits = prop_oneof![-20..20_i64, -100_000..100_000_i64, any::<i64>()];
    (digits, 0..=MOST_PLACES, -8..8_i32, 0..3_usize).prop_map(|(digits, places, shift, zeros)| {
        // digits × 10^-places, with the point moved by `shift` and that taken back in the exponent.
        let sign = if digits < 0 { "-" } else { "" };
        let behind = places as i32 + shift;
        let magnitude = digits.unsigned_abs().to_string();
        let zeros = "0".repeat(zeros);
        let mantissa = if behind <= 0 {
            let integer = if digits == 0 { magnitude } else { magnitude + &"0".repeat(behind.unsigned_abs() as usize) };
            if zeros.is_empty() { integer } else { format!("{integer}.{zeros}") }
        } else {
            let padded = format!("{magnitude:0>width$}", width = behind as usize + 1);
            let (integer, fraction) = padded.split_at(padded.len() - behind as usize);
            format!("{integer}.{fraction}{zeros}")
        };
        let exponent = match shift {
            0 => String::new(),
            shift if shift % 2 == 0 => format!("e{shift}"),
            shift => format!("E{shift:+}"),
        };
        Exact { digits: digits.into(), places, text: format!("{sign}{mantissa}{exponent}") }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn they_compare_as_exact_arithmetic_says(a in number(), b in number()) {
        let (x, y) = (a.scaled(), b.scaled());
        for (keyword, expected) in [
            ("minimum", x >= y),
            ("maximum", x <= y),
            ("exclusiveMinimum", x > y),
            ("exclusiveMaximum", x < y),
            ("const", x == y),
        ] {
            prop_assert_eq!(fits(&format!(r#"{{"{keyword}": {}}}"#, b.text), &a.text), expected, "{} {} {}", a.text, keyword, b.text);
        }
        prop_assert_eq!(fits(&format!(r#"{{"enum": [null, {}]}}"#, b.text), &a.text), x == y);
        prop_assert_eq!(fits(r#"{"uniqueItems": true}"#, &format!("[{}, {}]", a.text, b.text)), x != y);
        prop_assert_eq!(fits(r#"{"type": "integer"}"#, &a.text), x % 10_i128.pow(MOST_PLACES) == 0, "{}", a.text);
    }

    #[test]
    fn a_number_equals_itself_written_otherwise(a in number(), zeros in 1..30_usize) {
        let more = if a.digits == 0 { String::new() } else { "0".repeat(zeros) };
        let text = format!("{}{more}e-{}", a.scaled(), zeros + MOST_PLACES as usize);
        prop_assert!(fits(&format!(r#"{{"const": {text}}}"#), &a.text), "{} {}", text, a.text);
        prop_assert!(fits(&format!(r#"{{"enum": [{text}]}}"#), &a.text), "{} {}", text, a.text);
    }

    #[test]
    fn multiples_are_exact(a in number(), b in number()) {
        match compile(&format!(r#"{{"multipleOf": {}}}"#, b.text)) {
            Ok(schema) => {
                let expected = a.scaled() % b.scaled() == 0;
                prop_assert_eq!(schema.validate(&a.text, 1).is_ok(), expected, "{} {}", a.text, b.text);
                let times = format!("{}", b.digits * 7);
                prop_assert!(schema.validate(&format!("{times}e-{}", b.places), 1).is_ok(), "{} {}", times, b.text);
            }
            Err(_) => prop_assert!(b.digits <= 0 || b.digits.to_string().trim_end_matches('0').len() > 18),
        }
    }
}

#[test]
fn no_exponent_is_too_large() {
    for (schema, payload, expected) in [
        (r#"{"type": "integer"}"#, "1e400", true),
        (r#"{"type": "integer"}"#, "1e-400", false),
        (r#"{"type": "integer"}"#, "0e-99999999999999999999999", true),
        (r#"{"minimum": 1e400}"#, "1e401", true),
        (r#"{"minimum": 1e400}"#, "9.9e399", false),
        (r#"{"maximum": -1e99999999999999999999999}"#, "-1e99999999999999999999999", true),
        (r#"{"multipleOf": 1e-99999999999999999999999}"#, "1e99999999999999999999999", true),
        (r#"{"multipleOf": 1e99999999999999999999999}"#, "1e-99999999999999999999999", false),
        (r#"{"multipleOf": 3}"#, "1e99999999999999999999999", false),
        (r#"{"multipleOf": 65536}"#, "1e15", false),
        (r#"{"multipleOf": 65536}"#, "1e16", true),
        (r#"{"multipleOf": 576460752303423488}"#, "1e58", false),
        (r#"{"multipleOf": 576460752303423488}"#, "1e59", true),
        (r#"{"maxLength": 1e99999999999999999999999}"#, "\"a\"", true),
        (r#"{"minLength": 20e-1}"#, "\"a\"", false),
    ] {
        assert_eq!(fits(schema, payload), expected, "{schema} {payload}");
    }
}
