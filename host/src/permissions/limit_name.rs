//! The limits there are: their names, which carry the units, their defaults and their bounds.

use std::fmt;

use wasmill_registry::{Limits, Money};

/// One limit. The name is the key in a `limits` table and carries the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LimitName {
    /// Linear memory of one instance, MiB.
    MemoryMib,
    /// Time that one call computes in the guest, milliseconds.
    ComputeMs,
    /// Time that one call takes, waiting included, milliseconds.
    DeadlineMs,
    /// Entries of all tables of one instance.
    TableEntries,
    /// Result of one call, or everything that one batch sends, KiB.
    OutputKib,
    /// Depth of tools that call tools.
    CallDepth,
    /// Durable state of one partition, MiB.
    StateMib,
    /// Timers of one partition that wait.
    TimersWaiting,
    /// Topics that exist under the names that it may create.
    TopicsMade,
    /// Partitions of a topic that it creates.
    TopicPartitions,
    /// How long a topic that it creates keeps records, hours.
    TopicHours,
    /// Agents that it has started and that are at work.
    AgentsStarted,
    /// Builds asked of the forge in an hour.
    BuildsPerHour,
    /// Tools that it has had made and that are installed.
    ToolsAlive,
    /// Components and sources of these, all versions, bytes.
    ToolBytes,
    /// Days after which a tool that it has had made, and that nobody calls, is removed.
    UnusedDays,
    /// Calls of tools in a minute.
    ToolCallsPerMinute,
    /// HTTP requests in a minute.
    HttpCallsPerMinute,
    /// Questions to language models in a minute.
    ModelCallsPerMinute,
    /// Records sent in a minute.
    RecordsPerMinute,
    /// Tokens of questions to language models and their answers on one day (UTC).
    ModelTokensPerDay,
    /// What questions to language models cost on one day (UTC), millionths of the currency's unit.
    ModelCostPerDay,
}

/// The value of a limit that nobody has set and that bounds nothing until somebody does.
pub const UNLIMITED: u64 = u64::MAX;
/// Largest number of calls or records in a minute.
const PER_MINUTE_MAX: u64 = 1_000_000_000;

/// Name, value where nobody says anything, smallest and largest value that can be asked for.
struct Spec {
    key: &'static str,
    default: u64,
    min: u64,
    max: u64,
}

impl Spec {
    /// A limit that is none until somebody sets it.
    const fn unlimited(key: &'static str, max: u64) -> Self {
        Self { key, default: UNLIMITED, min: 0, max }
    }
}

impl LimitName {
    /// All limits.
    pub const ALL: [Self; 22] = [
        Self::MemoryMib,
        Self::ComputeMs,
        Self::DeadlineMs,
        Self::TableEntries,
        Self::OutputKib,
        Self::CallDepth,
        Self::StateMib,
        Self::TimersWaiting,
        Self::TopicsMade,
        Self::TopicPartitions,
        Self::TopicHours,
        Self::AgentsStarted,
        Self::BuildsPerHour,
        Self::ToolsAlive,
        Self::ToolBytes,
        Self::UnusedDays,
        Self::ToolCallsPerMinute,
        Self::HttpCallsPerMinute,
        Self::ModelCallsPerMinute,
        Self::RecordsPerMinute,
        Self::ModelTokensPerDay,
        Self::ModelCostPerDay,
    ];

