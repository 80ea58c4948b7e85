//! The open connections: how many there may be, and which one goes when there are too many.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::limits::Limits;

/// The tasks of the open connections.
pub(super) struct Connections {
    limits: Limits,
    tasks: JoinSet<()>,
    open: Vec<Open>,
}

struct Open {
    task: AbortHandle,
    progress: Arc<Progress>,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, tasks: JoinSet::new(), open: Vec::new() }
    }

    /// Waits until there is room for one more. When there are as many as there may be, the one whose client has done
    /// nothing for longest is closed, so that clients who only hold connections never keep out those who ask for
    /// something.
    pub(super) async fn room(&mut self) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.open.retain(|connection| !connection.task.is_finished());
            if self.open.len() < self.limits.connections {
                return;
            }
            let Some(idlest) = self.open.iter().min_by_key(|connection| connection.progress.last()) else { return };
            let spared_until = idlest.progress.last() + self.limits.grace;
            if Instant::now() >= spared_until {
                idlest.task.abort();
                tracing::debug!("too many connections: closed the one that has been idle for longest");
                self.tasks.join_next().await;
            } else {
                // It may make progress meanwhile, and another may end.
                let _ = timeout_at(spared_until, self.tasks.join_next()).await;
            }
        }
    }

    /// Runs a connection for as long as its client makes progress.
    pub(super) fn spawn(&mut self, progress: Arc<Progress>, connection: impl Future<Output = ()> + Send + 'static) {
        let (watched, stall) = (Arc::clone(&progress), self.limits.stall);
        let task = self.tasks.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = watched.stalled(stall) => {
                    tracing::debug!("closed a connection: its client has taken nothing for too long");
                }
            }
        });
        self.open.push(Open { task, progress });
    }

    /// Closes those that are still open.
    pub(super) async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

/// When the client has last sent or taken a byte.
pub(super) struct Progress {
    begin: Instant,
    /// Milliseconds since then.
    last: AtomicU64,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { begin: Instant::now(), last: AtomicU64::new(0) })
    }

    fn made(&self) {
        let elapsed = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.begin + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// Completes when there has been none for that long.
    async fn stalled(&self, limit: Duration) {
        loop {
            let deadline = self.last() + limit;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// A stream that notes the progress of its client.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) progress: Arc<Progress>,
}

impl Watched {
    fn note(&self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        if matches!(written, Ok(1..)) {
            self.progress.made();
        }
        Poll::Ready(written)
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.progress.made();
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts));
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
