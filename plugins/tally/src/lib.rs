//! Counts the records of each key, and sends each on with its count: what `cargo xtask chaos` watches under fire.

use std::collections::HashMap;

use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, state};

/// Most counts that an instance remembers; beyond that it asks the state again.
const KNOWN_MAX: usize = 10_000;

/// Sends `<value> <count>` for each record with a key to the topic `tally.out`.
///
/// It trusts its memory before the state: an instance that outlives what it counted would count on from there, and show.
#[derive(Default)]
struct Tally {
    known: HashMap<Vec<u8>, u64>,
}

impl Tally {
    fn next(&mut self, key: &[u8]) -> Result<u64, Error> {
        let before = match self.known.get(key) {
            Some(known) => *known,
            None => stored(key)?,
        };
        let count = before + 1;
        state::set(key, count.to_string())?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(key.to_vec(), count);
        Ok(count)
    }
}

fn stored(key: &[u8]) -> Result<u64, Error> {
    let Some(bytes) = state::get(key)? else { return Ok(0) };
    let count = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    count.ok_or_else(|| Error::failed("tally.state", "the stored count is no number"))
}

impl Agent for Tally {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let (Some(key), Some(value)) = (record.key(), record.value()) else { continue };
            let count = self.next(key)?;
            let counted = [value, b" ", count.to_string().as_bytes()].concat();
            out.send("tally.out", Some(key), Some(&counted))?;
        }
        Ok(())
    }
}

wasmill_sdk::agent!(Tally);
