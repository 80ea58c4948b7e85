//! CSV against a second opinion: what the `csv` crate writes comes back, and types agree with an obvious reference.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, Options};
use lastgood::protocol::payload::{Nan, Rules};
use proptest::prelude::*;
use serde_json::Value;

use crate::site::{Pieces, converted, converted_with};

fn table(cell: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..6).prop_flat_map(move |columns| {
        let row = prop::collection::vec(cell.clone(), columns..=columns);
        prop::collection::vec(row, 0..12)
    })
}

fn written(rows: &[Vec<String>], delimiter: u8, quotes: QuoteStyle, terminator: Terminator) -> Vec<u8> {
    let mut writer =
        WriterBuilder::new().delimiter(delimiter).quote_style(quotes).terminator(terminator).from_writer(Vec::new());
    let columns = rows.first().map_or(1, Vec::len);
    writer.write_record((0..columns).map(|column| format!("c{column}"))).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

fn delimiter() -> impl Strategy<Value = u8> {
    prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|'), Just(b' '), Just(0x1f), Just(b'x')]
}

/// What is hard to quote.
fn hard_text() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[\",;\t|\r\n x\\\\]{0,6}", "\\PC{0,10}", any::<String>()]
}

proptest! {
    /// Any texts, delimiter, quoting, line end: each field comes back as it was. An empty one is `null`, or the empty text
    /// when it is quoted.
    #[test]
    fn what_another_library_writes_comes_back(
        rows in table(hard_text()),
        delimiter in delimiter(),
        all_quoted: bool,
        crlf: bool,
        sizes in prop::collection::vec(1_usize..50, 1..6),
    ) {
        let quotes = if all_quoted { QuoteStyle::Always } else { QuoteStyle::Necessary };
        let terminator = if crlf { Terminator::CRLF } else { Terminator::Any(b'\n') };
        let input = written(&rows, delimiter, quotes, terminator);
        let columns = rows.first().map_or(1, Vec::len);
        let text = |column| (format!("c{column}"), ColumnType::Text);
        let delimiter = Delimiter::new(delimiter).unwrap().into();
        let options = Options { delimiter, columns: (0..columns).map(text).collect(), ..Options::default() };
        let format = Format::Csv(options);
        let array = converted(&format, &input[..]).unwrap();
        let values: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&array).unwrap();
        prop_assert_eq!(values.len(), rows.len());
        for (object, row) in values.iter().zip(&rows) {
            prop_assert_eq!(object.len(), row.len());
            for (column, field) in row.iter().enumerate() {
                let value = &object[&format!("c{column}")];
                match value {
                    Value::Null => prop_assert!(field.is_empty() && !all_quoted),
                    _ => prop_assert_eq!(value.as_str(), Some(field.as_str())),
                }
            }
        }
        prop_assert_eq!(converted(&format, Pieces::new(&input, sizes)).unwrap(), array);
    }

    /// The types that are inferred are those of the reference, and so are the values.
    #[test]
    fn inference_agrees_with_a_reference(rows in table(typed_text())) {
        let input = written(&rows, b',', QuoteStyle::Necessary, Terminator::Any(b'\n'));
        let rules = Rules { nan: Nan::Null, ..Rules::default() };
        let array = converted_with(&Format::Csv(Options::default()), &input[..], rules).unwrap();
        let values: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&array).unwrap();
        for column in 0..rows.first().map_or(0, Vec::len) {
            let fields: Vec<&str> = rows.iter().map(|row| row[column].as_str()).collect();
            let kind = reference_type(&fields);
            for (object, field) in values.iter().zip(&fields) {
                let value = &object[&format!("c{column}")];
                prop_assert_eq!(value, &reference_value(field, kind, rows[0].len() == 1));
            }
        }
    }
}

/// Texts that look like something.
fn typed_text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        8 => "-?[0-9]{1,4}",
        2 => "-?[0-9]{15,17}",
        4 => "-?[0-9]{1,3}\\.[0-9]{1,3}",
        2 => "[0-9]{1,2}[eE][+-]?[0-9]{1,3}",
        2 => "(?i:true|false)",
        1 => "[+-]?(?i:nan|inf|infinity)",
        4 => Just(String::new()),
        1 => "[-+.eE0-9]{1,6}",
        1 => "[a-z ]{1,4}",
    ]
}

/// By the letter of the documentation, as slow as need be.
fn reference_type(fields: &[&str]) -> Option<ColumnType> {
    let values: Vec<&str> = fields.iter().copied().filter(|field| !field.is_empty()).collect();
    if values.is_empty() {
        None
    } else if values.iter().all(|value| is_integer(value)) {
        Some(ColumnType::Integer)
    } else if values.iter().all(|value| is_integer(value) || is_float(value)) {
        Some(ColumnType::Float)
    } else if values.iter().all(|value| ["true", "false"].contains(&value.to_lowercase().as_str())) {
        Some(ColumnType::Boolean)
    } else {
        Some(ColumnType::Text)
    }
}

fn is_integer(text: &str) -> bool {
    let safe = 1_i64 << 53;
    text.parse::<i64>().is_ok_and(|value| -safe < value && value < safe) && is_json_number(text)
}

fn is_float(text: &str) -> bool {
    let integer_token = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_nan(text) || (is_json_number(text) && !integer_token && text.parse::<f64>().unwrap().is_finite())
}

fn is_nan(text: &str) -> bool {
    let word = text.trim_start_matches(['+', '-']).to_lowercase();
    text.len() - word.len() <= 1 && ["nan", "inf", "infinity"].contains(&word.as_str())
}

fn is_json_number(text: &str) -> bool {
    // It keeps the text as it is, so a number that overflows is one as well.
    serde_json::from_str::<&serde_json::value::RawValue>(text)
        .is_ok_and(|raw| raw.get() == text && text.starts_with(|char: char| char == '-' || char.is_ascii_digit()))
}

fn reference_value(field: &str, kind: Option<ColumnType>, only_column: bool) -> Value {
    match kind {
        // The other library quotes an empty field that would make a blank line.
        Some(ColumnType::Text) if field.is_empty() && only_column => Value::String(String::new()),
        _ if field.is_empty() => Value::Null,
        None | Some(ColumnType::Text) => Value::String(field.to_owned()),
        Some(ColumnType::Boolean) => Value::Bool(field.eq_ignore_ascii_case("true")),
        Some(_) if is_nan(field) => Value::Null,
        Some(_) => serde_json::from_str(field).unwrap(),
    }
}
