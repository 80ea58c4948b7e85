//! Reads a feed again and again, as a service does, and says where each value comes from.
//!
//! ```sh
//! cargo run -p lastgood --example read -- /tmp/data performance
//! ```

use std::error::Error;
use std::thread;
use std::time::Duration;

use lastgood::Reader;
use lastgood::protocol::name::DatasetName;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().unwrap_or_else(|| "data".to_owned());
    let dataset = DatasetName::parse(&arguments.next().unwrap_or_else(|| "performance".to_owned()))?;

    // One reader for the whole service: threads share its cache.
    let reader = Reader::open(dir).with_capacity(64 << 20);
    for _ in 0..3 {
        // While nothing is published this looks at the manifest and hands out the same bytes again.
        let reading = reader.read(&dataset)?;
        let (generation, age) = (reading.generation, Duration::from_millis(reading.age_ms));
        println!("{} bytes of generation {generation}, {age:.0?} old, from {:?}", reading.value.len(), reading.source);
        if let Some(reason) = reading.reason {
            println!("it may not be current ({}): {reason}", reason.code.as_str());
        }
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}
