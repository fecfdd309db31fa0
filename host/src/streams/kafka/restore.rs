//! Restores state from its compacted topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::checkpoint::{Checkpoints, Log, WORTH_SIZE, now_ms};
use super::clients::Clients;
use super::group::retire;
use super::link::LinkContext;
use super::queue::{Message, PartitionQueue};
use super::state::Store;
use super::topics::StateTopic;
use crate::streams::StreamError;

/// How long one look at one partition waits.
const STEP: Duration = Duration::from_millis(20);

/// Restoring gives up when no record comes for so long. Longer than a dead predecessor's open transaction can last.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// What is to be restored.
pub(super) struct Wanted {
    /// Topic of the state, and how old a store may be that it is read on from.
    pub(super) topic: StateTopic,
    /// Partitions, each with the store that this worker still has of it.
    pub(super) stores: Vec<(u32, Option<Store>)>,
}

/// Brings partitions up to everything that was ever committed to the topic of their state: from the store that the
/// worker still has, or from the checkpoint on disk, or from the first record.
///
/// The end is the high watermark, open transactions included, and not the last stable offset: the predecessor's last
/// commit is decided before its marker is written to this topic, so the stable end may still lie before records that
/// are already committed. Waiting for the high watermark waits for the marker, or for the end of a dead predecessor's
/// transaction.
///
/// # Errors
/// [`StreamError::Unavailable`] and others; then nothing of it may be used.
pub(super) fn restore(
    clients: &Clients,
    wanted: Wanted,
    is_wanted: &AtomicBool,
) -> Result<Vec<(u32, Store)>, StreamError> {
    let Wanted { topic, stores } = wanted;
    let id = clients.topic_id(&topic.name)?;
    let mut restoring = Vec::with_capacity(stores.len());
    let mut done = Vec::with_capacity(stores.len());
    for (partition, kept) in stores {
        let asked_ms = now_ms();
        let (first, end) = clients.ends_of_everything(&topic.name, partition)?;
        let log = Log { id, first, end, asked_ms, age_max: topic.age_max };
        let mut store = begin(clients, &topic.name, partition, kept, &log);
        // When it has been read to the end, this is the moment that it is of.
        store.as_of_ms = asked_ms;
        if store.restored_to < end {
            restoring.push((partition, store, end));
        } else {
            done.push((partition, store));
        }
    }
    if restoring.is_empty() {
        return Ok(done);
    }
    let consumer: BaseConsumer<LinkContext> = clients
        .reader_config(restoring.len() as u32)
        .create_with_context(LinkContext(clients.link.clone()))
        .map_err(|e| clients.translate(&e, &topic.name))?;
    let outcome = read_to_ends(clients, &consumer, &topic.name, restoring, is_wanted);
    retire(consumer);
    for (partition, mut store) in outcome? {
        let is_worth_it = store.unsaved() >= WORTH_SIZE && !topic.age_max.is_zero();
        if let Some(checkpoints) = clients.checkpoints.as_ref().filter(|_| is_worth_it) {
            checkpoints.save(&topic.name, partition, &Checkpoints::encoded(partition, &store));
            store.set_saved();
        }
        done.push((partition, store));
    }
    Ok(done)
}

/// What is read on from.
fn begin(clients: &Clients, topic: &str, partition: u32, kept: Option<Store>, log: &Log) -> Store {
    if let Some(kept) = kept.filter(|kept| log.refuses(kept).is_none()) {
        return kept;
    }
    let Some(checkpoints) = &clients.checkpoints else { return Store::known_to(log.id, log.first, log.asked_ms) };
    match checkpoints.load(topic, partition) {
        None => {}
        Some(saved) => match log.refuses(&saved) {
            None => {
                let (from, end) = (saved.restored_to, log.end);
                tracing::debug!(target: "wasmill::kafka", topic, partition, from, end, "state from a checkpoint");
                return saved;
            }
            Some(reason) => checkpoints.remove(topic, partition, reason),
        },
    }
    Store::known_to(log.id, log.first, log.asked_ms)
}

struct Restoring {
    partition: u32,
    store: Store,
    end: u64,
    queue: PartitionQueue,
}

fn read_to_ends(
    clients: &Clients,
    consumer: &BaseConsumer<LinkContext>,
    topic: &str,
    partitions: Vec<(u32, Store, u64)>,
    is_wanted: &AtomicBool,
) -> Result<Vec<(u32, Store)>, StreamError> {
    let wake = Arc::new(Notify::new());
    let mut assignment = TopicPartitionList::with_capacity(partitions.len());
    let mut restoring = Vec::with_capacity(partitions.len());
    for (partition, store, end) in partitions {
        let offset = Offset::Offset(i64::try_from(store.restored_to).unwrap_or(i64::MAX));
        assignment
            .add_partition_offset(topic, i32::try_from(partition).unwrap_or(i32::MAX), offset)
            .map_err(|e| clients.translate(&e, topic))?;
        let queue = PartitionQueue::split(consumer.client(), topic, partition, wake.clone())
            .ok_or_else(|| StreamError::UnknownPartition { topic: topic.to_owned(), partition })?;
        restoring.push(Restoring { partition, store, end, queue });
    }
    consumer.assign(&assignment).map_err(|e| clients.translate(&e, topic))?;

    let mut done = Vec::with_capacity(restoring.len());
    let mut heard = Instant::now();
    while let Some(mut current) = restoring.pop() {
        while current.store.restored_to < current.end {
            if !is_wanted.load(Ordering::Relaxed) {
                return Err(StreamError::Fenced("the partitions are not wanted any more".to_owned()));
            }
            serve(clients, consumer, topic)?;
            match current.queue.next(STEP) {
                Some(message) => {
                    heard = Instant::now();
                    take(clients, topic, &mut current.store, message)?;
                }
                None if heard.elapsed() > SILENCE_MAX => return Err(clients.silence()),
                None => {}
            }
        }
        done.push((current.partition, current.store));
    }
    Ok(done)
}

/// Applies one message. At the end of what is committed, its offset says how far that is, markers included.
fn take(clients: &Clients, topic: &str, store: &mut Store, message: Message) -> Result<(), StreamError> {
    match message.error() {
        None => {
            if let Some(key) = message.key() {
                store.apply(key.to_vec(), message.value().map(<[u8]>::to_vec));
            }
            store.restored_to = message.offset() + 1;
        }
        Some(RDKafkaErrorCode::PartitionEOF) => store.restored_to = store.restored_to.max(message.offset()),
        Some(code) => {
            let error = clients.translate(&KafkaError::MessageConsumption(code), topic);
            if !error.is_transient() {
                return Err(error);
            }
        }
    }
    Ok(())
}

fn serve(clients: &Clients, consumer: &BaseConsumer<LinkContext>, topic: &str) -> Result<(), StreamError> {
    match consumer.poll(Duration::ZERO) {
        Some(Err(error)) => match clients.translate(&error, topic) {
            error if error.is_transient() => Ok(()),
            error => Err(error),
        },
        _ => Ok(()),
    }
}
