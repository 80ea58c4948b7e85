//! A folder to serve, a server, and two clients: a real one, and one that sends
//! exactly the bytes it is given.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use lastgood::serve::{self, Config, Cors, Limits};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::http::{HeaderMap, Request, StatusCode};

/// An object's name without its extension.
pub(crate) const HASH: &str = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

/// A temporary folder with a feed in `data` and a site in `www`.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path("data")).unwrap();
        fs::create_dir(folder.path("www")).unwrap();
        folder
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// Puts a file in place as a publisher does: wholly, by a rename.
    pub(crate) fn put(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let staged = self.path("staged");
        fs::write(&staged, content).unwrap();
        fs::rename(&staged, path).unwrap();
    }

    /// Puts a file in place that was last modified at `modified`.
    pub(crate) fn put_at(&self, relative: &str, content: &str, modified: SystemTime) {
        self.put(relative, content);
        let file = fs::File::options().write(true).open(self.path(relative)).unwrap();
        file.set_modified(modified).unwrap();
    }

    pub(crate) fn config(&self) -> Config {
        Config { feed: self.path("data"), www: Some(self.path("www")), spa: false, cors: Cors::Off }
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.config())
    }
}

/// A running server; dropping it shuts it down and waits for that.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub(crate) fn start(config: &Config) -> Self {
        Self::within(Limits::default(), config)
    }

    pub(crate) fn within(limits: Limits, config: &Config) -> Self {
        let router = serve::router(config).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                serve::run_within(limits, listener, router, async { drop(stopped.await) }).await
            })
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to shut down; does not wait.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has returned.
    pub(crate) fn join(mut self) -> std::io::Result<()> {
        self.stop();
        self.thread.take().unwrap().join().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.request("GET", path, headers)
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let agent = ureq::Agent::from(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_global(Some(Duration::from_secs(60)))
                .build(),
        );
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent.run(request.body(()).unwrap()).unwrap();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        Reply { status: response.status(), headers: response.headers().clone(), body }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends one request as it stands and returns the answer as it stands.
    pub(crate) fn raw(&self, request: &str) -> String {
        self.bytes(format!("{request}\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes())
    }

    /// Sends these bytes and returns what comes back until the server closes the connection. It may do
    /// so before it has read everything.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        let _unless_closed = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            // What it did not read is why the system resets the connection.
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}: {answer:?}"),
            _ => String::from_utf8_lossy(&answer).into_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The one value of a header; empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        match values.as_slice() {
            [] => "",
            [value] => value.to_str().unwrap(),
            several => panic!("{name} is given {} times: {several:?}", several.len()),
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Compresses as a publisher does; what matters here is only that the three
/// files differ.
pub(crate) fn put_with_siblings(folder: &Folder, name: &str) {
    folder.put(name, "plain bytes");
    folder.put(&format!("{name}.gz"), "bytes in gzip");
    folder.put(&format!("{name}.br"), "bytes in brotli");
}

/// Makes a symbolic link.
pub(crate) fn link(target: impl AsRef<Path>, link: impl AsRef<Path>) {
    std::os::unix::fs::symlink(target, link).unwrap();
}
