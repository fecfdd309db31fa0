//! A guest's stdout and stderr: lines, handed to a sink. Nothing of it reaches the host's own terminal unread.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Longest line, bytes. What comes after it becomes the next line.
const LINE_SIZE_MAX: usize = 8 * 1024;

/// Which of the two streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where lines go. It must not block, and bounds what it keeps.
pub trait LineSink: Send + Sync {
    /// Takes one line without its end.
    fn line(&self, stream: Stream, line: &str);
}

/// One stream of one instance.
#[derive(Clone)]
pub struct GuestOutput {
    stream: Stream,
    sink: Arc<dyn LineSink>,
    partial: Arc<Mutex<Vec<u8>>>,
}

impl GuestOutput {
    /// A stream that gives its lines to `sink`.
    pub fn new(stream: Stream, sink: Arc<dyn LineSink>) -> Self {
        Self { stream, sink, partial: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        // A poisoned lock only means that another write panicked half-way; its bytes are as good as any.
        let mut partial = self.partial.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for &byte in bytes {
            if byte != b'\n' {
                partial.push(byte);
            }
            if byte == b'\n' || partial.len() == LINE_SIZE_MAX {
                self.sink.line(self.stream, &String::from_utf8_lossy(&partial));
                partial.clear();
            }
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl LineSink for Lines {
        fn line(&self, _: Stream, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[test]
    fn text_becomes_lines_wherever_it_is_cut() {
        let lines = Arc::new(Lines::default());
        let output = GuestOutput::new(Stream::Stdout, lines.clone());
        output.take(b"one\ntw");
        output.take(b"o\n");
        assert_eq!(*lines.0.lock().unwrap(), ["one", "two"]);
    }

    #[test]
    fn a_line_without_end_is_cut_and_never_grows_the_buffer() {
        let lines = Arc::new(Lines::default());
        let output = GuestOutput::new(Stream::Stderr, lines.clone());
        output.take(&vec![b'x'; 3 * LINE_SIZE_MAX + 1]);
        assert_eq!(lines.0.lock().unwrap().len(), 3);
        assert_eq!(output.partial.lock().unwrap().len(), 1);
    }
}
