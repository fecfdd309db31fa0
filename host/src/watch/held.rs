//! What a host tells the others: which of its agents hold which partitions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::figures::{AgentLine, Figures};
use crate::agents::AgentState;

/// Most agents that one host tells of.
const AGENTS_MAX: usize = 1_000;
/// Most partitions of one topic that are told one by one.
const PARTITIONS_MAX: usize = 1_000;
/// Most characters of a reason.
const REASON_SIZE_MAX: usize = 300;

/// An agent on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentHeld {
    /// `name@version`.
    pub agent: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: AgentState,
    /// What it holds, by topic.
    pub topics: Vec<TopicHeld>,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicHeld {
    /// Topic.
    pub topic: String,
    /// Partitions, ascending.
    pub partitions: Vec<u32>,
    /// Committed records in them that are not handled yet; none where that is not known of all of them.
    pub lag: Option<u64>,
}

/// What a host holds, by agent.
pub fn held(figures: &Figures) -> Vec<AgentHeld> {
    figures.agents.iter().take(AGENTS_MAX).map(of_agent).collect()
}

/// As the hosts' table keeps it.
pub fn encode(held: &[AgentHeld]) -> String {
    serde_json::to_string(held).unwrap_or_default()
}

/// What [`encode`] made; nothing where a host of another version wrote something else.
pub fn decode(text: &str) -> Vec<AgentHeld> {
    serde_json::from_str(text).unwrap_or_default()
}

fn of_agent(line: &AgentLine) -> AgentHeld {
    let mut by_topic: BTreeMap<&str, TopicHeld> = BTreeMap::new();
    for held in &line.figures.held {
        let lag = line.lag.iter().find(|lag| lag.topic == held.topic && lag.partition == held.partition);
        let fresh = || TopicHeld { topic: held.topic.clone(), partitions: Vec::new(), lag: Some(0) };
        let topic = by_topic.entry(&held.topic).or_insert_with(fresh);
        topic.lag = topic.lag.zip(lag).map(|(sum, lag)| sum.saturating_add(lag.records));
        if topic.partitions.len() < PARTITIONS_MAX {
            topic.partitions.push(held.partition);
        }
    }
    let state = match &line.state {
        AgentState::Running => AgentState::Running,
        AgentState::Waiting { reason } => {
            AgentState::Waiting { reason: reason.chars().take(REASON_SIZE_MAX).collect() }
        }
    };
    let agent = format!("{}@{}", line.figures.agent, line.version);
    AgentHeld { agent, state, topics: by_topic.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::{agent, figures};
    use super::*;
    use crate::meters::HeldPartition;
    use crate::watch::PartitionLag;

    #[test]
    fn partitions_are_told_by_topic_and_the_lag_only_where_all_of_it_is_known() {
        let mut line = agent("upper");
        let partition =
            |topic: &str, partition| HeldPartition { topic: topic.into(), partition, gained_ms: 0, next: None };
        let lag = |topic: &str, partition, records| PartitionLag { topic: topic.into(), partition, records };
        line.figures.held = vec![partition("a", 0), partition("a", 2), partition("b", 0), partition("b", 1)];
        line.lag = vec![lag("a", 0, 3), lag("a", 2, 4), lag("b", 1, 5)];
        let held = held(&figures(vec![line]));
        let topic = |topic: &str, partitions: &[u32], lag| TopicHeld {
            topic: topic.into(),
            partitions: partitions.to_vec(),
            lag,
        };
        assert_eq!(held[0].topics, [topic("a", &[0, 2], Some(7)), topic("b", &[0, 1], None)]);
        assert_eq!(decode(&encode(&held)), held);
        assert_eq!(decode("what a newer version says"), []);
    }
}
