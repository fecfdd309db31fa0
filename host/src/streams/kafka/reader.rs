//! Reads one partition outside of any group, for people and for tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::clients::{ANSWER_MAX, Clients};
use super::group::retire;
use super::link::LinkContext;
use super::queue::PartitionQueue;
use crate::streams::{Batch, BatchBuilder, StreamError};

/// Readers that are kept for the next call.
const IDLE_MAX: usize = 8;

/// How long one look at the queue waits.
const STEP: Duration = Duration::from_millis(100);

/// Readers that wait where their last call ended: who follows a topic asks on from there.
#[derive(Default)]
pub(super) struct Readers {
    idle: Mutex<Vec<Reader>>,
}

struct Reader {
    topic: String,
    partition: u32,
    /// Offset behind the last record that was given.
    next: u64,
    /// Offset behind everything that was fetched.
    position: u64,
    source: Option<(PartitionQueue, BaseConsumer<LinkContext>)>,
}

impl Readers {
    /// Reads as [`crate::streams::Streams::read`] does. Blocks.
    pub(super) fn read(
        &self,
        clients: &Clients,
        topic: &str,
        partition: u32,
        offset: u64,
        max: usize,
        wait: Duration,
    ) -> Result<Batch, StreamError> {
        let deadline = Instant::now() + wait;
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |r: &Reader| r.topic == topic && r.partition == partition && r.next == offset;
            idle.iter().position(fits).map(|i| idle.remove(i))
        };
        let mut reader = match kept {
            Some(reader) => reader,
            None => Reader::new(clients, topic, partition, offset)?,
        };
        let batch = reader.read(clients, max, deadline)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() == IDLE_MAX {
            idle.remove(0);
        }
        idle.push(reader);
        Ok(batch)
    }
}

impl Reader {
    fn new(clients: &Clients, topic: &str, partition: u32, offset: u64) -> Result<Self, StreamError> {
        if partition >= clients.partitions(topic)? {
            return Err(StreamError::UnknownPartition { topic: topic.to_owned(), partition });
        }
        let made = |e: KafkaError| clients.translate(&e, topic);
        let context = LinkContext(clients.link.clone());
        let consumer: BaseConsumer<_> = clients.reader_config(1).create_with_context(context).map_err(made)?;
        let queue = PartitionQueue::split(consumer.client(), topic, partition, Arc::new(Notify::new()))
            .ok_or_else(|| StreamError::UnknownPartition { topic: topic.to_owned(), partition })?;
        let mut assignment = TopicPartitionList::new();
        let start = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
        assignment.add_partition_offset(topic, i32::try_from(partition).unwrap_or(i32::MAX), start).map_err(made)?;
        consumer.assign(&assignment).map_err(made)?;
        Ok(Self { topic: topic.to_owned(), partition, next: offset, position: offset, source: Some((queue, consumer)) })
    }

    fn read(&mut self, clients: &Clients, max: usize, deadline: Instant) -> Result<Batch, StreamError> {
        let mut batch = BatchBuilder::new(&self.topic, self.partition);
        let (_, end) = clients.stable_ends(&self.topic, self.partition)?;
        let Some((queue, consumer)) = &mut self.source else { return Ok(batch.finish()) };
        // What is there already is not waited for, only fetched, however short the caller's patience.
        let fetched = Instant::now() + ANSWER_MAX;
        while batch.len() < max {
            if let Some(Err(error)) = consumer.poll(Duration::ZERO) {
                refuse_lasting(clients, &self.topic, &error)?;
            }
            let left = match (self.position < end, batch.is_empty()) {
                (true, _) => fetched.max(deadline).saturating_duration_since(Instant::now()),
                (false, true) => deadline.saturating_duration_since(Instant::now()),
                // What came together with the first record is given together with it.
                (false, false) => Duration::ZERO,
            };
            match queue.next(left.min(STEP)) {
                None if left.is_zero() => break,
                None => {}
                Some(message) => match message.error() {
                    None if message.offset() < self.next => {} // Nothing was there yet, so it began at the first record.
                    None => {
                        self.next = message.offset() + 1;
                        self.position = self.position.max(self.next);
                        let (key, value, headers) = (message.key(), message.value(), message.headers());
                        batch.push(message.offset(), message.timestamp_ms(), key, value, headers);
                    }
                    // Tells how far it is, markers of transactions included.
                    Some(RDKafkaErrorCode::PartitionEOF) => self.position = self.position.max(message.offset()),
                    Some(code) => refuse_lasting(clients, &self.topic, &KafkaError::MessageConsumption(code))?,
                },
            }
        }
        Ok(batch.finish())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((queue, consumer)) = self.source.take() {
            // The queue must go before its consumer.
            drop(queue);
            retire(consumer);
        }
    }
}

/// Passes on what waiting doesn't repair.
fn refuse_lasting(clients: &Clients, topic: &str, error: &KafkaError) -> Result<(), StreamError> {
    match clients.translate(error, topic) {
        StreamError::Unavailable(reason) => {
            tracing::debug!(target: "wasmill::kafka", reason, "reading");
            Ok(())
        }
        error => Err(error),
    }
}
