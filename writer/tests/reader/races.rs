//! Threads that share a reader while a publisher publishes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lastgood::{Compression, Feed, Item, Reader, Settings};

use crate::name;

const READERS: usize = 4;
const GENERATIONS: u64 = 60;

#[test]
fn no_thread_sees_a_mixture_or_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { compression: Compression::OFF, ..Settings::default() };
    let feed = Feed::open(dir.path()).with_settings(settings);
    let ab = [name("a"), name("b")];
    let publish = |n: u64| {
        let item = |dataset: &str, fill: &str| {
            Item::new(name(dataset), std::io::Cursor::new(format!("[{n},\"{}\"]", fill.repeat(n as usize * 37))))
        };
        feed.publish(vec![item("a", "x"), item("b", "y")]).unwrap();
    };
    publish(1);
    // Room for one of them most of the time, so that there is eviction as well.
    let reader = Reader::open(dir.path()).with_capacity(3000);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let mut latest = 0;
                // Once more after the last publish.
                let mut last_round = false;
                while !last_round {
                    last_round = over.load(Ordering::Acquire);
                    let readings = reader.snapshot(&ab).unwrap();
                    let numbers: Vec<u64> = readings
                        .iter()
                        .map(|reading| {
                            assert!(reading.fresh(), "{:?}", reading.reason);
                            let (n, _): (u64, String) = serde_json::from_slice(&reading.value).unwrap();
                            n
                        })
                        .collect();
                    assert_eq!(numbers[0], numbers[1], "of one generation");
                    assert_eq!(readings[0].generation.get(), numbers[0]);
                    assert!(numbers[0] >= latest, "{} after {latest}", numbers[0]);
                    assert!(reader.cached_bytes() <= 3000);
                    latest = numbers[0];
                }
                assert_eq!(latest, GENERATIONS);
            });
        }
        let _over = OnDrop(|| over.store(true, Ordering::Release));
        (2..=GENERATIONS).for_each(publish);
    });
}

/// However many ask at once for what has changed, it is read once.
#[test]
fn one_thread_reads_for_all() {
    let world = crate::World::new();
    world.publish(&[("a", "[1]")]);
    for round in 2..50 {
        world.publish(&[("a", &format!("[{round}]"))]);
        world.opened();
        thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| assert!(world.read("a").unwrap().fresh()));
            }
        });
        let opened = world.opened();
        let payloads = opened.iter().filter(|path| *path != "manifest.json").count();
        // The first one takes the plain copy for the object, as nothing is cached.
        assert_eq!(payloads, 1, "{opened:?}");
    }
}

/// Ends the other threads of a test when it fails, so that it fails instead of hanging.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
