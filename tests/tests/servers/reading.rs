//! Verified reads through every server while generations are published.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lastgood::protocol::name::DatasetName;
use lastgood_tests::origin::HttpOrigin;
use lastgood_tests::server::Software;
use lastgood_tests::site::dataset;
use serde_json::Value;

use crate::www::Www;

const DATASETS: [&str; 2] = ["performance", "transactions"];

/// How many generations are published while is read.
const ROUNDS: u64 = 40;

/// A payload that says which round it belongs to, large enough that a torn one would show.
pub(crate) fn payload(round: u64) -> String {
    Value::Array(vec![Value::from(round); 2000]).to_string()
}

/// The round that a whole payload belongs to.
#[track_caller]
pub(crate) fn round_of(payload: &[u8]) -> u64 {
    let rows: Vec<u64> = serde_json::from_slice(payload).expect("a whole payload");
    assert_eq!(rows, vec![rows[0]; 2000], "a mixed payload");
    rows[0]
}

/// Publishes both datasets in one generation.
pub(crate) fn publish(www: &Www, round: u64) {
    www.input("round.json", payload(round));
    www.run(&["publish", "performance=round.json", "transactions=round.json"]).expect(0);
}

fn rust_and_node_read_whole_generations(software: Software) {
    let www = Www::new();
    publish(&www, 0);
    let server = www.serve(software);
    let mut node = Node::start(&server.feed());
    let mut origin = HttpOrigin::new(&server.feed());
    let names: Vec<DatasetName> = DATASETS.map(dataset).into();
    let mut last = 0;
    for round in 1..=ROUNDS {
        // Both readers are in the middle of something while this publishes.
        std::thread::scope(|scope| {
            let publishing = scope.spawn(|| publish(&www, round));
            while !publishing.is_finished() {
                let snapshot = origin.snapshot(&names).expect("the feed can always be read");
                let rounds: Vec<u64> = snapshot.iter().map(|reading| round_of(&reading.value)).collect();
                assert!(rounds[0] == rounds[1] && rounds[0] >= last, "{rounds:?} after {last}");
                last = rounds[0];
            }
        });
        let snapshot = origin.snapshot(&names).expect("the feed can always be read");
        assert_eq!(round_of(&snapshot[0].value), round, "what is published is what is read");
    }
    assert_eq!(node.last_round(), ROUNDS);
}

/// A process that reads with the npm package until it is told to stop.
struct Node(Child);

impl Node {
    fn start(feed: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/reading.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(feed).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = Self(command.spawn().expect("node is installed"));
        let mut line = String::new();
        BufReader::new(node.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "reading\n");
        node
    }

    /// The round that it reads once nothing is published any more.
    fn last_round(&mut self) -> u64 {
        let _ = self.0.stdin.take().unwrap().write_all(b"stop\n");
        let said = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
        assert!(self.0.wait().unwrap().success(), "what Node says is above");
        said.trim().parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn through_lastgood() {
    rust_and_node_read_whole_generations(Software::Lastgood);
}

#[test]
fn through_nginx() {
    rust_and_node_read_whole_generations(Software::Nginx);
}

#[test]
fn through_nginx_with_brotli() {
    rust_and_node_read_whole_generations(Software::NginxBrotli);
}

#[test]
fn through_caddy() {
    rust_and_node_read_whole_generations(Software::Caddy);
}
