//! A consumer group as its coordinator sees it.

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaError;

use super::super::clients::ANSWER_MAX;

/// What a group is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance` or `Dead`; none where there is no
    /// such group.
    pub state: Option<String>,
    /// Members.
    pub members: usize,
}

/// Asks. Blocks.
pub(super) fn ask<C: ClientContext>(client: &Client<C>, name: &str) -> Result<GroupState, KafkaError> {
    let answer = client.fetch_group_list(Some(name), ANSWER_MAX)?;
    let found = answer.groups().iter().find(|group| group.name() == name);
    Ok(match found {
        Some(group) => GroupState { state: Some(group.state().to_owned()), members: group.members().len() },
        None => GroupState { state: None, members: 0 },
    })
}
