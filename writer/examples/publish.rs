//! Publishes two datasets in one generation, and tells apart how it may end.
//!
//! ```sh
//! cargo run -p lastgood --example publish -- /tmp/data
//! ```

use std::process::ExitCode;
use std::time::Duration;

use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::payload::Rules;
use lastgood::{Committed, Error, Feed, Item, Publication, Settings};

fn main() -> ExitCode {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "data".to_owned());
    // How long to wait for another publisher, and how long readers may take this generation for current.
    let settings = Settings {
        lock_wait: Duration::from_secs(60),
        expires_in: Some(Duration::from_secs(26 * 3600)),
        ..Settings::default()
    };
    let feed = Feed::open(dir).with_settings(settings);
    match publish(&feed) {
        Ok(Publication { generation, datasets, warnings, .. }) => {
            println!("published {} datasets as generation {generation}", datasets.len());
            warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
            ExitCode::SUCCESS
        }
        // Nothing has changed: whatever was published before is published still.
        Err(error) if error.committed() == Committed::No => {
            eprintln!("not published ({}): {error}", error.code());
            ExitCode::from(1)
        }
        // The medium did not answer. Publishing the same again is safe.
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(6)
        }
    }
}

fn publish(feed: &Feed) -> Result<Publication, Error> {
    let name = |text| DatasetName::parse(text).expect("a name that is written here is valid");
    // Any reader is an input, and is read in constant memory: a slice, a file, the output of a child process.
    let performance = br#"[{"day": "2026-11-20", "return": 0.0125}]"#;
    let report = b"day,return\n2026-11-20,0.0125\n";
    feed.publish(vec![
        Item::new(name("performance"), &performance[..])
            .rules(Rules { max_bytes: 64 << 20, ..Rules::default() })
            .meta(r#"{"model": "ets-2.1", "run": "8841"}"#),
        // No JSON: published as it is.
        Item::new(name("report"), &report[..])
            .artifact(Ext::parse("csv").expect("an extension that is written here is valid")),
    ])
}
