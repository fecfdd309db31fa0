//! State before anything was ever kept.

use super::{StateEntry, StateReader, StreamError};

/// Holds nothing.
pub struct NoState;

impl StateReader for NoState {
    fn get(&self, _: u32, _: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        Ok(None)
    }

    fn scan(&self, _: u32, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<StateEntry>, StreamError> {
        Ok(Vec::new())
    }
}
