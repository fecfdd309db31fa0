//! What became of spans.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counts spans that have ended.
#[derive(Debug, Default)]
pub struct TelemetryMeter {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl TelemetryMeter {
    /// The receiver has taken so many.
    pub fn sent(&self, spans: u64) {
        self.sent.fetch_add(spans, Ordering::Relaxed);
    }

    /// The receiver has not taken so many.
    pub fn failed(&self, spans: u64) {
        self.failed.fetch_add(spans, Ordering::Relaxed);
    }

    /// One did not fit the queue.
    pub fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn figures(&self) -> TelemetryFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TelemetryFigures { sent: read(&self.sent), failed: read(&self.failed), dropped: read(&self.dropped) }
    }
}

/// What became of spans since the host started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TelemetryFigures {
    /// Taken by the receiver.
    pub sent: u64,
    /// Not taken by it.
    pub failed: u64,
    /// Dropped, as too many waited.
    pub dropped: u64,
}
