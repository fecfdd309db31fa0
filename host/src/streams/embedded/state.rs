//! Committed state, read in place.

use std::sync::Arc;

use super::store::Store;
use super::{failure, tables};
use crate::streams::{StateReader, StreamError};

/// Reader of one named state.
pub struct EmbeddedState {
    /// The file.
    pub store: Arc<Store>,
    /// Name of the state; none reads as empty.
    pub name: Option<String>,
}

impl StateReader for EmbeddedState {
    fn get(&self, partition: u32, key: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        let Some(name) = &self.name else { return Ok(None) };
        self.store.read(|snapshot| {
            let state = snapshot.open_table(tables::STATE).map_err(failure::in_use)?;
            let found = state.get((name.as_str(), partition, key)).map_err(failure::in_use)?;
            Ok(found.map(|value| value.value().to_vec()))
        })
    }

    fn scan(
        &self,
        partition: u32,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StreamError> {
        let Some(name) = &self.name else { return Ok(Vec::new()) };
        self.store.read(|snapshot| {
            let state = snapshot.open_table(tables::STATE).map_err(failure::in_use)?;
            let after = after.filter(|after| *after >= prefix);
            let mut found = Vec::new();
            let from = (name.as_str(), partition, after.unwrap_or(prefix));
            for row in state.range(from..).map_err(failure::in_use)? {
                let (key, value) = row.map_err(failure::in_use)?;
                let (row_name, row_partition, row_key) = key.value();
                let is_ours = row_name == name && row_partition == partition && row_key.starts_with(prefix);
                if !is_ours || found.len() == limit {
                    break;
                }
                if after != Some(row_key) {
                    found.push((row_key.to_vec(), value.value().to_vec()));
                }
            }
            Ok(found)
        })
    }
}
