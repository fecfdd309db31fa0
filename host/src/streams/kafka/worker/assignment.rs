//! How a worker follows its group: what it gains and loses, and how it begins again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::KafkaWorker;
use crate::streams::StreamError;
use crate::streams::kafka::blocking;
use crate::streams::kafka::gain::{Gained, prepare};
use crate::streams::kafka::group::{Change, retire};
use crate::streams::kafka::native::GroupMetadata;
use crate::streams::kafka::owned::Owned;
use crate::streams::kafka::queue::waiting_events;

impl KafkaWorker {
    /// Lets the group tell what it has decided.
    pub(super) fn serve_group(&mut self) -> Result<(), StreamError> {
        let consumer = self.consumer()?;
        loop {
            match consumer.poll(Duration::ZERO) {
                Some(Ok(_)) => self.is_unsure = true, // It belongs into a partition's own queue.
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    tracing::warn!(target: "wasmill::kafka", ?code, "the consumer died; joining the group again");
                    self.lose_all();
                    retire(self.consumer.take());
                    retire(consumer);
                    return self.consumer().map(drop);
                }
                Some(Err(error)) => self.note(error),
                None => {}
            }
            for change in consumer.context().take_changes() {
                self.decisions += 1;
                self.lose_all();
                if let Change::Gained(partitions) = change {
                    self.group = GroupMetadata::of(consumer.client()).map(Arc::new);
                    self.waiting = Some(partitions);
                }
            }
            if waiting_events(consumer.client()) == 0 {
                return Ok(());
            }
        }
    }

    /// Takes note of an error that the caller must know; what librdkafka repairs itself is only logged.
    pub(super) fn note(&mut self, error: KafkaError) {
        tracing::debug!(target: "wasmill::kafka", %error, group = self.membership.group, "consumer");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PollExceeded) {
            return; // The group has given our partitions away, and says so itself.
        }
        match self.clients.translate(&error, &self.membership.topics.join("`, `")) {
            error if error.is_transient() => {}
            error => self.failure = Some(error),
        }
    }

    fn lose_all(&mut self) {
        self.waiting = None;
        self.group = None;
        self.lost.extend(self.owned.drain(..).map(|o| (o.topic, o.partition)));
    }

    /// Begins again from what the group has as committed.
    pub(super) fn start_over(&mut self) -> Result<(), StreamError> {
        let partitions: Vec<_> = self.owned.drain(..).map(|o| (o.topic, o.partition)).collect();
        self.is_unsure = false;
        if partitions.is_empty() {
            return Ok(());
        }
        self.lost.extend(partitions.iter().cloned());
        self.waiting = Some(partitions);
        self.consumer()?.unassign().map_err(|e| self.clients.translate(&e, ""))
    }

    /// Restores what waits, and begins to fetch it. Returns what was gained.
    pub(super) async fn take_waiting(&mut self) -> Result<Vec<(String, u32)>, StreamError> {
        let Some(partitions) = self.waiting.clone() else { return Ok(Vec::new()) };
        let decisions = self.decisions;
        let (clients, seat, consumer) = (self.clients.clone(), self.seat.clone(), self.consumer()?);
        let state = self.state_topic.clone().map(|topic| {
            let ids: BTreeSet<u32> = partitions.iter().map(|(_, p)| *p).collect();
            (topic, ids.into_iter().map(|p| (p, self.state.take(p).unwrap_or_default())).collect())
        });
        let gained = blocking(move || prepare(&clients, &seat, &consumer, partitions, state)).await??;
        self.serve_group()?;
        if self.decisions != decisions {
            return Ok(Vec::new());
        }
        self.waiting = None;
        self.assign(gained)
    }

    fn assign(&mut self, gained: Gained) -> Result<Vec<(String, u32)>, StreamError> {
        self.state.replace(gained.stores);
        let consumer = self.consumer()?;
        let mut assignment = TopicPartitionList::with_capacity(gained.positions.len());
        for (topic, partition, committed) in gained.positions {
            let owned = Owned::new(consumer.client(), topic, partition, committed, &self.wake)?;
            assignment
                .add_partition_offset(&owned.topic, owned.native_partition(), owned.start())
                .map_err(|e| self.clients.translate(&e, &owned.topic))?;
            self.owned.push(owned);
        }
        consumer.assign(&assignment).map_err(|e| self.clients.translate(&e, ""))?;
        Ok(self.owned.iter().map(|o| (o.topic.clone(), o.partition)).collect())
    }
}
