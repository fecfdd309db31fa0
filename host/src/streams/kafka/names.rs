//! Names of producers, and of the topics that hold state.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::clients::STATE_PREFIX;

/// The topic that holds the state `name`.
pub fn state_topic(name: &str) -> String {
    format!("{STATE_PREFIX}{name}")
}

/// What the `transactional.id` of every worker in a group begins with, on whatever host.
pub fn transactional_prefix(group: &str) -> String {
    format!("wasmill-{group}-")
}

type Taken = Arc<Mutex<HashMap<String, BTreeSet<u32>>>>;

/// Gives each worker of this host a `transactional.id` of its own.
pub(super) struct Names {
    instance: String,
    taken: Taken,
}

impl Names {
    /// Names for the host `instance`.
    pub(super) fn new(instance: String) -> Self {
        Self { instance, taken: Taken::default() }
    }

    /// The first free name in a group.
    ///
    /// It contains no partition, as it did before Kafka 2.5: a zombie is fenced by the group, not by its successor's
    /// name. Each transaction carries the generation and the member that its offsets were consumed as, and the
    /// coordinator refuses it once the group has moved on, whoever owns the partitions now. The name only has to be
    /// unique; that it is the same after a restart lets the successor end its predecessor's open transaction at once.
    pub(super) fn take(&self, group: &str) -> TransactionalId {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = taken.entry(group.to_owned()).or_default();
        let number = (0..).find(|n| !numbers.contains(n)).unwrap_or(u32::MAX);
        numbers.insert(number);
        TransactionalId { instance: self.instance.clone(), group: group.to_owned(), number, taken: self.taken.clone() }
    }
}

/// A name, taken until it is dropped.
pub(super) struct TransactionalId {
    instance: String,
    group: String,
    number: u32,
    taken: Taken,
}

impl fmt::Display for TransactionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-{}", transactional_prefix(&self.group), self.instance, self.number)
    }
}

impl Drop for TransactionalId {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(numbers) = taken.get_mut(&self.group) {
            numbers.remove(&self.number);
            if numbers.is_empty() {
                taken.remove(&self.group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_again_when_its_worker_is_gone() {
        let names = Names::new("h1".to_owned());
        let first = names.take("g");
        let second = names.take("g");
        assert_eq!([first.to_string(), second.to_string()], ["wasmill-g-h1-0", "wasmill-g-h1-1"]);
        assert_eq!(names.take("other").to_string(), "wasmill-other-h1-0");
        drop(first);
        assert_eq!(names.take("g").to_string(), "wasmill-g-h1-0");
    }
}
