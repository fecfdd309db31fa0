//! Durable timers of this agent for the partition that it works on. Needs `timers = true`.
//!
//! A timer fires once, on whichever host works on the partition then, and survives restarts. It comes to
//! [`Agent::timer`](crate::Agent::timer) as a record with the timer's name as its key. Setting one is committed together
//! with the batch that sets it, and dropped with it.

use std::time::Duration;

use crate::Error;
use crate::bindings::agent::wasmill::plugin::timers::{self, Due};

pub use timers::Timer;

/// Sets a timer that is due so long after the moment that this agent's clock shows: without `clock` in the matrix, the
/// moment at which the call began. One of the same name that waits is replaced.
///
/// # Errors
/// `denied` without `timers`; `invalid` for a name that is not 1 to 256 bytes without control characters, a payload over
/// 64 KiB, or more than ten years; `limit` when `timers_waiting` or `state_mib` is reached.
pub fn after(name: &str, delay: Duration, payload: impl AsRef<[u8]>) -> Result<(), Error> {
    let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    timers::set(name, Due::AfterMs(ms), payload.as_ref())
}

/// Sets a timer that is due at so many milliseconds since 1970-01-01T00:00:00Z; what has passed is due at once.
///
/// # Errors
/// As [`after`].
pub fn at(name: &str, ms: u64, payload: impl AsRef<[u8]>) -> Result<(), Error> {
    timers::set(name, Due::AtMs(ms), payload.as_ref())
}

/// Cancels a timer. False where none of that name waits: it was never set, has fired, or fires in this very batch.
///
/// # Errors
/// `denied` without `timers`.
pub fn cancel(name: &str) -> Result<bool, Error> {
    timers::cancel(name)
}

/// Timers that wait, by name, after the name `after` where one is given: at most `limit`, and never more than 1,000.
///
/// # Errors
/// `denied` without `timers`.
pub fn waiting(after: Option<&str>, limit: u32) -> Result<Vec<Timer>, Error> {
    timers::waiting(after, limit)
}
