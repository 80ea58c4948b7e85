//! Web servers that run for real, with the configurations of `docs/operations.md`.

mod caddy;
mod nginx;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use ureq::http::{self, HeaderMap};

use crate::{binary, until};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// `lastgood serve`
    Lastgood,
    /// nginx as it comes
    Nginx,
    /// nginx with the module for Brotli
    NginxBrotli,
    /// Caddy
    Caddy,
}

/// A running server. Dropping it ends it.
pub struct Server {
    address: String,
    child: Child,
    // The server's own files, which go after it.
    _prefix: TempDir,
}

impl Server {
    /// Serves `site/` of a directory at `/` and `data/` at `/data/`, as an unprivileged process.
    ///
    /// # Panics
    /// When the server is not installed or does not start.
    #[must_use]
    pub fn start(software: Software, www: &Path) -> Self {
        // A port that was free a moment ago may be taken by now.
        let started = (0..5).find_map(|_| match software {
            Software::Lastgood => Some(lastgood(www)),
            Software::Nginx => nginx::start(www, false),
            Software::NginxBrotli => nginx::start(www, true),
            Software::Caddy => caddy::start(www),
        });
        started.unwrap_or_else(|| panic!("{software:?} does not start; what it says is above"))
    }

    /// The address of the feed, with a slash at the end.
    #[must_use]
    pub fn feed(&self) -> String {
        format!("http://{}/data/", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `GET`
    #[must_use]
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.request("GET", path, headers)
    }

    /// Any request; redirections are not followed and nothing is decoded.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = ureq::Agent::from(config.build());
        let mut response = agent.run(request.body(()).unwrap()).unwrap();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        Reply { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }

    /// Starts a program without privileges and waits until it answers at this address; `None` when it ends instead.
    fn launch(command: &mut Command, address: String, prefix: TempDir) -> Option<Self> {
        let log = prefix.path().join("log");
        let mut child = spawn(command.stderr(fs::File::create(&log).unwrap()));
        let mut ended = false;
        until("the server answers", || {
            ended = child.try_wait().unwrap().is_some();
            ended || std::net::TcpStream::connect(&address).is_ok()
        });
        // Another process may be what answers.
        ended |= child.try_wait().unwrap().is_some();
        if ended {
            eprintln!("{}", fs::read_to_string(log).unwrap());
        }
        (!ended).then_some(Self { address, child, _prefix: prefix })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response, read whole.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

impl Reply {
    /// The values of a header, separated by commas; empty if it is absent.
    ///
    /// # Panics
    /// When one is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let values: Vec<&str> = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        values.join(", ")
    }
}

fn lastgood(www: &Path) -> Server {
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--cors", "*", "--json", "--dir"]).arg(www.join("data"));
    let mut child = command.arg("--www").arg(www.join("site")).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = said["listening"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/');
    Server { address: address.to_owned(), child, _prefix: TempDir::new().unwrap() }
}

/// A program that `cargo xtask test` names in an environment variable, else the one on the PATH.
fn program(name: &str) -> PathBuf {
    std::env::var_os(format!("LASTGOOD_TEST_{}", name.to_uppercase())).map_or_else(|| name.into(), PathBuf::from)
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Whom a web server runs as when the tests run as root: a user who owns nothing that it serves.
const NOBODY: u32 = 65534;

/// A directory for a server's own files, in which it may write.
fn prefix() -> TempDir {
    let prefix = TempDir::new().unwrap();
    fs::set_permissions(prefix.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(prefix.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    prefix
}

fn spawn(command: &mut Command) -> Child {
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let program = command.get_program().to_owned();
    command
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` installs it or says how", program.display()))
}

/// Replaces a text that is there.
#[track_caller]
fn replace(config: &str, from: &str, to: &str) -> String {
    assert!(config.contains(from), "the documented configuration has no {from:?}");
    config.replace(from, to)
}
