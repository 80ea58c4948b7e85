//! `lastgood serve` as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A server with the pages at `/` and a feed at `/data/`. Dropping it ends it.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start(feed: &Path) -> Self {
        let mut serve = Command::new(lastgood_tests::binary());
        serve.arg("serve").arg("--dir").arg(feed).arg("--www").arg(pages());
        // On every address of this machine, see `address`.
        serve.args(["--listen", "0.0.0.0:0", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = serve.spawn().expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let said: Value = serde_json::from_str(&line).expect("it says so as JSON");
        let port =
            said["listening"].as_str().and_then(|url| url.trim_end_matches('/').rsplit_once(':')?.1.parse().ok());
        Self { process, port: port.expect("the address has a port") }
    }

    /// The server as a host of its own: all of 127.0.0.0/8 is this machine, and to a browser each of them is another
    /// origin, of which it has nothing in any cache.
    pub(crate) fn address(&self, host: u16) -> String {
        let [high, low] = host.to_be_bytes();
        format!("http://{}:{}/", Ipv4Addr::new(127, 1, high, low), self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `cargo xtask bench reader` says that the pages are, or else where it puts them.
fn pages() -> PathBuf {
    std::env::var_os("LASTGOOD_BENCH_PAGES")
        .map_or_else(|| lastgood_tests::site::workspace().join("target/bench/reader"), PathBuf::from)
}
