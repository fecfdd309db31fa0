//! Topics in memory: their shape, the end of each partition, and who wants to know when it moves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};

use redb::ReadableTable;
use tokio::sync::Notify;

use super::retention::{Bounds, FOREVER};
use super::store::Store;
use super::{failure, tables};
use crate::streams::topic::names_collide;
use crate::streams::{StreamError, TopicSpec};

/// One topic.
pub struct Topic {
    /// Its number in the tables.
    pub id: u32,
    /// Its shape.
    pub spec: TopicSpec,
    /// What it keeps.
    pub bounds: Bounds,
    /// Offset that the next record of each partition gets.
    heads: Vec<AtomicU64>,
    /// Counts records without a key.
    turn: AtomicU32,
    waiting: Mutex<Vec<Weak<Notify>>>,
}

impl Topic {
    /// A topic whose partitions are empty, with its bounds as they are stored.
    pub fn new(id: u32, spec: TopicSpec, bounds: (u64, u64)) -> Self {
        let heads = (0..spec.partitions).map(|_| AtomicU64::new(0)).collect();
        Self { id, spec, bounds: Bounds::of(bounds), heads, turn: AtomicU32::new(0), waiting: Mutex::default() }
    }

    /// Refuses a partition that the topic doesn't have.
    pub fn check_partition(&self, partition: u32) -> Result<(), StreamError> {
        if partition < self.spec.partitions {
            return Ok(());
        }
        Err(StreamError::UnknownPartition { topic: self.spec.name.clone(), partition })
    }

    /// Offset that the next record of a partition gets; everything before it is committed.
    pub fn head(&self, partition: u32) -> u64 {
        // Acquire pairs with `advance`: who sees the offset sees the commit.
        self.heads.get(partition as usize).map_or(0, |head| head.load(Ordering::Acquire))
    }

    /// Notes a committed end of a partition.
    pub fn advance(&self, partition: u32, head: u64) {
        if let Some(known) = self.heads.get(partition as usize) {
            known.fetch_max(head, Ordering::AcqRel);
        }
    }

    /// Partition for a record without a key: each in turn.
    pub fn next_in_turn(&self) -> u32 {
        self.turn.fetch_add(1, Ordering::Relaxed) % self.spec.partitions.max(1)
    }

    /// Lets `wake` know whenever the topic grows, until the returned value goes.
    pub fn subscribe(self: &Arc<Self>, wake: &Arc<Notify>) -> Subscription {
        self.waiting().push(Arc::downgrade(wake));
        Subscription { topic: self.clone(), wake: wake.clone() }
    }

    /// Wakes everyone who subscribed.
    pub fn wake(&self) {
        for wake in self.waiting().iter().filter_map(Weak::upgrade) {
            wake.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Weak<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Interest in one topic's growth.
pub struct Subscription {
    topic: Arc<Topic>,
    wake: Arc<Notify>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiting = self.topic.waiting();
        if let Some(at) = waiting.iter().position(|w| std::ptr::eq(w.as_ptr(), Arc::as_ptr(&self.wake))) {
            waiting.swap_remove(at);
        }
    }
}

/// All topics by name.
#[derive(Default)]
pub struct Catalog {
    topics: RwLock<HashMap<String, Arc<Topic>>>,
}

impl Catalog {
    /// Takes over what the file says: topics that are not known yet, and the ends of all partitions.
    pub fn load(&self, store: &Store) -> Result<(), StreamError> {
        let found = store.read(|snapshot| {
            let topics = snapshot.open_table(tables::TOPICS).map_err(failure::in_use)?;
            let heads = snapshot.open_table(tables::HEADS).map_err(failure::in_use)?;
            let bounds = snapshot.open_table(tables::BOUNDS).map_err(failure::in_use)?;
            let mut found = Vec::new();
            for row in topics.iter().map_err(failure::in_use)? {
                let (name, shape) = row.map_err(failure::in_use)?;
                let (id, partitions, compacted) = shape.value();
                let spec = TopicSpec { name: name.value().to_owned(), partitions, compacted };
                let bounds = bounds.get(id).map_err(failure::in_use)?.map_or(FOREVER, |bounds| bounds.value());
                let topic = Topic::new(id, spec, bounds);
                for row in heads.range((id, 0)..=(id, u32::MAX)).map_err(failure::in_use)? {
                    let (key, head) = row.map_err(failure::in_use)?;
                    topic.advance(key.value().1, head.value());
                }
                found.push(topic);
            }
            Ok(found)
        })?;
        for topic in found {
            if let Some(known) = self.topics().get(&topic.spec.name) {
                (0..topic.spec.partitions).for_each(|p| known.advance(p, topic.head(p)));
                known.bounds.set(topic.bounds.stored());
            }
            self.insert_if_new(topic);
        }
        Ok(())
    }

    /// A topic by name.
    pub fn get(&self, name: &str) -> Result<Arc<Topic>, StreamError> {
        self.topics().get(name).cloned().ok_or_else(|| StreamError::UnknownTopic(name.to_owned()))
    }

    /// All topics, in no order.
    pub fn all(&self) -> Vec<Arc<Topic>> {
        self.topics().values().cloned().collect()
    }

    /// What `show` makes of each topic, sorted by name. Nobody holds one of them afterwards, so that each can grow.
    pub fn each<T>(&self, show: impl Fn(&Topic) -> T) -> Vec<T> {
        let topics = self.topics();
        let mut all: Vec<&Arc<Topic>> = topics.values().collect();
        all.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        all.into_iter().map(|topic| show(topic)).collect()
    }

    /// Refuses a name that is taken, or that Kafka would take for one that is.
    pub fn check_free(&self, name: &str) -> Result<(), StreamError> {
        let topics = self.topics();
        if topics.contains_key(name) {
            return Err(StreamError::TopicExists(name.to_owned()));
        }
        match topics.keys().find(|known| names_collide(known, name)) {
            Some(known) => Err(StreamError::InvalidTopic {
                name: name.to_owned(),
                reason: format!("it differs from `{known}` only in `.` and `_`"),
            }),
            None => Ok(()),
        }
    }

    /// Adds a topic.
    pub fn insert_if_new(&self, topic: Topic) {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.entry(topic.spec.name.clone()).or_insert_with(|| Arc::new(topic));
    }

    /// Replaces a topic by one with more partitions, after `write` has made that durable. Only while nobody uses the
    /// old one: its ends are counted in one place.
    pub fn grow(
        &self,
        name: &str,
        partitions: u32,
        write: impl FnOnce(u32, &TopicSpec) -> Result<(), StreamError>,
    ) -> Result<(), StreamError> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let known = topics.get_mut(name).ok_or_else(|| StreamError::UnknownTopic(name.to_owned()))?;
        let refuse = |reason: String| Err(StreamError::InvalidTopic { name: name.to_owned(), reason });
        if partitions < known.spec.partitions {
            return refuse(format!("it has {} partitions and none can be taken away", known.spec.partitions));
        }
        if Arc::strong_count(known) > 1 {
            return refuse("it can't grow while somebody reads or writes it; stop the host and try again".to_owned());
        }
        let grown = Topic::new(known.id, TopicSpec { partitions, ..known.spec.clone() }, known.bounds.stored());
        (0..known.spec.partitions).for_each(|partition| grown.advance(partition, known.head(partition)));
        write(grown.id, &grown.spec)?;
        *known = Arc::new(grown);
        Ok(())
    }

    /// Wakes everyone who waits for any topic.
    pub fn wake_all(&self) {
        self.topics().values().for_each(|topic| topic.wake());
    }

    fn topics(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Topic>>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }
}
