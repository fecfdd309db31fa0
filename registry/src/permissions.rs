//! What a component may do, as data: wanted by a manifest, written in a row of the matrix, or signed in an approval.
//!
//! Only the words are here. What they allow is decided by the host.

use serde::{Deserialize, Serialize};

use super::money::Money;

/// A set of permissions. Deny by default: what is not named is not allowed.
///
/// Names are patterns: `*` stands for any run of characters, everything else for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Topics.
    #[serde(skip_serializing_if = "Topics::is_empty")]
    pub topics: Topics,
    /// Tools that may be called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Where HTTP requests may go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpRule>,
    /// Language models that may be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// Secrets that the host may put into this component's HTTP requests. The component never sees them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Languages that the forge may be asked to build.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forge: Vec<String>,
    /// Components that it may start as agents below itself (agents only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// What of a host's own it may do at the gateway (clients only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<String>,
    /// Keeps durable state (agents only).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub state: bool,
    /// Sets timers, and has a schedule (agents only).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub timers: bool,
    /// Sees the running clock. Without it, the clocks stand still at the moment the call began.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
}

/// The words of all columns: what a row names, what `privileged` lists, and what thresholds are for.
pub const COLUMNS: [&str; 13] = [
    "topics.read",
    "topics.write",
    "topics.create",
    "tools",
    "http",
    "model",
    "secrets",
    "forge",
    "state",
    "clock",
    "timers",
    "agents",
    "host",
];

/// The words of the risk classes, lowest first.
pub const RISK_CLASSES: [&str; 4] = ["low", "medium", "high", "critical"];

impl Permissions {
    /// The same permissions in one spelling: lists sorted, without repetitions. Two sets that say the same are equal then.
    pub fn normalized(mut self) -> Self {
        let Topics { read, write, create } = &mut self.topics;
        for list in [
            read,
            write,
            create,
            &mut self.tools,
            &mut self.model,
            &mut self.secrets,
            &mut self.forge,
            &mut self.agents,
            &mut self.host,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        for rule in &mut self.http {
            rule.methods.sort_unstable();
            rule.methods.dedup();
        }
        self.http.sort_unstable();
        self.http.dedup();
        self
    }
}

/// Topics by what may be done with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    /// May be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// May be written to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// May be created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<String>,
}

impl Topics {
    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.write.is_empty() && self.create.is_empty()
    }
}

/// Where HTTP requests may go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    /// Host name, with `:port` where it isn't the scheme's own. A pattern.
    pub host: String,
    /// Methods in capitals; `*` for all.
    pub methods: Vec<String>,
}

/// What a component may use. Absent means: the default of whoever decides. Where several limits apply, the smallest wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Linear memory of one instance, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Time that one call may compute in WebAssembly, milliseconds of wall clock spent in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_ms: Option<u64>,
    /// Time that one call may take, waiting included, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Entries of all tables of one instance together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_entries: Option<u32>,
    /// Result of one call, or all records sent while handling one batch, KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_kib: Option<u32>,
    /// How deep calls of tools by tools may go below this component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_depth: Option<u32>,
    /// Durable state of one partition, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_mib: Option<u32>,
    /// Timers of one partition that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timers_waiting: Option<u32>,
    /// Topics that exist under the names that it may create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics_made: Option<u32>,
    /// Partitions of a topic that it creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_partitions: Option<u32>,
    /// How long a topic that it creates keeps records, hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_hours: Option<u32>,
    /// Agents that it has started and that are at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents_started: Option<u32>,
    /// Builds that may be asked of the forge in an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builds_per_hour: Option<u32>,
    /// Tools that it has had made and that are installed at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools_alive: Option<u32>,
    /// Components and sources of the tools that it has had made, all versions together, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_bytes: Option<u64>,
    /// Days after which a tool that it has had made, and that nobody calls, is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
    /// Calls of tools in a minute, on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls_per_minute: Option<u32>,
    /// HTTP requests in a minute, on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_calls_per_minute: Option<u32>,
    /// Questions to language models in a minute, on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_calls_per_minute: Option<u32>,
    /// Records sent in a minute, on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_per_minute: Option<u32>,
    /// Tokens of questions to language models and their answers on one day (UTC), on all hosts together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_tokens_per_day: Option<u64>,
    /// What questions to language models may cost on one day (UTC), on all hosts together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_cost_per_day: Option<Money>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repetition_make_no_difference_once_normalized() {
        let one =
            Permissions::parse("tools = ['b', 'a', 'b']\nhttp = [{host = 'h', methods = ['PUT', 'GET']}]").unwrap();
        let other = Permissions::parse("tools = ['a', 'b']\nhttp = [{host = 'h', methods = ['GET', 'PUT']}]").unwrap();
        assert_ne!(one, other);
        assert_eq!(one.normalized(), other.normalized());
    }
}
