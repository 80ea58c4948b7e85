//! What JSON Lines become.

use lastgood::convert::Format;
use lastgood::protocol::payload::{Nan, Rules};
use proptest::prelude::*;

use crate::site::{Pieces, converted, converted_with};

fn array(input: &str) -> String {
    converted(&Format::JsonLines, input.as_bytes()).unwrap_or_else(|error| panic!("{input:?}: {error}"))
}

#[test]
fn each_value_is_an_element_on_its_line_to_the_byte() {
    assert_eq!(array("{\"a\": 1.50}\n{\"a\":1E+2}\n"), "[{\"a\": 1.50}\n,{\"a\":1E+2}\n]");
    assert_eq!(array("1"), "[1]");
    assert_eq!(
        array("  [1, [2, \"]\\\"\\n\"]] \r\n \"a\\\\\"\r\n\r\nnull\t\ntrue"),
        "  [[1, [2, \"]\\\"\\n\"]] \r\n ,\"a\\\\\"\r\n\r\n,null\t\n,true]"
    );
}

#[test]
fn blank_lines_are_no_elements() {
    assert_eq!(array("\n\n1\n \n2\n\n"), "\n\n[1\n \n,2\n\n]");
    assert_eq!(array("\n"), "\n[]");
}

#[test]
fn the_payload_rules_apply_to_each_line() {
    let nan = Rules { nan: Nan::Null, ..Rules::default() };
    let input = b"{\"v\":NaN}\n{\"v\":1}\n-Infinity\n";
    assert_eq!(converted_with(&Format::JsonLines, &input[..], nan).unwrap(), "[{\"v\":null}\n,{\"v\":1}\n,null\n]");
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
        "[ -~é\u{1F600}]{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = "[\\[\\]{}\"\\\\,:a]{0,4}".prop_map(|key| serde_json::to_string(&key).unwrap());
        let member = (key, inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            // Names are numbered, so that none occurs twice.
            prop::collection::vec(member, 0..4).prop_map(|members| {
                let member =
                    |(index, (key, value)): (usize, &(String, String))| format!("\"{index}{}:{value}", &key[1..]);
                format!("{{{}}}", members.iter().enumerate().map(member).collect::<Vec<_>>().join(" ,"))
            }),
        ]
    })
}

proptest! {
    /// However the input is cut, spaced and ended: the elements are the values of its lines.
    #[test]
    fn the_elements_are_the_values_of_the_lines(
        values in prop::collection::vec((json(), "[ \t]{0,2}", "[ \t]{0,2}(\n|\r\n|\n\n)"), 1..12),
        sizes in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let input: String = values.iter().map(|(value, before, after)| format!("{before}{value}{after}")).collect();
        let whole = array(&input);
        let elements: Vec<&serde_json::value::RawValue> = serde_json::from_str(&whole).unwrap();
        let elements: Vec<&str> = elements.iter().map(|element| element.get()).collect();
        let wanted: Vec<&str> = values.iter().map(|(value, ..)| value.as_str()).collect();
        prop_assert_eq!(elements, wanted);
        let cut = converted(&Format::JsonLines, Pieces::new(input.as_bytes(), sizes)).unwrap();
        prop_assert_eq!(cut, whole);
    }
}
