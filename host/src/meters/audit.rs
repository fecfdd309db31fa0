//! What of the audit trail could not be done.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counts what fails around the audit trail.
#[derive(Debug, Default)]
pub struct AuditMeter {
    checkpoints: AtomicU64,
    topic: AtomicU64,
}

impl AuditMeter {
    /// Signing failed.
    pub fn checkpoint_failed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// Sending to the topic failed.
    pub fn topic_failed(&self) {
        self.topic.fetch_add(1, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn figures(&self) -> AuditFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AuditFigures { failed_checkpoints: read(&self.checkpoints), failed_topic: read(&self.topic) }
    }
}

/// What failed around the audit trail since the host started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditFigures {
    /// Attempts to sign.
    pub failed_checkpoints: u64,
    /// Attempts to send to the topic.
    pub failed_topic: u64,
}
