//! Durable key-value state of this agent for the partition that it works on. Needs `state = true`.
//!
//! Changes become durable together with the batch that makes them and are dropped with it. A key has 1 to 1,024 bytes,
//! a value at most 1 MiB.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::state;

pub use state::Entry;

/// Reads one value; none where the key has none. Sees the changes made earlier in the same batch.
///
/// # Errors
/// `denied` without `state`; `invalid` for a key over its limit.
pub fn get(key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
    state::get(key.as_ref())
}

/// Reads many values in one step: row `i` of the answer belongs to key `i`.
///
/// # Errors
/// As [`get`].
pub fn get_many(keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
    state::get_many(keys)
}

/// Sets one value.
///
/// # Errors
/// `denied` without `state`; `invalid` for a key or value over its limit; `limit` when the state's size limit is reached.
pub fn set(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Error> {
    state::set(key.as_ref(), value.as_ref())
}

/// Removes a key; does nothing where there is none.
///
/// # Errors
/// As [`get`].
pub fn delete(key: impl AsRef<[u8]>) -> Result<(), Error> {
    state::delete(key.as_ref())
}

/// Lists entries whose key begins with `prefix`, in byte order, after the key `after` where one is given: at most
/// `limit`, and never more than 1,000.
///
/// # Errors
/// As [`get`].
pub fn scan(prefix: impl AsRef<[u8]>, after: Option<&[u8]>, limit: u32) -> Result<Vec<Entry>, Error> {
    state::scan(prefix.as_ref(), after, limit)
}
