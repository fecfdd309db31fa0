//! What is committed: which timers of a partition are due.

use super::layout::{DUE_PREFIX, Kind, NUMBER_KEY, parse_due_key, payload, split_moment};
use crate::streams::{StateReader, StreamError};

/// Entries that are read at once. Those that are not due yet are read for nothing.
const PAGE: usize = 16;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// A timer or a schedule.
    pub kind: Kind,
    /// When, milliseconds since 1970.
    pub due_ms: u64,
    /// Its name.
    pub name: Vec<u8>,
    /// What the timer was set with; nothing for a schedule.
    pub payload: Vec<u8>,
}

/// When the first timer or schedule of a partition is due, milliseconds since 1970.
///
/// # Errors
/// Those of the log.
pub fn next_due(state: &dyn StateReader, partition: u32) -> Result<Option<u64>, StreamError> {
    let first = state.scan(partition, DUE_PREFIX, None, 1)?;
    Ok(first.first().and_then(|(key, _)| parse_due_key(key)).map(|(due_ms, ..)| due_ms))
}

/// What is due at `now_ms`, the earliest first: at most `max` entries, and none after the one with which names and
/// payloads reach `bytes_max`.
///
/// # Errors
/// Those of the log.
pub fn due(
    state: &dyn StateReader,
    partition: u32,
    now_ms: u64,
    max: usize,
    bytes_max: usize,
) -> Result<Vec<Due>, StreamError> {
    let (mut found, mut bytes, mut after) = (Vec::new(), 0, None);
    loop {
        let page = state.scan(partition, DUE_PREFIX, after.as_deref(), PAGE)?;
        let is_last = page.len() < PAGE;
        for (key, value) in &page {
            let Some((due_ms, kind, name)) = parse_due_key(key) else { continue };
            if due_ms > now_ms || found.len() >= max || bytes >= bytes_max {
                return Ok(found);
            }
            bytes += name.len() + value.len();
            found.push(Due { kind, due_ms, name: name.to_vec(), payload: payload(value).to_vec() });
        }
        if is_last {
            return Ok(found);
        }
        after = page.into_iter().last().map(|(key, _)| key);
    }
}

/// The number of the next firing: how many there were in this partition.
///
/// # Errors
/// Those of the log.
pub fn next_number(state: &dyn StateReader, partition: u32) -> Result<u64, StreamError> {
    let value = state.get(partition, NUMBER_KEY)?;
    Ok(value.as_deref().and_then(split_moment).map_or(0, |(number, _)| number))
}
