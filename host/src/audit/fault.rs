//! What is wrong with a chain.

use serde::{Deserialize, Serialize};

/// What was done to rows or checkpoints, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A row is not the one that was written.
    Changed,
    /// Rows are missing between others, or at the beginning.
    Missing,
    /// Two rows stand in each other's place.
    Swapped,
    /// Rows at the end are missing.
    Truncated,
    /// A checkpoint is not one that a host has signed, or is gone.
    Checkpoint,
}

impl FaultKind {
    /// One word, the same in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Swapped => "swapped",
            Self::Truncated => "truncated",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// Number of the first row that it is about.
    pub seq: i64,
    /// What it is.
    pub kind: FaultKind,
    /// The same for a person.
    pub says: String,
}