    fn spec(self) -> Spec {
        match self {
            // 17 pages (1.06 MiB) are the least with which a Rust guest starts; the engine's pool has slots of 1 GiB.
            Self::MemoryMib => Spec { key: "memory_mib", default: 128, min: 2, max: 1_024 },
            Self::ComputeMs => Spec { key: "compute_ms", default: 5_000, min: 10, max: 600_000 },
            Self::DeadlineMs => Spec { key: "deadline_ms", default: 60_000, min: 10, max: 3_600_000 },
            Self::TableEntries => Spec { key: "table_entries", default: 20_000, min: 100, max: 100_000 },
            Self::OutputKib => Spec { key: "output_kib", default: 16_384, min: 1, max: 262_144 },
            Self::CallDepth => Spec { key: "call_depth", default: 8, min: 0, max: 32 },
            Self::StateMib => Spec { key: "state_mib", default: 256, min: 1, max: 65_536 },
            Self::TimersWaiting => Spec { key: "timers_waiting", default: 10_000, min: 0, max: 1_000_000 },
            Self::TopicsMade => Spec { key: "topics_made", default: 100, min: 0, max: 10_000 },
            Self::TopicPartitions => Spec { key: "topic_partitions", default: 16, min: 1, max: 1_024 },
            Self::TopicHours => Spec { key: "topic_hours", default: 168, min: 1, max: 87_600 },
            Self::AgentsStarted => Spec { key: "agents_started", default: 16, min: 0, max: 1_000 },
            Self::BuildsPerHour => Spec { key: "builds_per_hour", default: 60, min: 0, max: 10_000 },
            Self::ToolsAlive => Spec { key: "tools_alive", default: 1_000, min: 0, max: 100_000 },
            // A thousand tools in Rust of the usual size, or a hundred times as many scripts.
            Self::ToolBytes => Spec { key: "tool_bytes", default: 1 << 30, min: 0, max: 1 << 40 },
            Self::UnusedDays => Spec { key: "unused_days", default: UNLIMITED, min: 1, max: 36_500 },
            Self::ToolCallsPerMinute => Spec::unlimited("tool_calls_per_minute", PER_MINUTE_MAX),
            Self::HttpCallsPerMinute => Spec::unlimited("http_calls_per_minute", PER_MINUTE_MAX),
            Self::ModelCallsPerMinute => Spec::unlimited("model_calls_per_minute", PER_MINUTE_MAX),
            Self::RecordsPerMinute => Spec::unlimited("records_per_minute", PER_MINUTE_MAX),
            Self::ModelTokensPerDay => Spec::unlimited("model_tokens_per_day", 1_000_000_000_000),
            // A million of the currency's unit.
            Self::ModelCostPerDay => Spec::unlimited("model_cost_per_day", 1_000_000_000_000),
        }
    }

    /// The key in a `limits` table.
    pub fn key(self) -> &'static str {
        self.spec().key
    }

    /// The limit with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.key() == key)
    }

    /// What holds where nobody says anything.
    pub fn default_value(self) -> u64 {
        self.spec().default
    }

    /// Smallest and largest value that a row may set.
    pub fn range(self) -> std::ops::RangeInclusive<u64> {
        let spec = self.spec();
        spec.min..=spec.max
    }

    /// What a `limits` table says.
    pub fn of(self, limits: &Limits) -> Option<u64> {
        match self {
            Self::MemoryMib => limits.memory_mib.map(u64::from),
            Self::ComputeMs => limits.compute_ms,
            Self::DeadlineMs => limits.deadline_ms,
            Self::TableEntries => limits.table_entries.map(u64::from),
            Self::OutputKib => limits.output_kib.map(u64::from),
            Self::CallDepth => limits.call_depth.map(u64::from),
            Self::StateMib => limits.state_mib.map(u64::from),
            Self::TimersWaiting => limits.timers_waiting.map(u64::from),
            Self::TopicsMade => limits.topics_made.map(u64::from),
            Self::TopicPartitions => limits.topic_partitions.map(u64::from),
            Self::TopicHours => limits.topic_hours.map(u64::from),
            Self::AgentsStarted => limits.agents_started.map(u64::from),
            Self::BuildsPerHour => limits.builds_per_hour.map(u64::from),
            Self::ToolsAlive => limits.tools_alive.map(u64::from),
            Self::ToolBytes => limits.tool_bytes,
            Self::UnusedDays => limits.unused_days.map(u64::from),
            Self::ToolCallsPerMinute => limits.tool_calls_per_minute.map(u64::from),
            Self::HttpCallsPerMinute => limits.http_calls_per_minute.map(u64::from),
            Self::ModelCallsPerMinute => limits.model_calls_per_minute.map(u64::from),
            Self::RecordsPerMinute => limits.records_per_minute.map(u64::from),
            Self::ModelTokensPerDay => limits.model_tokens_per_day,
            Self::ModelCostPerDay => limits.model_cost_per_day.map(Money::micros),
        }
    }

    /// A value as one writes it into a file; `unlimited` where it bounds nothing.
    pub fn shown(self, value: u64) -> String {
        match self {
            _ if value == UNLIMITED => "unlimited".to_owned(),
            Self::ModelCostPerDay => format!("\"{}\"", Money::from_micros(value)),
            _ => value.to_string(),
        }
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_in_its_range() {
        for name in LimitName::ALL {
            let default = name.default_value();
            assert!(default == UNLIMITED || name.range().contains(&default), "{name}");
            assert_eq!(LimitName::from_key(name.key()), Some(name));
        }
    }
}
