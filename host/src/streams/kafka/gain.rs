//! What must be known of partitions before they are worked on.

use std::sync::Arc;

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::clients::{ANSWER_MAX, Clients};
use super::group::GroupConsumer;
use super::restore::restore;
use super::state::Store;
use super::transaction::Seat;
use crate::streams::StreamError;

/// What is known of partitions that were gained.
pub(super) struct Gained {
    /// Topic, partition and the committed offset.
    pub(super) positions: Vec<(String, u32, Option<u64>)>,
    /// State by partition.
    pub(super) stores: Vec<(u32, Store)>,
}

/// Asks for offsets and restores state. Blocks. The order matters: first the producer, which settles what a
/// predecessor of our name left open; then offsets and state, which wait for what anyone else left open.
///
/// # Errors
/// [`StreamError::Unavailable`] and others; try again.
pub(super) fn prepare(
    clients: &Clients,
    seat: &Seat,
    consumer: &Arc<GroupConsumer>,
    partitions: Vec<(String, u32)>,
    state: Option<(String, Vec<(u32, Store)>)>,
) -> Result<Gained, StreamError> {
    if partitions.is_empty() {
        return Ok(Gained { positions: Vec::new(), stores: Vec::new() });
    }
    seat.prepare()?;
    let mut asked = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in &partitions {
        asked.add_partition(topic, i32::try_from(*partition).unwrap_or(i32::MAX));
    }
    let answer = consumer.committed_offsets(asked, ANSWER_MAX).map_err(|e| clients.translate(&e, ""))?;
    let mut positions = Vec::with_capacity(partitions.len());
    for element in answer.elements() {
        element.error().map_err(|e| clients.translate(&e, element.topic()))?;
        let committed = match element.offset() {
            Offset::Offset(offset) => u64::try_from(offset).ok(),
            _ => None,
        };
        positions.push((element.topic().to_owned(), u32::try_from(element.partition()).unwrap_or(0), committed));
    }
    let stores = match state {
        Some((topic, stores)) => restore(clients, &topic, stores)?,
        None => Vec::new(),
    };
    Ok(Gained { positions, stores })
}
