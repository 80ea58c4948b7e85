//! Accepts connections until it is told to stop.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How long a client may take to send the head of a request, and how long a
/// connection may idle between two.
const HEAD: Duration = Duration::from_secs(30);

/// How long running responses may take to finish after the shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves HTTP/1.1 on `listener` until `shutdown` completes.
///
/// Then it accepts nothing more, closes idle connections, and returns as soon as
/// the running responses are sent, or after ten seconds at most: what still runs
/// then is cut off.
///
/// # Errors
///
/// When the listener has no address. Later trouble with a connection ends that
/// connection alone.
// Not `axum::serve`: it has no limit for slow clients and none for the shutdown.
pub async fn run(
    mut listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving");

    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, client) = Listener::accept(&mut listener) => {
                // A response is written in one go; waiting to fill a packet only
                // delays it. Failing to say so does no harm.
                let _ = stream.set_nodelay(true);
                let service = TowerToHyperService::new(router.clone());
                let connection = http.serve_connection(TokioIo::new(stream), service);
                let connection = graceful.watch(connection);
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%client, %error, "connection ended early");
                    }
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }

    drop(listener);
    tracing::info!(%address, "stopping");
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("cut off responses that clients did not take in time");
    }
    connections.shutdown().await;
    tracing::info!(%address, "stopped");
    Ok(())
}
