//! A durable publish of 1 MB, through the library and as a whole process.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use lastgood::protocol::name::DatasetName;
use lastgood::{Compression, Feed, Item, Settings};

use crate::data;
use crate::measure::{Contestant, Target, race};
use crate::peers::Peer;

const SIZE: usize = 1_000_000;

pub(crate) fn settings() -> Settings {
    Settings { compression: Compression::OFF, ..Settings::default() }
}

/// The least that a durable replacement costs: write, fsync, rename, fsync of the directory.
pub(crate) fn replace_durably(dir: &Path, bytes: &[u8]) {
    let (temporary, target) = (dir.join("floor.tmp"), dir.join("floor.json"));
    let mut file = File::create(&temporary).expect("the floor's file is made");
    file.write_all(bytes).expect("the floor's file is written");
    file.sync_all().expect("the floor's file is synced");
    fs::rename(&temporary, &target).expect("the floor's file is renamed");
    File::open(dir).and_then(|dir| dir.sync_all()).expect("the floor's directory is synced");
}

pub(crate) fn library(dir: &Path, rounds: usize) {
    let dataset = DatasetName::parse("performance").expect("a name");
    let payload = RefCell::new(data::rows(SIZE));
    let floor = dir.join("floor");
    fs::create_dir_all(&floor).expect("a directory is made");
    let input = dir.join("payload.json");
    fs::write(&input, &*payload.borrow()).expect("the payload is written");

    let feed = Feed::open(dir.join("with")).with_settings(settings());
    let bare = Feed::open(dir.join("without")).with_settings(Settings { plain_copies: false, ..settings() });
    let publish = |feed: &Feed, round| {
        let mut payload = payload.borrow_mut();
        data::stamp(&mut payload, round);
        feed.publish(vec![Item::new(dataset.clone(), &payload[..])]).expect("it is published");
    };
    let mut python = Peer::python(&floor, &input);
    let mut contestants = vec![
        Contestant::new("floor: write, fsync, rename, fsync directory", |_| replace_durably(&floor, &payload.borrow())),
        Contestant::new("publish with plain copies and backups", |round| publish(&feed, round)),
        Contestant::new("publish without them", |round| publish(&bare, round)),
        Contestant::timed("Python: tempfile, fsync, os.replace", |_| python.replace()),
    ];
    let node = Peer::write_file_atomic(&floor, &input);
    match node {
        Some(mut node) => contestants.push(Contestant::timed("npm write-file-atomic", move |_| node.replace())),
        None => println!("npm write-file-atomic could not be installed and is left out"),
    }
    let targets =
        [("publish with plain copies and backups", Target::AtMost(2.0)), ("publish without them", Target::AtMost(1.4))];
    race("durable publish of 1 MB through the library, compression off", rounds, contestants, &targets);
}

pub(crate) fn process(dir: &Path, rounds: usize) {
    let input = dir.join("payload.json");
    let payload = RefCell::new(data::rows(SIZE));
    let stamped = |round| {
        let mut payload = payload.borrow_mut();
        data::stamp(&mut payload, round);
        fs::write(&input, &*payload).expect("the payload is written");
    };
    let python = |script: &'static str, target: &str| {
        let target = dir.join(target);
        let input = input.clone();
        move |_: usize| run(Command::new("python3").args(["-c", script]).arg(&input).arg(&target))
    };
    let publish = |round: usize, extra: &[&str]| {
        stamped(round);
        let begin = std::time::Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lastgood"));
        command.arg("publish").arg(format!("performance={}", input.display())).args(extra);
        run(command.arg("--dir").arg(dir.join("process")));
        begin.elapsed()
    };
    let contestants = vec![
        Contestant::timed("lastgood publish, no compression", |round| publish(round, &["--no-compress"])),
        Contestant::timed("lastgood publish, as it comes", |round| publish(round, &[])),
        Contestant::new(
            "Python: json.dump, fsync, backup, os.replace",
            python(include_str!("peers/export.py"), "python.json"),
        ),
        Contestant::new("Python: the same with bytes", python(include_str!("peers/copy.py"), "bytes.json")),
    ];
    let targets = [("Python: json.dump, fsync, backup, os.replace", Target::AtLeast(3.0))];
    race("whole process, 1 MB", rounds, contestants, &targets);
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("the process starts");
    assert!(status.success(), "{command:?}: {status}");
}
