//! Publishing an input, and what becomes of it.

use std::io::{self, Read};

use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Options};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::payload::Rules;
use lastgood::storage::MemoryStorage;
use lastgood::{Compression, Error, Feed, Item, Settings};
use serde_json::Value;

/// The payload that an input becomes.
pub(crate) fn converted(format: &Format, input: impl Read + Send) -> Result<String, Error> {
    converted_with(format, input, Rules::default())
}

pub(crate) fn converted_with(format: &Format, input: impl Read + Send, rules: Rules) -> Result<String, Error> {
    let settings = Settings { compression: Compression::OFF, ..Settings::default() };
    let feed = Feed::on(MemoryStorage::new()).with_settings(settings);
    let dataset = DatasetName::parse("rows").unwrap();
    let published = feed.publish(vec![Item::new(dataset.clone(), input).format(format.clone()).rules(rules)]);
    match published {
        Ok(publication) => {
            let payload = String::from_utf8(feed.read(&dataset).unwrap().value).unwrap();
            let value: Value = serde_json::from_str(&payload).unwrap();
            assert_eq!(publication.datasets[0].rows, value.as_array().map(|array| array.len() as u64));
            Ok(payload)
        }
        Err(error) => {
            assert_eq!(feed.manifest().unwrap_err().code(), "no-feed", "refused, and something is published");
            Err(error)
        }
    }
}

/// The value of a CSV input with these options.
pub(crate) fn value(options: &Options, input: &str) -> Value {
    let payload = converted(&Format::Csv(options.clone()), input.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_str(&payload).unwrap()
}

/// Options with types for some columns.
pub(crate) fn typed(columns: &[(&str, ColumnType)]) -> Options {
    let columns = columns.iter().map(|&(name, kind)| (name.to_owned(), kind)).collect();
    Options { columns, ..Options::default() }
}

/// An input that comes in pieces of these sizes, over and over.
pub(crate) struct Pieces<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(input: &'a [u8], sizes: Vec<usize>) -> Self {
        Self { rest: input, sizes: sizes.into_iter().cycle() }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap_or(1).max(1).min(buffer.len()).min(self.rest.len());
        buffer[..size].copy_from_slice(&self.rest[..size]);
        self.rest = &self.rest[size..];
        Ok(size)
    }
}
