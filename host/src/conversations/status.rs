//! What conversations are doing, for those who watch.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::hub::Hub;
use crate::agents::AgentState;
use crate::home::ConversationsConfig;

/// Conversations as they stand on this host.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ConversationsStatus {
    /// Topic of what clients say.
    pub inbound: String,
    /// Topic of what agents answer.
    pub outbound: String,
    /// What they are doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// Clients that listen now.
    pub listeners: u64,
    /// Messages that clients sent since the host started.
    pub messages: u64,
    /// Events of all sessions that came since the host started.
    pub events: u64,
    /// Records that were no event of a session, since the host started.
    pub skipped: u64,
    /// Listeners that were let go because they did not keep up, since the host started.
    pub slow: u64,
}

/// What is behind a [`ConversationsStatus`].
pub struct Board {
    state: Mutex<AgentState>,
    messages: AtomicU64,
    events: AtomicU64,
    skipped: AtomicU64,
}

impl Default for Board {
    fn default() -> Self {
        let state = Mutex::new(AgentState::Waiting { reason: "they are starting".into() });
        Self { state, messages: AtomicU64::default(), events: AtomicU64::default(), skipped: AtomicU64::default() }
    }
}

impl Board {
    fn state(&self) -> AgentState {
        // One assignment can't be half-done: a poisoned lock is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets what they are doing; says so in the log where it changed.
    pub fn set(&self, outbound: &str, state: AgentState) {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == state {
            return;
        }
        match &state {
            AgentState::Running => tracing::info!(outbound, "clients can talk with agents"),
            AgentState::Waiting { reason } => tracing::warn!(outbound, "clients can't talk with agents: {reason}"),
        }
        *current = state;
    }

    /// Why they wait.
    pub fn reason(&self) -> String {
        match self.state() {
            AgentState::Running => "the host stops".into(),
            AgentState::Waiting { reason } => reason,
        }
    }

    /// Counts a message.
    pub fn sent(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that came.
    pub fn told(&self, events: usize, skipped: usize) {
        self.events.fetch_add(events as u64, Ordering::Relaxed);
        self.skipped.fetch_add(skipped as u64, Ordering::Relaxed);
    }

    /// The status.
    pub fn status(&self, config: &ConversationsConfig, hub: &Hub) -> ConversationsStatus {
        let (listeners, slow) = hub.counts();
        ConversationsStatus {
            inbound: config.inbound.clone(),
            outbound: config.outbound.clone(),
            state: self.state(),
            listeners,
            messages: self.messages.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            slow,
        }
    }
}
