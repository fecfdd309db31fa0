//! Readings of an [`super::AgentMeter`].

use serde::{Deserialize, Serialize};

use super::histogram::Distribution;

/// What an agent has done since the host started, and what it holds now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentFigures {
    /// Name, without version.
    pub agent: String,
    /// Records that it was given and that are committed.
    pub records: u64,
    /// Records that it sent and that are committed.
    pub sent: u64,
    /// Records that went to a dead-letter topic.
    pub dead_letters: u64,
    /// Further attempts at single records.
    pub retries: u64,
    /// Its calls that failed: once where a batch fails as a whole, and once for each failed attempt at a single record.
    pub errors: ErrorFigures,
    /// How rounds of work ended.
    pub rounds: RoundFigures,
    /// How often its worker could not go on and began anew.
    pub restarts: u64,
    /// From a record's own time to the commit.
    pub latency: Distribution,
    /// From the records of a poll to their commit.
    pub round: Distribution,
    /// CPU time of its calls, with what the host and the tools do inside them, microseconds.
    pub cpu_micros: u64,
    /// Instances that are alive.
    pub instances: u64,
    /// Linear memory of these instances, bytes.
    pub memory_bytes: u64,
    /// Partitions that its worker holds, sorted.
    pub held: Vec<HeldPartition>,
}

/// Calls that failed, by how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ErrorFigures {
    /// The agent said so itself.
    pub own: u64,
    /// It trapped.
    pub trap: u64,
    /// It reached a limit.
    pub limit: u64,
}

impl ErrorFigures {
    /// All together.
    pub fn total(&self) -> u64 {
        self.own + self.trap + self.limit
    }
}

/// Rounds of work, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RoundFigures {
    /// Committed.
    pub committed: u64,
    /// Refused by the log because of a record; done again in smaller parts.
    pub refused: u64,
    /// Dropped because somebody else owns the partitions.
    pub dropped: u64,
}

/// A partition that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeldPartition {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// When it was gained, milliseconds since the epoch.
    pub gained_ms: i64,
    /// Offset that it goes on at; none where nothing was committed since it was gained.
    pub next: Option<u64>,
}
