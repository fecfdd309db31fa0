//! `log`: a component's lines, from its own calls and from stdout and stderr.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::guest::Guest;
use crate::runtime::bindings::log::{Host, Level};
use crate::runtime::{LineSink, Stream};

/// Most lines that one call (a tool's call, an agent's batch) may write. What comes after is counted and dropped.
pub const LOG_LINES_PER_CALL_MAX: u32 = 256;
/// Longest message, bytes.
const MESSAGE_SIZE_MAX: usize = 8 * 1024;
/// Most fields of a line.
const FIELDS_MAX: usize = 32;

/// The lines of one instance.
pub struct GuestLog {
    component: Arc<str>,
    written: AtomicU32,
}

impl GuestLog {
    /// The log of the component `name@version`.
    pub fn new(component: Arc<str>) -> Self {
        Self { component, written: AtomicU32::new(0) }
    }

    /// A call begins: its budget is whole again. Says how many lines the last one lost.
    pub fn begin_call(&self) {
        self.say_dropped();
    }

    fn say_dropped(&self) {
        let dropped = self.written.swap(0, Ordering::Relaxed).saturating_sub(LOG_LINES_PER_CALL_MAX);
        if dropped > 0 {
            tracing::warn!(target: "guest", component = %self.component, dropped, "log lines over the limit were dropped");
        }
    }

    fn admits(&self) -> bool {
        // Saturates far below overflow: a call that wrote four billion lines has long met its deadline.
        self.written.fetch_add(1, Ordering::Relaxed) < LOG_LINES_PER_CALL_MAX
    }

    fn write(&self, level: Level, message: &str, fields: &str) {
        if !self.admits() {
            return;
        }
        let component = &*self.component;
        match level {
            Level::Trace => tracing::trace!(target: "guest", component, fields, "{message}"),
            Level::Debug => tracing::debug!(target: "guest", component, fields, "{message}"),
            Level::Info => tracing::info!(target: "guest", component, fields, "{message}"),
            Level::Warn => tracing::warn!(target: "guest", component, fields, "{message}"),
            Level::Error => tracing::error!(target: "guest", component, fields, "{message}"),
        }
    }
}

impl Drop for GuestLog {
    /// A tool's instance lives for one call only: its loss is said when it goes.
    fn drop(&mut self) {
        self.say_dropped();
    }
}

impl LineSink for GuestLog {
    fn line(&self, stream: Stream, line: &str) {
        let level = if stream == Stream::Stderr { Level::Warn } else { Level::Info };
        self.write(level, &printable(line), "");
    }
}

impl Host for Guest {
    fn write(&mut self, level: Level, message: String, fields: Vec<(String, String)>) {
        if self.journal().is_some_and(|journal| journal.is_repeating()) {
            return;
        }
        let mut text = String::new();
        for (key, value) in fields.iter().take(FIELDS_MAX) {
            // Writing to a string can't fail.
            let _ = write!(text, "{}{}={}", if text.is_empty() { "" } else { " " }, printable(key), printable(value));
        }
        self.log().write(level, &printable(&message), &text);
    }
}

/// Cuts text at the size limit and takes away what could steer a terminal or fake a second line.
fn printable(text: &str) -> String {
    let mut end = text.len().min(MESSAGE_SIZE_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_steer_the_terminal_or_fake_a_line() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\td"), "a\u{fffd}[2Jb\u{fffd}c\td");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = "ä".repeat(MESSAGE_SIZE_MAX);
        assert_eq!(printable(&text).len(), MESSAGE_SIZE_MAX);
        assert!(printable(&format!("x{text}")).len() < MESSAGE_SIZE_MAX);
    }

    #[test]
    fn a_flood_stops_at_the_limit_and_the_next_call_starts_anew() {
        let log = GuestLog::new("x@1.0.0".into());
        assert_eq!((0..1000).filter(|_| log.admits()).count(), LOG_LINES_PER_CALL_MAX as usize);
        log.begin_call();
        assert!(log.admits());
    }
}
