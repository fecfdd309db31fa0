//! What must be known of partitions before they are worked on.

use std::sync::Arc;

use super::clients::{Clients, Committed};
use super::group::GroupConsumer;
use super::restore::restore;
use super::state::Store;
use super::transaction::Seat;
use crate::streams::StreamError;

/// What is known of partitions that were gained.
pub(super) struct Gained {
    /// Topic, partition and the committed offset.
    pub(super) positions: Vec<Committed>,
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
    let positions = clients.committed(consumer, &partitions)?;
    let stores = match state {
        Some((topic, stores)) => restore(clients, &topic, stores)?,
        None => Vec::new(),
    };
    Ok(Gained { positions, stores })
}
