//! Creates topics. Needs `topics.create`.
//!
//! Not part of the batch's transaction: a topic stays when the batch fails. How many, with how many partitions and how
//! long they keep records is bounded by the matrix.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::topics;

pub use topics::Settings;

/// Creates a topic that keeps records as long as the matrix allows; true where it was not there yet.
///
/// # Errors
/// `denied` without `topics.create`; `invalid` for a name or a number that can't be; `limit` for more partitions or topics
/// than the matrix allows.
pub fn create(name: &str, partitions: u32) -> Result<bool, Error> {
    topics::create(name, partitions)
}

/// The same with all settings.
///
/// # Errors
/// As [`create`]; `limit` also for a longer time than the matrix allows.
pub fn create_with(name: &str, settings: Settings) -> Result<bool, Error> {
    topics::create_with(name, settings)
}
