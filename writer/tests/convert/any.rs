//! Arbitrary input: it is converted or refused, and how it is cut changes nothing.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, Options, Separation, Unnamed};
use lastgood::protocol::name::DatasetName;
use lastgood::storage::MemoryStorage;
use lastgood::{Error, Feed, Item};
use proptest::prelude::*;

use crate::site::{Pieces, converted};

fn formats() -> Vec<Format> {
    let columns = [("a".to_owned(), ColumnType::Integer), ("b".to_owned(), ColumnType::Float)].into_iter().collect();
    vec![
        Format::Json,
        Format::JsonLines,
        Format::Csv(Options::default()),
        Format::Csv(Options { delimiter: Delimiter::TAB.into(), ..Options::default() }),
        Format::Csv(Options { delimiter: Separation::Detected, unnamed: Unnamed::Drop, ..Options::default() }),
        Format::Csv(Options { delimiter: Delimiter::COMMA.into(), null: vec!["a".to_owned()], ..Options::default() }),
        Format::Csv(Options { columns, ..Options::default() }),
    ]
}

/// The payload, or the refusal: line, and everything else that it says. It is on a line that the input has.
fn outcome(format: &Format, input: &[u8], sizes: Vec<usize>) -> Result<String, String> {
    converted(format, Pieces::new(input, sizes)).map_err(|error| {
        let line = match &error {
            Error::Refused { refusal, .. } => refusal.line,
            Error::Csv { refusal, .. } => refusal.line,
            other => panic!("{other}"),
        };
        let lines = 1 + input.iter().filter(|&&byte| byte == b'\n').count() as u64;
        assert!((1..=lines).contains(&line), "{error}: the input has {lines} lines");
        error.to_string()
    })
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    let csv = "(\u{feff})?(a,b\r?\n)?([ab01.,\"\t;-]{0,4}(,|;|\u{feff}|\n|\r\n|\r|\"\"|\"\n\"|é)){0,12}";
    let lines = "([\\[\\]{}\",:a1 \\\\\r\n-]|null|\"a\"|\"a\":|\\{\\}|NaN|é|\u{feff}){0,16}";
    prop_oneof![
        csv.prop_map(String::into_bytes),
        lines.prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(prop::sample::select(b"a,\"\n\r\xef\xbb\xbf\xc3\xa9{}[]:1".to_vec()), 0..40),
    ]
}

/// Says when it has been read to its end.
struct Watched<'a>(&'a [u8], Arc<AtomicBool>);

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.0.read(buffer)?;
        self.1.fetch_or(size == 0, Ordering::Relaxed);
        Ok(size)
    }
}

/// Also after the last read, when CSV is read again from its copy.
#[test]
fn a_conversion_can_be_cancelled() {
    for (format, row) in [(Format::JsonLines, "1\n"), (Format::Csv(Options::default()), "a\n")] {
        for rows in [1, 1_000_000] {
            let (input, over) = (row.repeat(rows), Arc::new(AtomicBool::new(false)));
            let cancelled = Arc::clone(&over);
            let feed = Feed::on(MemoryStorage::new()).with_cancellation(move || cancelled.load(Ordering::Relaxed));
            let dataset = DatasetName::parse("rows").unwrap();
            let item = Item::new(dataset, Watched(input.as_bytes(), over)).format(format.clone());
            let error = feed.publish(vec![item]).unwrap_err();
            assert_eq!(error.code(), "cancelled", "{format:?}, {rows} rows: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn nothing_panics_and_chunks_change_nothing(
        input in input(),
        sizes in prop::collection::vec(1_usize..12, 1..6),
    ) {
        for format in formats() {
            let whole = outcome(&format, &input, vec![usize::MAX]);
            prop_assert_eq!(&outcome(&format, &input, sizes.clone()), &whole, "{:?}", format);
            prop_assert_eq!(&outcome(&format, &input, vec![1]), &whole, "{:?}", format);
        }
    }
}
