//! What an agent is doing, for those who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What an agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
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

/// An agent as it stands.
#[derive(Debug, Clone, serde::Serialize)]
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

/// The counters behind an [`AgentStatus`], shared by the worker and the supervisor.
#[derive(Clone)]
pub struct Board {
    state: Arc<Mutex<AgentState>>,
    records: Arc<AtomicU64>,
    dead_letters: Arc<AtomicU64>,
}

impl Default for Board {
    fn default() -> Self {
        let state = AgentState::Waiting { reason: "it is starting".into() };
        Self { state: Arc::new(Mutex::new(state)), records: Arc::default(), dead_letters: Arc::default() }
    }
}

impl Board {
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

    /// Counts committed records.
    pub fn committed(&self, records: u64, dead_letters: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.dead_letters.fetch_add(dead_letters, Ordering::Relaxed);
    }

    /// The status of the agent `name@version`.
    pub fn status(&self, agent: &str) -> AgentStatus {
        AgentStatus {
            agent: agent.to_owned(),
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            records: self.records.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }
}
