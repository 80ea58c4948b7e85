//! `cargo xtask demo`: real data, published as a backend would, on a real page.

mod data;

use std::{
    fs,
    io::{self, BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    npm, pack,
    process::{self, ProcessError, Running},
    progress::step,
    setup, workspace, www,
};
use data::{Flight, Weather, window};

/// Build everything, publish real data every few seconds, and serve it with the dashboard
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Publish one generation and exit, without dashboard and server
    #[arg(long)]
    once: bool,
    /// Where to serve; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The feed's directory [default: target/demo/data]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The time from one generation to the next, such as 5s or 1m
    #[arg(long, default_value = "5s", value_parser = interval)]
    interval: Duration,
}

/// Runs the demo until Ctrl-C, or publishes once.
pub(crate) fn run(args: &Args) -> Result<()> {
    if !args.once {
        // Before minutes of building, not after.
        check_address(args.listen)?;
    }
    setup::node()?;
    let binary = build_binary()?;
    step("install the npm tools", npm::install_tools)?;
    let backend = Backend::new(binary, args)?;
    if args.once {
        return step("publish", || Ok(backend.publish(0)?));
    }
    let package = pack::run(&pack::Args { check: false })?;
    let site = step("build the dashboard", || www::build(&package))?;
    step("publish", || Ok(backend.publish(0)?))?;
    let server = Server::start(&backend, &site, args.listen)?;
    println!("\nThe dashboard:  {}", server.addresses.listening);
    println!("The feed:       {}manifest.json", server.addresses.feed);
    println!(
        "On disk:        {}\n\nA new generation every {:?}; Ctrl-C ends the demo.",
        workspace::shown(&backend.dir),
        args.interval
    );
    backend.publish_until_interrupted(server, args.interval)
}

/// Builds the `lastgood` binary and returns where it is.
pub(crate) fn build_binary() -> Result<PathBuf> {
    step("build the lastgood binary", || {
        // Not --release: the task that runs has already compiled most of the
        // dependencies for dev, and hashing and compression are optimised there too.
        process::run(workspace::cargo().args(["build", "--package", "lastgood"]))?;
        Ok(workspace::target("debug/lastgood"))
    })
}

/// What a team's own backend would be: it makes JSON files and calls `lastgood publish`.
struct Backend {
    binary: PathBuf,
    dir: PathBuf,
    inputs: PathBuf,
    source: String,
    weather: Vec<Weather>,
    flights: Vec<Flight>,
}

impl Backend {
    fn new(binary: PathBuf, args: &Args) -> Result<Self> {
        let dir = match &args.dir {
            Some(dir) => std::path::absolute(dir)?,
            None => workspace::target("demo/data"),
        };
        let inputs = workspace::target("demo/inputs");
        fs::create_dir_all(&inputs).with_context(|| format!("cannot make {}", inputs.display()))?;
        let read = |name: &str| {
            let path = npm::module_file("vega-datasets/data").join(name);
            fs::read(&path).with_context(|| format!("cannot read {}", workspace::shown(&path)))
        };
        Ok(Self {
            binary,
            dir,
            inputs,
            source: format!("vega-datasets@{}", npm::pinned_version("vega-datasets")?),
            weather: data::weather(&read("seattle-weather.csv")?)?,
            flights: data::flights(&read("flights-2k.json")?)?,
        })
    }

    /// Publishes both datasets in one generation: a year of weather that moves on by a day with each `tick`, and 250
    /// flights that move on by five.
    fn publish(&self, tick: usize) -> Result<(), PublishError> {
        let performance = self.input("performance", window(&self.weather, 365, 1, tick)?)?;
        let transactions = self.input("transactions", window(&self.flights, 250, 5, tick)?)?;
        let mut publish = Command::new(&self.binary);
        publish
            .arg("publish")
            .arg(performance)
            .arg(transactions)
            .arg("--dir")
            .arg(&self.dir)
            .args(["--meta", &format!("source={}", self.source)])
            .args(["--meta", "license=BSD-3-Clause"])
            .args(["--meta", &format!("run={tick}")]);
        Ok(process::run(&mut publish)?)
    }

    /// Writes one input and returns `NAME=FILE`.
    fn input<T: Serialize>(&self, name: &str, rows: &[T]) -> Result<String, PublishError> {
        let path = self.inputs.join(name).with_extension("json");
        fs::write(&path, serde_json::to_vec(rows).map_err(io::Error::from)?)?;
        Ok(format!("{name}={}", path.display()))
    }

    fn publish_until_interrupted(&self, mut server: Server, interval: Duration) -> Result<()> {
        let mut next = Instant::now() + interval;
        let mut tick = 1;
        loop {
            thread::sleep(Duration::from_millis(50));
            if process::interrupted() {
                eprintln!("ending the demo");
                return Ok(());
            }
            if let Some(status) = server.process.ended()? {
                bail!("lastgood serve ended: {status}");
            }
            if Instant::now() < next {
                continue;
            }
            match self.publish(tick) {
                Ok(()) | Err(PublishError::Process(ProcessError::Interrupted)) => {}
                // As a backend that runs on a timer: what is published stays
                // published, and the next run may succeed.
                Err(error) => eprintln!("not published: {error}; trying again in {interval:?}"),
            }
            tick += 1;
            next = Instant::now() + interval;
        }
    }
}

/// Why a generation was not published.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("the data is not as expected: {0}")]
    Data(#[from] data::DataError),
    #[error("cannot write an input: {0}")]
    Input(#[from] io::Error),
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// `lastgood serve` as a child process.
struct Server {
    process: Running,
    addresses: Addresses,
}

/// What `lastgood serve --json` says when it listens.
#[derive(Debug, Deserialize)]
struct Addresses {
    listening: String,
    feed: String,
}

impl Server {
    fn start(backend: &Backend, site: &Path, listen: SocketAddr) -> Result<Self> {
        let mut serve = Command::new(&backend.binary);
        serve
            .arg("serve")
            .arg("--dir")
            .arg(&backend.dir)
            .arg("--www")
            .arg(site)
            .args(["--listen", &listen.to_string(), "--json"])
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut serve)?;
        let mut stdout = BufReader::new(process.stdout());
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        if process::interrupted() {
            return Err(ProcessError::Interrupted.into());
        }
        if line.is_empty() {
            bail!("lastgood serve ended before it listened on {listen}; what it said is above");
        }
        let addresses = serde_json::from_str(&line)
            .with_context(|| format!("expected `lastgood serve` to print its addresses as JSON, found {line:?}"))?;
        // Somebody must go on reading, or the server would block when the pipe is full.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Ok(Self { process, addresses })
    }
}

fn check_address(listen: SocketAddr) -> Result<()> {
    let advice =
        "choose another with --listen, such as --listen 127.0.0.1:8081, or --listen 127.0.0.1:0 for a free port";
    match TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!("{listen} is in use by another program: {advice}")
        }
        Err(error) => bail!("cannot listen on {listen} ({error}): {advice}"),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    match Duration::try_from(parsed) {
        Ok(duration) if duration >= Duration::from_millis(100) => Ok(duration),
        _ => Err("expected at least 100ms".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, time::Duration};

    use super::{check_address, interval};

    #[test]
    fn intervals_have_units_and_are_not_too_short() {
        assert_eq!(interval("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(interval("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["5", "0s", "-5s", "10ms", "soon", ""] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_port_in_use_is_refused_with_a_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let refusal = check_address(address).unwrap_err().to_string();
        assert!(refusal.contains("in use") && refusal.contains("--listen"), "{refusal}");
        drop(taken);
        check_address(address).unwrap();
    }
}
