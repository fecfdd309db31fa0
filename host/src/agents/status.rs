//! What an agent is doing, for those who watch.

use std::sync::{Arc, Mutex, PoisonError};

use crate::meters::AgentMeter;
use crate::problem::Problem;

/// What an agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AgentState {
    /// It reads and works.
    Running,
    /// It can't work now and tries again; why.
    Waiting {
        /// What it waits for, and what to do.
        reason: String,
    },
}

impl AgentState {
    /// It waits because of a problem.
    pub fn waiting(problem: &Problem) -> Self {
        let next = if problem.next.is_empty() { String::new() } else { format!("; {}", problem.next) };
        Self::Waiting { reason: format!("{}{next}", problem.message) }
    }
}

/// An agent as it stands.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct AgentStatus {
    /// `name@version`.
    pub agent: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// Records that were committed since the host started.
    pub records: u64,
    /// Records that went to a dead-letter topic since the host started.
    pub dead_letters: u64,
}

/// What is behind an [`AgentStatus`], shared by the worker and the supervisor.
#[derive(Clone)]
pub struct Board {
    state: Arc<Mutex<AgentState>>,
    meter: Arc<AgentMeter>,
}

impl Board {
    /// The board of an agent that is starting, with the counters that it goes on counting on.
    pub fn new(meter: Arc<AgentMeter>) -> Self {
        let state = AgentState::Waiting { reason: "it is starting".into() };
        Self { state: Arc::new(Mutex::new(state)), meter }
    }

    /// Counts what the agent does.
    pub fn meter(&self) -> &Arc<AgentMeter> {
        &self.meter
    }

    /// Sets what the agent is doing; says so in the log where it changed.
    pub fn set(&self, agent: &str, state: AgentState) {
        // One assignment can't be half-done: a poisoned lock is as good as any.
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == state {
            return;
        }
        match &state {
            AgentState::Running => tracing::info!(agent, "the agent is at work"),
            AgentState::Waiting { reason } => tracing::warn!(agent, "the agent waits: {reason}"),
        }
        *current = state;
    }

    /// The status of the agent `name@version`.
    pub fn status(&self, agent: &str) -> AgentStatus {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (records, dead_letters) = self.meter.totals();
        AgentStatus { agent: agent.to_owned(), state, records, dead_letters }
    }
}
