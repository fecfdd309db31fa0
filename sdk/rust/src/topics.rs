//! Creates topics. Needs `topics.create`.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::topics;

/// Creates a topic with 1 to 1,024 partitions; true where it was not there yet.
///
/// Not part of the batch's transaction: the topic stays when the batch fails.
///
/// # Errors
/// `denied` without `topics.create`; `invalid` for a name or a number that can't be.
pub fn create(name: &str, partitions: u32) -> Result<bool, Error> {
    topics::create(name, partitions)
}
