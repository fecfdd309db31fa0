//! What a forge is asked and what becomes of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::{Distribution, Histogram};

/// How a request to the forge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// The tool may be called.
    Callable,
    /// The tool is made and waits for an admin.
    Waiting,
    /// The source, or what it asks for, was not accepted.
    Refused,
    /// This host could not do it, or not now.
    Failed,
}

/// Counts requests to the forge.
#[derive(Debug, Default)]
pub struct ForgeMeter {
    callable: AtomicU64,
    waiting: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    duration: Histogram,
}

impl ForgeMeter {
    /// A request has ended.
    pub fn ended(&self, built: Built, took: Duration) {
        let counter = match built {
            Built::Callable => &self.callable,
            Built::Waiting => &self.waiting,
            Built::Refused => &self.refused,
            Built::Failed => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.duration.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// As it stands.
    pub fn figures(&self) -> ForgeFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ForgeFigures {
            callable: read(&self.callable),
            waiting: read(&self.waiting),
            refused: read(&self.refused),
            failed: read(&self.failed),
            duration: self.duration.distribution(),
        }
    }
}

/// Requests to the forge since the host started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ForgeFigures {
    /// Those that made a tool that may be called.
    pub callable: u64,
    /// Those that made a tool that waits for an admin.
    pub waiting: u64,
    /// Those that were not accepted.
    pub refused: u64,
    /// Those that this host could not serve.
    pub failed: u64,
    /// How long they took.
    pub duration: Distribution,
}
