//! The manifest of a component: `wasmill.toml` beside a plugin's `Cargo.toml`.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::permissions::{Limits, Permissions};

/// What a component says of itself. The signature covers these bytes exactly as they are in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 1 to 64 characters of `a-z`, `0-9` and `-`; a forged component has its maker and a dot in front.
    pub name: String,
    /// Semantic version.
    pub version: Version,
    /// Tool or agent.
    pub kind: Kind,
    /// One sentence for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How an agent takes part in streams. Exactly the agents have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// What it would like to be allowed. The matrix decides.
    #[serde(default)]
    pub permissions: Permissions,
    /// What it needs at most.
    #[serde(default)]
    pub limits: Limits,
}

/// Kind of a component: which world it implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exports `wasmill:plugin/tool`.
    Tool,
    /// Exports `wasmill:plugin/agent`.
    Agent,
}

/// How an agent takes part in streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Topics that it reads. Partition `p` of all of them goes to one instance.
    pub reads: Vec<String>,
    /// Most records in one batch, 1 to 16,384.
    #[serde(default = "Agent::batch_records_default")]
    pub batch_records: usize,
    /// Calls `idle` once when a partition gave no record for so many milliseconds; 0: never.
    #[serde(default)]
    pub idle_ms: u64,
}

impl Agent {
    fn batch_records_default() -> usize {
        1024
    }
}
