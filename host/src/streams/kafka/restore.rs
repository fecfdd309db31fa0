//! Restores state from its compacted topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::clients::Clients;
use super::group::retire;
use super::link::LinkContext;
use super::queue::{Message, PartitionQueue};
use super::state::Store;
use crate::streams::StreamError;

/// How long one look at one partition waits.
const STEP: Duration = Duration::from_millis(20);

/// Restoring gives up when no record comes for so long. Longer than a dead predecessor's open transaction can last.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// Brings `stores` (partition and what is known of it) up to everything that was ever committed to `topic`.
///
/// The end is the high watermark, open transactions included, and not the last stable offset: the predecessor's last
/// commit is decided before its marker is written to this topic, so the stable end may still lie before records that
/// are already committed. Waiting for the high watermark waits for the marker, or for the end of a dead predecessor's
/// transaction.
///
/// # Errors
/// [`StreamError::Unavailable`] and others; then nothing of `stores` may be used.
pub(super) fn restore(
    clients: &Clients,
    topic: &str,
    stores: Vec<(u32, Store)>,
    is_wanted: &AtomicBool,
) -> Result<Vec<(u32, Store)>, StreamError> {
    let mut restoring = Vec::with_capacity(stores.len());
    let mut done = Vec::with_capacity(stores.len());
    for (partition, mut store) in stores {
        let (first, end) = clients.ends_of_everything(topic, partition)?;
        store.restored_to = store.restored_to.max(first);
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
        .reader_config()
        .create_with_context(LinkContext(clients.link.clone()))
        .map_err(|e| clients.translate(&e, topic))?;
    let outcome = read_to_ends(clients, &consumer, topic, restoring, is_wanted);
    retire(consumer);
    done.extend(outcome?);
    Ok(done)
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
