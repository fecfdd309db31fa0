//! One reading of everything that a host counts.

use serde::{Deserialize, Serialize};

use super::lag::PartitionLag;
use crate::agents::AgentState;
use crate::conversations::ConversationsStatus;
use crate::meters::{
    AgentFigures, AuditFigures, FlowFigures, ForgeFigures, ModelFigures, ProcessFigures, TelemetryFigures, ToolFigures,
};
use crate::tool_topics::ToolTopicsStatus;

/// What a host has done since it started, and what it holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Figures {
    /// When they were read, milliseconds since the epoch.
    pub at_ms: i64,
    /// The host.
    pub host: HostFigures,
    /// Its agents, by name.
    pub agents: Vec<AgentLine>,
    /// Tools that were called, by name.
    pub tools: Vec<ToolFigures>,
    /// What went from whom to where.
    #[serde(default)]
    pub flows: Vec<FlowFigures>,
    /// Tool calls that reached no tool.
    pub refused_calls: u64,
    /// Topics on which tools can be called.
    pub tool_topics: Vec<ToolTopicsStatus>,
    /// Conversations of clients with agents; none where the host has none.
    #[serde(default)]
    pub conversations: Option<ConversationsStatus>,
    /// Questions to language models, by who asked.
    #[serde(default)]
    pub models: Vec<ModelFigures>,
    /// The forge.
    pub forge: ForgeFigures,
    /// The audit trail.
    #[serde(default)]
    pub audit: AuditFigures,
    /// Spans; none where nothing is recorded.
    #[serde(default)]
    pub telemetry: Option<TelemetryFigures>,
}

/// The host itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HostFigures {
    /// Its machine's name.
    pub name: String,
    /// What tells it from all other hosts.
    pub instance: String,
    /// Version of Wasmill.
    pub version: String,
    /// When it started, milliseconds since the epoch.
    pub started_ms: i64,
    /// The process.
    #[serde(flatten)]
    pub process: ProcessFigures,
    /// What is installed.
    pub components: ComponentFigures,
}

/// Installed components, by what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ComponentFigures {
    /// Callable tools, each version.
    pub tools: u64,
    /// Agents that run.
    pub agents: u64,
    /// Those that wait for an admin.
    pub waiting: u64,
    /// Those that can't be loaded.
    pub refused: u64,
    /// Those whose machine code is in memory.
    pub compiled: u64,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentLine {
    /// What it has done.
    #[serde(flatten)]
    pub figures: AgentFigures,
    /// Version that runs.
    pub version: String,
    /// Topics that it reads.
    #[serde(default)]
    pub reads: Vec<String>,
    /// What it is doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// Committed records that it has yet to handle: of the partitions that it holds here, and of all that it reads where
    /// it can't work. What is not known yet is left out.
    pub lag: Vec<PartitionLag>,
}

impl AgentLine {
    /// All lag that is known; none where nothing is.
    pub fn total_lag(&self) -> Option<u64> {
        (!self.lag.is_empty()).then(|| self.lag.iter().map(|lag| lag.records).sum())
    }
}
