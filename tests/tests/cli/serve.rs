//! `lastgood serve` as a process. What it answers is tested beside the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use lastgood_tests::{Ran, TestFeed};
use rustix::process::{Pid, Signal, kill_process};

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_it_listens_and_ends_when_asked() {
    let feed = TestFeed::new();
    feed.publish("performance", "[42]");
    std::fs::create_dir(feed.root().join("site")).unwrap();
    feed.input("site/index.html", "<h1>hello</h1>");
    for signal in [Signal::INT, Signal::TERM] {
        let mut child = feed.spawn(&["serve", "--listen", "127.0.0.1:0", "--www", "site", "--json"]);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let listening = said["listening"].as_str().unwrap();
        assert_eq!(said, serde_json::json!({"listening": listening, "feed": format!("{listening}data/")}));
        let address = listening.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
        assert!(get(address, "/data/performance.json").ends_with("\r\n\r\n[42]"));
        assert!(get(address, "/").ends_with("<h1>hello</h1>"));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "exactly one line");
        Ran::end_of(child).expect(0);
    }
}

#[test]
fn a_taken_port_and_a_missing_directory_are_said() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    feed.run(&["serve", "--listen", &address]).expect(1).says(&[&address, "the port is taken", "--listen"]);
    feed.run(&["serve", "--listen", "nonsense"]).expect(1).says(&["nonsense", "HOST:PORT"]);
    feed.run(&["serve", "--www", "missing"]).expect(1).says(&["missing", "site"]);
    feed.run(&["serve", "--dir", "missing"]).expect(1).says(&["missing", "feed"]);
    feed.run(&["serve", "--cors", "example.org"]).expect(2).says(&["https://example.org"]);
}
