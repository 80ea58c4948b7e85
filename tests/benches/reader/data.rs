//! What the pages read: rows as a backend publishes them, in feeds on a real server.

use std::fmt::Write;
use std::path::Path;

use lastgood::protocol::layout;
use lastgood::{Feed, Item, Schema};
use lastgood_tests::site::dataset;

use crate::server::Server;

/// What the rows satisfy.
const SCHEMA: &[u8] = include_bytes!("page/flights.schema.json");

/// The pages, once beside a feed of a few datasets and once beside one of many.
pub(crate) struct Sites {
    pub(crate) few: Server,
    /// The same without the compressed siblings of plain copies.
    pub(crate) uncompressed: Server,
    pub(crate) many: Server,
    pub(crate) changing: Changing,
    _dir: tempfile::TempDir,
}

impl Sites {
    pub(crate) fn publish() -> Self {
        let dir = tempfile::tempdir().expect("a directory is made");
        let [few, uncompressed, many] = ["few", "uncompressed", "many"].map(|name| dir.path().join(name));
        publish_few(&few);
        publish_few(&uncompressed);
        remove_siblings(&uncompressed);
        publish_many(&many);
        let changing = Changing::start(&dir.path().join("changing"));
        let [few, uncompressed, many] = [few, uncompressed, many].map(|feed| Server::start(&feed));
        Self { few, uncompressed, many, changing, _dir: dir }
    }
}

/// A feed that goes on.
pub(crate) struct Changing {
    feed: Feed,
    pub(crate) server: Server,
}

impl Changing {
    fn start(dir: &Path) -> Self {
        let feed = Feed::open(dir);
        publish_rows(&feed, 0);
        Self { feed, server: Server::start(dir) }
    }

    /// Publishes other rows, and returns how many they are. Each `change` has its own number of them.
    pub(crate) fn publish(&self, change: usize) -> usize {
        publish_rows(&self.feed, change)
    }
}

fn publish_rows(feed: &Feed, change: usize) -> usize {
    let rows = 400 + change % 100;
    let row = format!(r#"{{"change":{change},"value":0.5,"text":"{}"}}"#, "x".repeat(60));
    let json = format!("[{}]", vec![row; rows].join(","));
    feed.publish(vec![Item::new(dataset("changing"), json.as_bytes())]).expect("it is published");
    rows
}

fn publish_few(dir: &Path) {
    let [year, small, large] = [38_000, 1_000_000, 10_000_000].map(flights);
    let schema = Schema { version: 1, json: SCHEMA.to_vec() };
    let items = vec![
        Item::new(dataset("year"), year.as_slice()),
        Item::new(dataset("plain_1m"), small.as_slice()),
        Item::new(dataset("plain_10m"), large.as_slice()),
        Item::new(dataset("typed_1m"), small.as_slice()).schema(schema.clone()),
        Item::new(dataset("typed_10m"), large.as_slice()).schema(schema),
    ];
    Feed::open(dir).publish(items).expect("it is published");
}

/// Removes what is compressed beside the plain copies.
fn remove_siblings(dir: &Path) {
    let files = std::fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("it can be listed"));
    let is_sibling = |name: &str| layout::parse_copy_sibling(name).is_some();
    for file in files.filter(|file| file.file_name().to_str().is_some_and(is_sibling)) {
        std::fs::remove_file(file.path()).expect("it can be removed");
    }
}

fn publish_many(dir: &Path) {
    let parts: Vec<Vec<u8>> = (0..200).map(|part| flights(5_000 + part)).collect();
    let items =
        parts.iter().enumerate().map(|(part, rows)| Item::new(dataset(&format!("part_{part}")), rows.as_slice()));
    Feed::open(dir).publish(items.collect()).expect("it is published");
}

/// Flights, as the demo publishes them, of exactly `size` bytes: what is missing after the last row is white space.
fn flights(size: usize) -> Vec<u8> {
    const AIRPORTS: [&str; 8] = ["LAX", "BNA", "SEA", "SFO", "ORD", "JFK", "ATL", "DEN"];
    let mut text = String::with_capacity(size);
    text.push('[');
    let mut random = 1_u64;
    let mut next = |below: u64| {
        // Knuth's MMIX generator: the same rows in every run.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    loop {
        let mut row = String::new();
        let (month, day, hour, minute) = (next(12) + 1, next(28) + 1, next(24), next(60));
        let (delay, distance) = (i64::try_from(next(90)).expect("below 90") - 25, next(2600) + 80);
        let (origin, destination) = (AIRPORTS[next(8) as usize], AIRPORTS[next(8) as usize]);
        write!(
            row,
            "{}{{\"date\":\"2001-{month:02}-{day:02}T{hour:02}:{minute:02}:00\",\"delay\":{delay},\"distance\":{distance},\
             \"origin\":\"{origin}\",\"destination\":\"{destination}\"}}",
            if text.len() > 1 { "," } else { "" }
        )
        .expect("writing to a string does not fail");
        if text.len() + row.len() + 1 > size {
            break;
        }
        text.push_str(&row);
    }
    text.extend(std::iter::repeat_n(' ', size - text.len() - 1));
    text.push(']');
    text.into_bytes()
}
