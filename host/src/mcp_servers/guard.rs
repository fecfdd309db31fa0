//! What stands between a server and the library that reads its messages: bounds on what nobody asked for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage, ServerNotification};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;

use super::mask::Mask;

/// Most messages that nobody asked for, in [`FLOOD_WINDOW`].
const FLOOD_MESSAGES: usize = 1_000;
const FLOOD_WINDOW: Duration = Duration::from_secs(10);

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server ended it.
    Closed,
    /// It sent too many messages.
    Flood,
    /// It sent too large a message, of over so many bytes.
    TooLarge(usize),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("the server ended it"),
            Self::Flood => {
                let seconds = FLOOD_WINDOW.as_secs();
                write!(f, "it sent over {FLOOD_MESSAGES} messages within {seconds} s that nobody asked for")
            }
            Self::TooLarge(most) => write!(f, "it sent a message of over {most} bytes"),
        }
    }
}

/// Where the end of a connection is told; the first reason counts.
pub(super) type Ending = watch::Sender<Option<End>>;

fn end(ending: &Ending, why: End) {
    ending.send_if_modified(|end| end.is_none() && end.replace(why).is_none());
}

/// A transport whose peer is not trusted.
pub(super) struct Guarded<T> {
    pub inner: T,
    pub ending: Ending,
    pub mask: Mask,
    pub flood: Flood,
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Guarded<T> {
    type Error = T::Error;

    fn send(&mut self, item: ClientJsonRpcMessage) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let Some(message) = self.inner.receive().await else {
                end(&self.ending, End::Closed);
                return None;
            };
            if !is_answer(&message) && self.flood.is_over(Instant::now()) {
                end(&self.ending, End::Flood);
                return None;
            }
            if is_heard(&message)
                && let Some(message) = self.mask.message(message)
            {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

fn is_answer(message: &ServerJsonRpcMessage) -> bool {
    matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_))
}

/// False for notifications of what this host does not use: nothing of them is kept or logged.
fn is_heard(message: &ServerJsonRpcMessage) -> bool {
    match message {
        JsonRpcMessage::Notification(notification) => matches!(
            notification.notification,
            ServerNotification::ToolListChangedNotification(_)
                | ServerNotification::SubscriptionsAcknowledgedNotification(_)
                | ServerNotification::CancelledNotification(_)
        ),
        _ => true,
    }
}

/// Counts messages that nobody asked for.
#[derive(Default)]
pub(super) struct Flood {
    came: VecDeque<Instant>,
}

impl Flood {
    /// One more at `now`. True where it is one too many.
    pub fn is_over(&mut self, now: Instant) -> bool {
        while self.came.front().is_some_and(|first| now.duration_since(*first) > FLOOD_WINDOW) {
            self.came.pop_front();
        }
        self.came.push_back(now);
        self.came.len() > FLOOD_MESSAGES
    }
}

/// A stream of lines, each a message, that ends at a line with over `most` bytes.
pub(super) struct Lines<R> {
    pub inner: R,
    pub ending: Ending,
    pub most: usize,
    /// Bytes since the last end of a line.
    pub line: usize,
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, into))?;
        let (line, longest) = measured(self.line, &into.filled()[before..]);
        self.line = line;
        if longest > self.most {
            end(&self.ending, End::TooLarge(self.most));
            into.set_filled(before);
            return Poll::Ready(Err(std::io::Error::other("a line is too long")));
        }
        Poll::Ready(Ok(()))
    }
}

/// Length of the line that goes on after `bytes`, and of the longest one in them, where `begun` bytes of the first were
/// there before.
fn measured(begun: usize, bytes: &[u8]) -> (usize, usize) {
    let mut longest = begun;
    let mut line = begun;
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        line += part.len();
        longest = longest.max(line);
        if part.ends_with(b"\n") {
            line = 0;
        }
    }
    (line, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_measured_across_reads() {
        assert_eq!(measured(0, b"ab\ncdef\ng"), (1, 5));
        assert_eq!(measured(7, b"ab\nc"), (1, 10));
        assert_eq!(measured(7, b"ab"), (9, 9));
        assert_eq!(measured(3, b""), (3, 3));
    }

    #[test]
    fn a_flood_is_many_messages_in_little_time() {
        let (mut flood, began) = (Flood::default(), Instant::now());
        assert!(!(0..FLOOD_MESSAGES).any(|_| flood.is_over(began)));
        assert!(flood.is_over(began));
        let mut slow = Flood::default();
        let step = FLOOD_WINDOW / 500;
        assert!(!(0..5_000).any(|i| slow.is_over(began + step * i)));
    }
}
