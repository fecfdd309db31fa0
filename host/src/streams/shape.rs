//! The whole shape of a topic, and the ways in which it may change.

use serde::{Deserialize, Serialize};

use super::TopicSpec;

/// A bound on what a topic keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// So many milliseconds or bytes.
    AtMost(u64),
    /// None: Kafka's `-1`. More than every other.
    Unlimited,
}

/// What becomes of old records: Kafka's `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cleanup {
    /// They go when they are over a bound.
    Delete,
    /// The newest of each key stays, however old.
    Compact,
    /// The newest of each key stays until it is over a bound.
    CompactAndDelete,
}

impl Cleanup {
    /// True where only the newest record of each key stays.
    pub fn is_compacting(self) -> bool {
        self != Self::Delete
    }
}

/// What a topic keeps. What is none is not said, or not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keeps {
    /// What becomes of old records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
    /// How old a record may become, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_ms: Option<Bound>,
    /// How large a partition may become, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_bytes: Option<Bound>,
}

/// A topic as it is, or as it shall be made, with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicShape {
    /// Name, partitions, kind.
    #[serde(flatten)]
    pub spec: TopicSpec,
    /// Copies of each partition; none: as the store likes it, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u16>,
    /// What it keeps.
    #[serde(default)]
    pub keeps: Keeps,
}

/// One change of a topic. None of them removes a topic or a partition: no store can take a partition away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum TopicChange {
    /// Make it.
    Create(TopicShape),
    /// Give it more partitions.
    Grow {
        /// Topic.
        name: String,
        /// Partitions afterwards.
        partitions: u32,
        /// States that are kept by the topic's partitions, by name: they grow first where the store keeps them apart.
        states: Vec<String>,
    },
    /// Let it keep more, less, or something else.
    Keep {
        /// Topic.
        name: String,
        /// What changes; the rest stays.
        keeps: Keeps,
    },
}

impl TopicChange {
    /// The topic.
    pub fn topic(&self) -> &str {
        match self {
            Self::Create(shape) => &shape.spec.name,
            Self::Grow { name, .. } | Self::Keep { name, .. } => name,
        }
    }
}
