//! Bodies of requests that come too slowly.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a body may take before its rate counts.
const GRACE: Duration = Duration::from_secs(10);
/// Slowest rate of a body, bytes a second.
const RATE_MIN: u64 = 16 * 1024;

/// A body that comes more slowly than anybody sends one who means it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request's body comes more slowly than {RATE_MIN} bytes a second")]
pub(super) struct SlowBody;

impl SlowBody {
    /// Whether that is what an error comes from.
    pub fn is_behind(error: &(dyn Error + 'static)) -> bool {
        error.is::<Self>() || error.source().is_some_and(Self::is_behind)
    }
}

/// How long after its beginning the next part of a body must be there, when so many bytes have come.
fn allowed(received: u64) -> Duration {
    GRACE + Duration::from_secs(received / RATE_MIN)
}

/// A body that ends with [`SlowBody`] where it comes too slowly.
pub(super) struct Hurried {
    body: Incoming,
    begun: Instant,
    received: u64,
    end: Pin<Box<Sleep>>,
}

impl Hurried {
    pub fn new(body: Incoming) -> Self {
        let begun = Instant::now();
        Self { body, begun, received: 0, end: Box::pin(sleep_until(begun + allowed(0))) }
    }
}

impl Body for Hurried {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.received += u64::try_from(bytes).unwrap_or(u64::MAX);
                let end = self.begun + allowed(self.received);
                if end < Instant::now() {
                    return Poll::Ready(Some(Err(SlowBody.into())));
                }
                self.end.as_mut().reset(end);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(other) => Poll::Ready(other.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => self.end.as_mut().poll(cx).map(|()| Some(Err(SlowBody.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_time_is_allowed_for_what_has_come_and_none_for_drops() {
        assert_eq!(allowed(0), GRACE);
        assert_eq!(allowed(1000), GRACE);
        assert_eq!(allowed(100 * RATE_MIN), GRACE + Duration::from_secs(100));
    }

    #[test]
    fn a_slow_body_is_found_behind_other_errors() {
        let error = axum::Error::new(axum::Error::new(SlowBody));
        assert!(SlowBody::is_behind(&error));
        assert!(!SlowBody::is_behind(&axum::Error::new(std::io::Error::other("else"))));
    }
}
