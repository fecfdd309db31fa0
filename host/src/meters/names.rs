//! One meter a name, and never more names than what is shown can bear.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Most names; what comes after them is counted together under [`OTHERS`].
const NAMES_MAX: usize = 1_000;
/// Name of those that are too many. No component can have it.
const OTHERS: &str = "(others)";

/// Meters by name.
pub struct Names<T>(RwLock<HashMap<String, Arc<T>>>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Default> Names<T> {
    /// The meter of a name.
    pub fn get(&self, name: &str) -> Arc<T> {
        // Single inserts and removes: a poisoned lock is as good as any.
        if let Some(meter) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return meter.clone();
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = if all.len() < NAMES_MAX || all.contains_key(name) { name } else { OTHERS };
        all.entry(name.to_owned()).or_default().clone()
    }

    /// All meters, by name.
    pub fn all(&self) -> Vec<(String, Arc<T>)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = all.iter().map(|(name, meter)| (name.clone(), meter.clone())).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// Forgets names that are not installed any more.
    pub fn keep(&self, mut is_installed: impl FnMut(&str) -> bool) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, _| name == OTHERS || is_installed(name));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn names_beyond_the_most_are_counted_together() {
        let names: Names<AtomicU64> = Names::default();
        for number in 0..NAMES_MAX + 5 {
            names.get(&number.to_string()).fetch_add(1, Ordering::Relaxed);
        }
        assert_eq!(names.all().len(), NAMES_MAX + 1);
        assert_eq!(names.get(OTHERS).load(Ordering::Relaxed), 5);
        assert_eq!(names.get("0").load(Ordering::Relaxed), 1, "who was there before keeps its own");
        names.keep(|name| name == "7");
        assert_eq!(names.all().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [OTHERS, "7"]);
    }
}
