//! Turns one field of JSON records into capitals: the benchmarks set it beside the same code run natively.

use wasmill_sdk::{Agent, Batch, Failure, Outbox, config};

/// Sends each record, its field `name` in capitals, to the topic of the setting `to`.
#[derive(Default)]
struct Upper {
    to: Option<String>,
}

impl Agent for Upper {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        let to = self.to.get_or_insert_with(|| config::get("to").unwrap_or_default());
        for record in batch {
            let value = record.value().unwrap_or_default();
            let mut done = Ok(());
            out.send_written(to, record.key(), |bytes| done = bench_kit::upper(value, bytes))?;
            done.map_err(|error| Failure::of(&record, error.to_string()))?;
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Upper);
