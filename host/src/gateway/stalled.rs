//! Connections whose other end takes nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

/// How long the other end may take nothing of what is written to it.
const STALL_MAX: Duration = Duration::from_secs(60);

/// A connection that fails where its other end takes nothing for too long.
pub(super) struct Moving<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Given back when the connection is gone, whatever protocol it ended with.
    _place: Option<OwnedSemaphorePermit>,
}

impl<S> Moving<S> {
    /// A connection with its place among those of its port.
    pub fn new(stream: S, place: OwnedSemaphorePermit) -> Self {
        Self { stream, patience: STALL_MAX, stalled: None, _place: Some(place) }
    }

    /// What a write came to; an error where nothing went for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Moving<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Moving<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, closed)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    fn moving<S>(stream: S) -> Moving<S> {
        Moving { stream, patience: PATIENCE, stalled: None, _place: None }
    }

    #[tokio::test]
    async fn who_takes_nothing_is_left() {
        let (near, _far) = duplex(4);
        let mut near = moving(near);
        near.write_all(b"full").await.unwrap();
        assert_eq!(near.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_a_little_again_and_again_is_not() {
        let (near, mut far) = duplex(1);
        let mut near = moving(near);
        let taking = async {
            for _ in 0..8 {
                tokio::time::sleep(PATIENCE / 4).await;
                far.read_exact(&mut [0]).await.unwrap();
            }
        };
        // Longer than its patience in all, and never in one piece.
        let (given, ()) = tokio::join!(near.write_all(b"8 bytes!"), taking);
        given.unwrap();
    }
}
