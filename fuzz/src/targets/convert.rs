//! CSV and JSON Lines: published into a feed in memory, as `lastgood publish` does.

use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, Options, Separation, Unnamed};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::payload::{self, Nan, Rules};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::MemoryStorage;
use lastgood::{Compression, Error, Feed, Item, Settings};

use crate::input::assert_fit_for_a_terminal;

pub(crate) fn csv(input: &[u8]) {
    let Some((&[flags, delimiter], input)) = input.split_first_chunk() else { return };
    // What cannot be a delimiter says that it is not given, and the rest.
    let (delimiter, unnamed) = match (Delimiter::new(delimiter), delimiter & 3) {
        (Some(delimiter), _) => (Separation::Given(delimiter), Unnamed::Counter),
        (None, 0) => (Separation::Detected, Unnamed::Counter),
        (None, 1) => (Separation::Assumed(Delimiter::COMMA), Unnamed::Drop),
        (None, 2) => (Separation::Assumed(Delimiter::TAB), Unnamed::Name("b".to_owned())),
        (None, _) => (Separation::Assumed(Delimiter::COMMA), Unnamed::Counter),
    };
    let null = ["NA", "-", "\""].map(str::to_owned).to_vec();
    // The columns `a`, `b` and `c` may have a type.
    let kinds = [flags >> 1, flags >> 4].map(|kind| ColumnType::ALL.get(usize::from(kind & 7)).copied());
    let columns = ["a", "b"].into_iter().zip(kinds);
    let columns = columns.filter_map(|(name, kind)| Some((name.to_owned(), kind?))).collect();
    convert(&Format::Csv(Options { delimiter, columns, unnamed, null }), flags & 1 == 1, input);
}

pub(crate) fn jsonl(input: &[u8]) {
    let Some((&flags, input)) = input.split_first() else { return };
    convert(&Format::JsonLines, flags & 1 == 1, input);
}

fn convert(format: &Format, nan: bool, input: &[u8]) {
    let rules = Rules { nan: if nan { Nan::Null } else { Nan::Refuse }, ..Rules::default() };
    let whole = published(format, rules, [input]);
    let cut = published(format, rules, input.chunks(3));
    assert_eq!(whole, cut, "it matters how the input is cut");
    let Ok((payload, rows)) = whole else { return };
    let summary = payload::check(&payload, &Rules::default()).expect("what is published obeys the payload rules");
    assert_eq!((summary.rows, summary.nan_mapped), (rows, 0));
    if let Format::Csv(_) = format {
        let values: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_slice(&payload).expect("CSV becomes an array of objects");
        let columns = values.first().map(|row| row.keys().collect::<Vec<_>>());
        assert!(values.iter().all(|row| Some(row.keys().collect()) == columns), "rows have different columns");
    }
}

/// The payload and its rows, or the refusal.
fn published<'a>(
    format: &Format,
    rules: Rules,
    pieces: impl IntoIterator<Item = &'a [u8], IntoIter: Send>,
) -> Result<(Vec<u8>, Option<u64>), String> {
    let pieces: Vec<&[u8]> = pieces.into_iter().collect();
    let clock = || Timestamp::from_ms(1_800_000_000_000);
    let settings = Settings { compression: Compression::OFF, operation_log: false, ..Settings::default() };
    let feed = Feed::on(MemoryStorage::with_clock(clock)).with_clock(clock).with_settings(settings);
    let dataset = DatasetName::parse("rows").expect("this is a name");
    let lines = 1 + pieces.iter().flat_map(|piece| piece.iter()).filter(|&&byte| byte == b'\n').count() as u64;
    let item = Item::new(dataset.clone(), Pieces(&pieces)).format(format.clone()).rules(rules);
    match feed.publish(vec![item]) {
        Ok(done) => Ok((feed.read(&dataset).expect("it has just been published").value, done.datasets[0].rows)),
        Err(error) => {
            let line = match &error {
                Error::Refused { refusal, .. } => refusal.line,
                Error::Csv { refusal, .. } => refusal.line,
                other => panic!("{other}"),
            };
            assert!((1..=lines).contains(&line), "the input has {lines} lines: {error}");
            assert_fit_for_a_terminal(&error.to_string());
            assert!(feed.manifest().is_err(), "refused, and something is published");
            Err(error.to_string())
        }
    }
}

/// An input that comes in pieces.
struct Pieces<'a>(&'a [&'a [u8]]);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        assert!(buffer.len() >= first.len(), "inputs are shorter than the buffer that they are read into");
        buffer[..first.len()].copy_from_slice(first);
        self.0 = rest;
        // An empty piece would be the end.
        if first.is_empty() { self.read(buffer) } else { Ok(first.len()) }
    }
}
