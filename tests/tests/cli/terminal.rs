//! What is different when a person sits before it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use lastgood_tests::{Ran, TestFeed};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal: the side of the person and the side of the program.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let program = File::options().read(true).write(true).open(name).unwrap();
    (person.into(), program)
}

/// Reads what the program writes until `text` has come.
fn expect(person: &mut File, text: &str) -> String {
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        // Fails once no program has the terminal any more.
        let size = person.read(&mut chunk).unwrap_or(0);
        seen.extend_from_slice(&chunk[..size]);
        let so_far = String::from_utf8_lossy(&seen).into_owned();
        if so_far.contains(text) {
            return so_far;
        }
        assert_ne!(size, 0, "expected {text:?} in {so_far:?}");
    }
}

#[test]
fn a_keyboard_is_no_payload() {
    let feed = TestFeed::new();
    let (_person, program) = terminal();
    let mut command = feed.command(&["publish", "performance"]);
    let output = command.stdin(program).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("stdin, which is a terminal") && stderr.contains("performance=FILE"), "{stderr}");
    assert!(!feed.dir().exists());
}

#[test]
fn errors_are_coloured_unless_no_color_is_set() {
    let feed = TestFeed::new();
    for (no_color, expected) in [(None, "\u{1b}["), (Some("1"), "error: ")] {
        let (mut person, program) = terminal();
        let mut command = feed.command(&["status"]);
        command.env_remove("NO_COLOR").env("TERM", "xterm").stderr(program);
        no_color.map(|value| command.env("NO_COLOR", value));
        assert_eq!(command.status().unwrap().code(), Some(1));
        drop(command);
        let seen = expect(&mut person, "there is no feed");
        assert!(seen.starts_with(expected), "{seen:?}");
    }
}

/// A publish that takes longer than a second shows that it goes on, and leaves nothing of that on the screen.
#[test]
fn a_long_publish_shows_its_progress() {
    let feed = TestFeed::new();
    let (mut person, program) = terminal();
    let mut command = feed.command(&["publish", "performance"]);
    command.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(program);
    let mut publisher = command.spawn().unwrap();
    drop(command);
    expect(&mut person, "publishing");
    publisher.stdin.take().unwrap().write_all(b"[1]").unwrap();
    assert!(Ran::end_of(publisher).expect(0).text().contains("published generation 1"));
}

/// Also when it is not known how far it is: here the recovery waits for a writer.
#[test]
fn a_long_recovery_shows_that_it_goes_on() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    let writer = File::options().write(true).open(feed.path(".lastgood/lock")).unwrap();
    writer.lock().unwrap();
    let (mut person, program) = terminal();
    let mut command = feed.command(&["recover"]);
    command.env("TERM", "xterm").stdout(Stdio::piped()).stderr(program);
    let recovery = command.spawn().unwrap();
    drop(command);
    expect(&mut person, "putting the feed in order");
    drop(writer);
    assert!(Ran::end_of(recovery).expect(0).text().contains("nothing was to be put in order"));
}
