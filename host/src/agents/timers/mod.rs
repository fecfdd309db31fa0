//! Timers at work: a worker asks its [`Timetable`] when the next one is due, and what fires is a batch like any other.
//!
//! Only the owner of a partition has its state, and what fires is removed in the transaction of the work on it: each
//! fires once, whichever host that is.

mod firing;
mod plans;
mod timetable;

use std::time::{SystemTime, UNIX_EPOCH};

pub use firing::{batches, fires, settle};
pub use plans::changes as plans;
pub use timetable::Timetable;

/// Now, milliseconds since 1970.
pub fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
