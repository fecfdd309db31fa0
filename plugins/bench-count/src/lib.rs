//! Counts the records of each key: the benchmarks' reading, changing and writing of state for each record.

use wasmill_sdk::{Agent, Batch, Failure, Outbox, config, state};

/// Keeps a count for each key, and sends it to the topic of the setting `to` after each record, as a little-endian u64.
#[derive(Default)]
struct Count {
    to: Option<String>,
}

impl Agent for Count {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        let to = self.to.get_or_insert_with(|| config::get("to").unwrap_or_default());
        for record in batch {
            let key = record.key().unwrap_or_default();
            let before = state::get(key)?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
            let count = (before + 1).to_le_bytes();
            state::set(key, count)?;
            out.send(to, Some(key), Some(&count))?;
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Count);
