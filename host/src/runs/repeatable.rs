//! What an instance needs so that it does the same again: its journal, its random numbers, its time.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};

use super::journal::Journal;
use crate::store::{Afresh, StoreError};

/// The source of everything that a repeatable instance doesn't work out itself.
#[derive(Debug, Clone)]
pub struct Repeatable {
    /// Its journal.
    pub journal: Arc<Journal>,
    seed: [u8; 32],
    /// The time that its standing clock shows, nanoseconds since 1970.
    pub wall_ns: u64,
}

impl Repeatable {
    /// Of a run with this seed (64 hexadecimal digits) and this time.
    ///
    /// # Errors
    /// [`StoreError::Row`] for a seed that is none.
    pub fn new(journal: Arc<Journal>, seed: &str, clock_ns: i64) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::Row { table: "runs", reason: format!("seed: {reason}") };
        let bytes = hex::decode(seed).map_err(|e| wrong(e.to_string()))?;
        let seed = bytes.try_into().map_err(|_| wrong("it has not 32 bytes".into()))?;
        Ok(Self { journal, seed, wall_ns: u64::try_from(clock_ns).unwrap_or(0) })
    }

    /// Random numbers: always the same ones, which nobody without the seed can foretell. Each `stream` has its own.
    pub fn random(&self, stream: u64) -> ChaCha20Rng {
        let mut random = ChaCha20Rng::from_seed(self.seed);
        random.set_stream(stream);
        random
    }
}

/// Where a run begins from: random numbers that nobody knows, and now.
pub fn afresh() -> Afresh {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Afresh { seed: hex::encode(seed), clock_ns: i64::try_from(now.as_nanos()).unwrap_or(i64::MAX) }
}
