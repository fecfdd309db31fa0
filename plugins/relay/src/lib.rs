//! Sends records on to another topic, as they are: between two clusters' namespaces, to a topic with other partitions,
//! or to measure what the way through an agent costs.

use wasmill_sdk::{Agent, Batch, Failure, Outbox, config};

/// Sends each record to the topic of the setting `to`; without the setting, records are only read.
#[derive(Default)]
struct Relay {
    to: Option<Option<String>>,
}

impl Agent for Relay {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        let to = self.to.get_or_insert_with(|| config::get("to"));
        for record in batch {
            if let Some(topic) = to {
                out.send_with_headers(topic, record.key(), record.value(), record.own_headers())?;
            }
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Relay);
