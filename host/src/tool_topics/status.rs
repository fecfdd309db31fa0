//! What a pair of topics is doing, for those who watch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::agents::AgentState;
use crate::home::ToolTopicsConfig;

/// A pair of topics as it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ToolTopicsStatus {
    /// Topic of the requests.
    pub requests: String,
    /// Topic of the answers.
    pub results: String,
    /// The client whose rows decide.
    pub client: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// Answers that were committed since the host started.
    pub answers: u64,
    /// Records that were set aside since the host started.
    pub dead_letters: u64,
}

/// What is behind a [`ToolTopicsStatus`].
pub struct Board {
    state: Mutex<AgentState>,
    answers: AtomicU64,
    dead_letters: AtomicU64,
}

impl Default for Board {
    fn default() -> Self {
        let state = AgentState::Waiting { reason: "it is starting".into() };
        Self { state: Mutex::new(state), answers: AtomicU64::default(), dead_letters: AtomicU64::default() }
    }
}

impl Board {
    /// Sets what it is doing; says so in the log where it changed.
    pub fn set(&self, requests: &str, state: AgentState) {
        // One assignment can't be half-done: a poisoned lock is as good as any.
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == state {
            return;
        }
        match &state {
            AgentState::Running => tracing::info!(requests, "tools can be called by topic"),
            AgentState::Waiting { reason } => tracing::warn!(requests, "tools can't be called by topic: {reason}"),
        }
        *current = state;
    }

    /// Counts what was committed.
    pub fn count(&self, answers: u64, dead_letters: u64) {
        self.answers.fetch_add(answers, Ordering::Relaxed);
        self.dead_letters.fetch_add(dead_letters, Ordering::Relaxed);
    }

    /// The status of a pair.
    pub fn status(&self, config: &ToolTopicsConfig) -> ToolTopicsStatus {
        ToolTopicsStatus {
            requests: config.requests.clone(),
            results: config.results.clone(),
            client: config.client.clone(),
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            answers: self.answers.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }
}
