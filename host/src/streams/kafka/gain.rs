//! What must be known of partitions before they are worked on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::clients::{Clients, Committed};
use super::group::{Member, Place};
use super::restore::{Wanted, restore};
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

/// Asks for offsets and restores state. Blocks; ends early when it is not wanted any more. The order matters: first
/// the producer, which settles what a predecessor of our name left open; then offsets and state, which wait for what
/// anyone else left open.
///
/// # Errors
/// [`StreamError::Unavailable`] and others; try again.
pub(super) fn prepare(
    clients: &Clients,
    seat: &Seat,
    member: Arc<Member>,
    partitions: Vec<Place>,
    state: Option<Wanted>,
    is_wanted: &AtomicBool,
) -> Result<Gained, StreamError> {
    seat.prepare()?;
    let positions = clients.committed(member.consumer(), &partitions);
    // Restoring may last, and a worker that goes meanwhile must be able to leave.
    drop(member);
    let positions = positions?;
    let stores = match state {
        Some(wanted) => restore(clients, wanted, is_wanted)?,
        None => Vec::new(),
    };
    Ok(Gained { positions, stores })
}
