//! Turns record values into capitals: the least code an agent can have.

use wasmill_sdk::{Agent, Batch, Failure, Outbox};

/// Sends every record to the topic `upper`, with its key, its own headers, and its ASCII letters as capitals.
#[derive(Default)]
struct Upper;

impl Agent for Upper {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let capitals = record.value().map(<[u8]>::to_ascii_uppercase);
            out.send_with_headers("upper", record.key(), capitals.as_deref(), record.own_headers())?;
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Upper);
