//! A line as visitors have it, in front of a server on this machine: the same for every browser, which a browser's own throttling is not.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// From one end to the other; a round trip takes twice as long.
const ONE_WAY: Duration = Duration::from_millis(20);
/// 20 Mbit/s, which all connections of a browser share, in each direction.
const BYTES_PER_SECOND: f64 = 20e6 / 8.0;
/// What the line carries at a time: three packets, in 1.6 ms.
const PIECE: usize = 4096;
/// What waits in front of the line, as in a router: sleeping is too coarse to hand it each piece in time.
const QUEUE: Duration = Duration::from_millis(5);
/// Pieces that are under way in one direction of a connection. More than the line can hold, so that it is never what limits.
const UNDER_WAY: usize = 256;

/// When each direction has carried what it was given so far.
#[derive(Default)]
struct Direction {
    free: Mutex<Option<Instant>>,
}

impl Direction {
    /// When the line will have carried so many bytes that are there now, behind what it carries already.
    fn carried(&self, bytes: usize) -> Instant {
        let mut free = self.free.lock().expect("no thread panics with it");
        let begin = free.map_or_else(Instant::now, |free| free.max(Instant::now()));
        let end = begin + Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
        *free = Some(end);
        end
    }
}

/// Listens, on every address of this machine, and connects what comes to a server on it. Returns the port.
pub(crate) fn to(server: u16, runtime: &Runtime) -> u16 {
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))).expect("a port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    runtime.spawn(accept(listener, server));
    port
}

async fn accept(listener: TcpListener, server: u16) {
    let (up, down) = (Arc::new(Direction::default()), Arc::new(Direction::default()));
    while let Ok((browser, _)) = listener.accept().await {
        tokio::spawn(connect(browser, server, Arc::clone(&up), Arc::clone(&down)));
    }
}

async fn connect(browser: TcpStream, server: u16, up: Arc<Direction>, down: Arc<Direction>) {
    // On loopback the connection is there at once; on a line the browser would have waited for an answer to its first packet.
    let established = Instant::now() + 2 * ONE_WAY;
    let local = browser.local_addr().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip());
    let Ok(server) = TcpStream::connect(SocketAddr::new(local, server)).await else { return };
    // Pieces are not to wait for one another.
    let _ = (browser.set_nodelay(true), server.set_nodelay(true));
    let (from_browser, to_browser) = browser.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(carry(from_browser, to_server, &up, established), carry(from_server, to_browser, &down, established));
}

/// Carries bytes in one direction until their sender ends it.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: &Direction,
    established: Instant,
) {
    let (sender, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let send = async move {
        let mut piece = [0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let carried = direction.carried(length).max(established);
            sleep_until(carried - QUEUE).await;
            if sender.send((carried + ONE_WAY, piece[..length].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let receive = async move {
        while let Some((at, piece)) = arriving.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(send, receive);
}
