//! One partition that a worker owns: its queue, and how far it was given and committed.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::Notify;

use super::queue::PartitionQueue;
use crate::streams::{BatchBuilder, StreamError};

/// A partition that a worker owns.
pub(super) struct Owned {
    pub(super) topic: String,
    pub(super) partition: u32,
    queue: PartitionQueue,
    /// Next offset as it is committed; none where nothing was given or committed ever.
    committed: Option<u64>,
    /// Next offset to be given, where something was given since the start or the last seek.
    next: Option<u64>,
}

impl Owned {
    /// Separates the partition's messages; must happen before it is assigned.
    ///
    /// # Errors
    /// [`StreamError::UnknownPartition`].
    pub(super) fn new<C: ClientContext>(
        client: &Client<C>,
        topic: String,
        partition: u32,
        committed: Option<u64>,
        wake: &Arc<Notify>,
    ) -> Result<Self, StreamError> {
        match PartitionQueue::split(client, &topic, partition, wake.clone()) {
            Some(queue) => Ok(Self { topic, partition, queue, committed, next: None }),
            None => Err(StreamError::UnknownPartition { topic, partition }),
        }
    }

    /// The partition after its offset was asked for anew. The caller seeks to its start.
    pub(super) fn restarted(mut self, committed: Option<u64>) -> Self {
        self.queue.clear();
        Self { committed, next: None, ..self }
    }

    /// The partition as librdkafka counts it.
    pub(super) fn native_partition(&self) -> i32 {
        i32::try_from(self.partition).unwrap_or(i32::MAX)
    }

    /// Where fetching begins.
    pub(super) fn start(&self) -> Offset {
        self.committed.map_or(Offset::Beginning, |o| Offset::Offset(i64::try_from(o).unwrap_or(i64::MAX)))
    }

    /// Offset that a transaction without progress here commits again. A group that has committed nothing begins at
    /// the first record, and 0 means the same.
    pub(super) fn committed(&self) -> u64 {
        self.committed.unwrap_or(0)
    }

    /// Takes note of a committed offset.
    pub(super) fn set_committed(&mut self, next: u64) {
        self.committed = Some(next);
    }

    /// The offset to seek to where something was given and not committed; forgets what was given.
    pub(super) fn give_again(&mut self) -> Option<u64> {
        if self.next.is_none() || self.next == self.committed {
            return None;
        }
        self.queue.clear();
        self.next = None;
        self.committed
    }

    /// Prepares what the next fetch will give, about so many records or bytes; a seek drops it. Returns how many records
    /// and bytes are ready.
    pub(super) fn read_ahead(&mut self, records_max: usize, bytes_max: usize) -> (usize, usize) {
        self.queue.take_ahead(records_max, bytes_max)
    }

    /// Records that have arrived, within limits; one record alone may exceed `bytes_max` where `may_exceed`. And the
    /// error that stood behind them.
    pub(super) fn fetch(
        &mut self,
        records_max: usize,
        bytes_max: usize,
        may_exceed: bool,
    ) -> (BatchBuilder, Option<RDKafkaErrorCode>) {
        let mut batch = BatchBuilder::new(&self.topic, self.partition);
        while batch.len() < records_max {
            let Some(message) = self.queue.peek() else { break };
            let is_alone = may_exceed && batch.is_empty();
            if message.error().is_none() && !is_alone && batch.size() + message.size() > bytes_max {
                break;
            }
            let Some(message) = self.queue.next(Duration::ZERO) else { break };
            if let Some(code) = message.error() {
                return (batch, Some(code));
            }
            self.committed.get_or_insert(message.offset());
            self.next = Some(message.offset() + 1);
            let (key, value, headers) = (message.key(), message.value(), message.headers());
            batch.push(message.offset(), message.timestamp_ms(), key, value, headers);
        }
        (batch, None)
    }
}
