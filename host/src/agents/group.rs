//! The consumer group of an agent.

/// The group that all workers of an agent share, on every host.
pub fn group_of(agent: &str) -> String {
    format!("wasmill.{agent}")
}
