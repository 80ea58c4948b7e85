//! `lastgood serve`

use std::fmt;
use std::io;
use std::path::PathBuf;

use clap::Args;
use lastgood::serve::{Config, Cors, router, run};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::Session;
use crate::exit::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  lastgood serve                               http://127.0.0.1:8080/data/manifest.json
  lastgood serve --www site                    the pages in site/ at /, the feed at /data/
  lastgood serve --www dist --spa              a single-page app: /orders/7 is answered with dist/index.html
  lastgood serve --listen 0.0.0.0:80           for other machines
  lastgood serve --listen 127.0.0.1:0 --json   any free port, told as {\"listening\":…,\"feed\":…}
  lastgood serve --cors http://localhost:5173  for the pages of a development server

SIGINT (Ctrl-C) and SIGTERM end it: running responses are finished first.";

/// Serve the feed at /data/, and a site beside it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Where to listen: HOST:PORT; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// The directory of a site, served at /
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
    /// The site is a single-page app: its index.html answers for pages that are no files; never for the feed, for assets/,
    /// or for a name with the extension of a file
    #[arg(long, requires = "www")]
    spa: bool,
    /// Let pages of this other origin read the feed; * for all, off for none
    #[arg(long, value_name = "ORIGIN", default_value = "off")]
    cors: Cors,
}

#[derive(Serialize)]
struct Listening {
    listening: String,
    feed: String,
}

impl Serve {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the server", source };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(setup)?;
        let config = Config { feed: session.dir.path.clone(), www: self.www, spa: self.spa, cors: self.cors };
        let router = router(&config).map_err(|error| Failure::Serve(error.to_string()))?;
        runtime.block_on(async {
            let listener =
                TcpListener::bind(&self.listen).await.map_err(|error| cannot_listen(&self.listen, &error))?;
            let address = listener.local_addr().map_err(setup)?;
            // Before anyone is told that it listens, so that no signal finds it unprepared.
            let stop = stop_signal().map_err(setup)?;
            let listening = format!("http://{address}/");
            session.output.report(&Listening { feed: format!("{listening}data/"), listening });
            run(listener, router, stop).await.map_err(setup)
        })?;
        Ok(Exit::Done)
    }
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let way_out = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is taken: stop what listens there, or pass --listen 127.0.0.1:0 for any free one"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 are reserved: pass --listen with a higher one",
        io::ErrorKind::InvalidInput => "expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080",
        _ => "pass --listen with HOST:PORT of this machine, such as 127.0.0.1:8080",
    };
    Failure::Serve(format!("cannot listen on {address}: {error}; {way_out}"))
}

/// Completes when the process is asked to end.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // When Ctrl-C cannot be waited for, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listening on {} (feed: {}); Ctrl-C ends it", self.listening, self.feed)
    }
}
