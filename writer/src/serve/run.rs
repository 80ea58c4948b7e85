//! Accepts connections until it is told to stop.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use super::connections::{Connections, Progress, Watched};
use super::limits::Limits;

/// Serves HTTP/1.1 on `listener` until `shutdown` completes, within the default [`Limits`].
///
/// Then it accepts nothing more, closes idle connections, and returns as soon as
/// the running responses are sent, or after ten seconds at most: what still runs
/// then is cut off.
///
/// # Errors
///
/// When the listener has no address. Later trouble with a connection ends that
/// connection alone.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    run_within(Limits::default(), listener, router, shutdown).await
}

/// As [`run`], within other limits.
///
/// # Errors
///
/// As [`run`].
// Not `axum::serve`: it has no limit for slow clients and none for the shutdown.
pub async fn run_within(
    limits: Limits,
    mut listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving");

    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    // The first bounds what is answered, the second what is kept before that is known.
    http.max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes);
    let graceful = GracefulShutdown::new();
    let mut connections = Connections::new(limits);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            // Before accepting: what waits in the system's queue costs this process nothing.
            connections.room().await;
            Listener::accept(&mut listener).await
        };
        let (stream, client) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        // A response is written in one go; waiting to fill a packet only
        // delays it. Failing to say so does no harm.
        let _ = stream.set_nodelay(true);
        let progress = Progress::new();
        let stream = Watched { stream, progress: Arc::clone(&progress) };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(progress, async move {
            if let Err(error) = connection.await {
                tracing::debug!(%client, %error, "connection ended early");
            }
        });
    }

    drop(listener);
    tracing::info!(%address, "stopping");
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("cut off responses that clients did not take in time");
    }
    connections.close().await;
    tracing::info!(%address, "stopped");
    Ok(())
}
