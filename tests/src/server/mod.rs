//! Web servers that run for real, with the configurations of `docs/operations.md`.

mod caddy;
mod nginx;

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
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
    command: Command,
    child: Child,
    // The server's own files, which go after it.
    prefix: TempDir,
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
            Software::Lastgood => lastgood(www),
            Software::Nginx => nginx::start(www, false),
            Software::NginxBrotli => nginx::start(www, true),
            Software::Caddy => caddy::start(www),
        });
        started.unwrap_or_else(|| panic!("{software:?} does not start; what it says is above"))
    }

    /// nginx with these settings in the `location` of the feed and in the server, instead of the documented ones.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn nginx_with(www: &Path, settings: &str, of_server: &str) -> Self {
        let started = (0..5).find_map(|_| nginx::start_with(www, settings, of_server));
        started.unwrap_or_else(|| panic!("nginx does not start with {settings}; what it says is above"))
    }

    /// Caddy with these settings in the `handle_path` of the feed, instead of the documented ones.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn caddy_with(www: &Path, settings: &str) -> Self {
        let started = (0..5).find_map(|_| caddy::start_with(www, settings));
        started.unwrap_or_else(|| panic!("Caddy does not start with {settings}; what it says is above"))
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

    /// Stops it.
    ///
    /// # Panics
    /// When it cannot be stopped.
    pub fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address.
    pub fn restart(&mut self) {
        self.stop();
        self.child = spawn(&mut self.command);
        until("the server answers", || TcpStream::connect(&self.address).is_ok());
    }

    /// What it has written into its log: a line for each request, as `METHOD path status`. Only nginx does.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.prefix.path().join("requests")).unwrap()
    }

    /// Starts a program and waits until it answers at this address; `None` when it ends instead.
    fn launch(mut command: Command, address: String, prefix: TempDir) -> Option<Self> {
        let log = prefix.path().join("log");
        let mut child = spawn(command.stderr(fs::File::create(&log).unwrap()));
        let mut ended = false;
        until("the server answers", || {
            ended = child.try_wait().unwrap().is_some();
            ended || TcpStream::connect(&address).is_ok()
        });
        // Another process may be what answers.
        ended |= child.try_wait().unwrap().is_some();
        if ended {
            eprintln!("{}", fs::read_to_string(log).unwrap());
        }
        (!ended).then_some(Self { address, command, child, prefix })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
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

fn lastgood(www: &Path) -> Option<Server> {
    let address = free_address();
    let mut command = Command::new(binary());
    command.args(["serve", "--cors", "*", "--listen", &address, "--dir"]).arg(www.join("data"));
    command.arg("--www").arg(www.join("site")).stdout(Stdio::null());
    Server::launch(command, address, prefix())
}

/// A program that `cargo xtask test` names in an environment variable, else the one on the PATH.
fn program(name: &str) -> PathBuf {
    std::env::var_os(format!("LASTGOOD_TEST_{}", name.to_uppercase())).map_or_else(|| name.into(), PathBuf::from)
}

fn free_address() -> String {
    loop {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        if is_new(address.port()) {
            return address.to_string();
        }
    }
}

/// Whether no server of this process has had this port before; from now on one has. To a browser that outlives a server
/// another one at the same address would be the same origin.
pub(crate) fn is_new(port: u16) -> bool {
    static HAD: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    HAD.lock().unwrap().insert(port)
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
    let program = command.get_program().to_owned();
    command
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` installs it or says how", program.display()))
}

/// A program that runs without privileges.
fn unprivileged(name: &str) -> Command {
    let mut command = Command::new(program(name));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Replaces a text that is there.
#[track_caller]
fn replace(config: &str, from: &str, to: &str) -> String {
    assert!(config.contains(from), "the documented configuration has no {from:?}");
    config.replace(from, to)
}
