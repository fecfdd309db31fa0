//! Starts other agents below this one. Needs `agents`.
//!
//! A started agent is an installed, signed component at work once more, under a name below its maker's and for topics of
//! its own. It never may more than its maker, works on every host, and outlives restarts. Not part of the batch's
//! transaction; doing it again does nothing.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::agents;

pub use agents::AgentSpec;

/// An agent to start under `name`, of the installed `component`, that reads these topics. It gets no settings.
pub fn of<'t>(name: &str, component: &str, reads: impl IntoIterator<Item = &'t str>) -> AgentSpec {
    let reads = reads.into_iter().map(str::to_owned).collect();
    AgentSpec { name: name.to_owned(), component: component.to_owned(), reads, settings: Vec::new() }
}

impl AgentSpec {
    /// Adds a setting, which the agent gets from `config`.
    #[must_use]
    pub fn with_setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// Starts an agent; false where exactly this is at work already.
///
/// # Errors
/// `denied` without `agents` for the component or `topics.read` for a topic; `invalid` for a name or settings that can't
/// be, or where something else has the name; `limit` when `agents_started` is reached.
pub fn start(agent: &AgentSpec) -> Result<bool, Error> {
    agents::start(agent)
}

/// Stops an agent that this one has started; false where there is none of that name.
///
/// # Errors
/// `denied` without `agents`.
pub fn stop(name: &str) -> Result<bool, Error> {
    agents::stop(name)
}

/// The agents that this one has started, by name.
///
/// # Errors
/// `denied` without `agents`.
pub fn started() -> Result<Vec<AgentSpec>, Error> {
    agents::started()
}
