//! How many builds a maker may ask for in an hour, on all hosts together.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::{ForgeError, Quantity};
use crate::permissions::{Grant, LimitName};
use crate::store::{Store, now_ms};

/// Length of the window, milliseconds.
const WINDOW_MS: i64 = 3_600_000;

/// Counts what was written down, and what is under way and will be.
#[derive(Debug)]
pub struct Quota {
    store: Store,
    under_way: Mutex<HashMap<String, u32>>,
}

/// One build that counts as long as it is under way.
pub struct UnderWay<'a> {
    quota: &'a Quota,
    maker: String,
}

impl Quota {
    /// A quota over what the store knows.
    pub fn new(store: Store) -> Self {
        Self { store, under_way: Mutex::default() }
    }

    /// Counts one build, where there is room for it.
    ///
    /// # Errors
    /// [`ForgeError::Quota`] where not; [`ForgeError::Store`].
    pub async fn take(&self, maker: &Grant) -> Result<UnderWay<'_>, ForgeError> {
        let (name, per_hour) = (maker.principal().as_str(), maker.limits().builds_per_hour());
        // Counted in before it is looked whether it fits: of two at once, both may be refused, but never both be let in.
        let counted = self.enter(name);
        let before = self.store.builds_since(name, now_ms().saturating_sub(WINDOW_MS)).await?;
        let under_way = *self.lock().get(name).unwrap_or(&0);
        if before.saturating_add(under_way.into()) > per_hour.into() {
            let limit = maker.limits().get(LimitName::BuildsPerHour).to_string();
            return Err(ForgeError::Quota { maker: name.to_owned(), quantity: Quantity::Builds, limit });
        }
        Ok(counted)
    }

    fn enter(&self, maker: &str) -> UnderWay<'_> {
        *self.lock().entry(maker.to_owned()).or_default() += 1;
        UnderWay { quota: self, maker: maker.to_owned() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        // A count can't be half-changed: a poisoned lock is as good as any.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut counts = self.quota.lock();
        if let Some(count) = counts.get_mut(&self.maker) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.maker);
            }
        }
    }
}
