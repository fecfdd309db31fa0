//! One member of a group: a consumer, a transactional producer, and the state of the partitions it owns.

mod assignment;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::blocking;
use super::clients::{ANSWER_MAX, Clients};
use super::group::{GroupConsumer, join, retire};
use super::names::TransactionalId;
use super::native::GroupMetadata;
use super::outputs;
use super::owned::Owned;
use super::state::Stores;
use super::transaction::{Job, Outcome, Seat};
use crate::streams::{Membership, Poll, StateReader, StreamError, Work, Worker};

/// A worker on Kafka.
pub(super) struct KafkaWorker {
    clients: Arc<Clients>,
    membership: Membership,
    /// Topic of the state.
    state_topic: Option<String>,
    /// Always there, except while it is replaced. Its queues in `owned` must go before it.
    consumer: Option<Arc<GroupConsumer>>,
    owned: Vec<Owned>,
    /// The partition that may fill the next batch first.
    turn: usize,
    /// Ours, but state and offsets are not known yet.
    waiting: Option<Vec<(String, u32)>>,
    /// Not ours any more, to be reported.
    lost: Vec<(String, u32)>,
    /// Counts the group's decisions.
    decisions: u64,
    /// Who we are in the group's generation that gave us our partitions. Kept from that moment: asked for later, a
    /// consumer that was thrown out answers as a member of no group, and that would not be fenced.
    group: Option<Arc<GroupMetadata>>,
    state: Arc<Stores>,
    seat: Arc<Seat>,
    /// We don't know what was committed: give all up and begin from what the group says.
    is_unsure: bool,
    /// An error that waits until there is nothing else to return.
    failure: Option<StreamError>,
    wake: Arc<Notify>,
    _name: TransactionalId,
}

impl KafkaWorker {
    /// Joins the group; partitions come with a later poll.
    pub(super) fn join(
        clients: Arc<Clients>,
        membership: Membership,
        state_topic: Option<String>,
        name: TransactionalId,
    ) -> Result<Self, StreamError> {
        let wake = Arc::new(Notify::new());
        let seat = Arc::new(Seat::new(clients.clone(), name.to_string()));
        let mut worker = Self {
            clients,
            membership,
            state_topic,
            consumer: None,
            owned: Vec::new(),
            turn: 0,
            waiting: None,
            lost: Vec::new(),
            decisions: 0,
            group: None,
            state: Arc::default(),
            seat,
            is_unsure: false,
            failure: None,
            wake,
            _name: name,
        };
        worker.consumer()?;
        Ok(worker)
    }

    /// The consumer, a new one where the old one died.
    fn consumer(&mut self) -> Result<Arc<GroupConsumer>, StreamError> {
        if let Some(consumer) = &self.consumer {
            return Ok(consumer.clone());
        }
        let config = self.clients.group_config(&self.membership.group);
        let consumer = join(&config, &self.membership.topics, self.clients.link.clone(), self.wake.clone());
        let consumer = Arc::new(consumer.map_err(|e| self.clients.translate(&e, ""))?);
        self.consumer = Some(consumer.clone());
        Ok(consumer)
    }

    fn fetch(&mut self, poll: &mut Poll) {
        let (mut records, mut bytes) = (self.membership.batch_records_max, self.membership.batch_bytes_max);
        let count = self.owned.len();
        for i in 0..count {
            let owned = &mut self.owned[(self.turn + i) % count];
            let (batch, error) = owned.fetch(records, bytes, poll.batches.is_empty());
            if !batch.is_empty() {
                records -= batch.len();
                bytes = bytes.saturating_sub(batch.size());
                poll.batches.push(batch.finish());
            }
            if let Some(code) = error {
                self.note(KafkaError::MessageConsumption(code));
            }
            if records == 0 || bytes == 0 {
                break;
            }
        }
        self.turn = (self.turn + 1) % count.max(1);
    }

    /// Makes librdkafka give again what was given and not committed.
    async fn seek_back(&mut self) {
        let mut targets = TopicPartitionList::new();
        for owned in &mut self.owned {
            if let Some(offset) = owned.give_again() {
                let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
                self.is_unsure |= targets.add_partition_offset(&owned.topic, owned.native_partition(), offset).is_err();
            }
        }
        let Some(consumer) = self.consumer.clone().filter(|_| targets.count() > 0) else { return };
        let sought = blocking(move || consumer.seek_partitions(targets, ANSWER_MAX)).await;
        let is_done = matches!(sought, Ok(Ok(answers)) if answers.elements().iter().all(|e| e.error().is_ok()));
        self.is_unsure |= !is_done;
    }

    /// The transaction of some work.
    fn job(&self, work: Work, is_unsure: bool) -> Result<Job, StreamError> {
        let (Some(group), false, false) = (self.group.clone(), is_unsure, self.owned.is_empty()) else {
            return Err(StreamError::Fenced("this worker owns no partitions".to_owned()));
        };
        let offsets = self.offsets(&work)?;
        let state_topic = self.state_topic.clone();
        let Work { outputs, state: changes, offsets: done } = work;
        Ok(Job { outputs, changes, state_topic, offsets, done, group, turn: self.seat.turn() })
    }

    /// Offsets of a transaction. There is always one, since it is the offsets that let the group fence us.
    fn offsets(&self, work: &Work) -> Result<TopicPartitionList, StreamError> {
        let mut offsets = TopicPartitionList::new();
        let mut add = |owned: &Owned, offset: u64| {
            let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
            let added = offsets.add_partition_offset(&owned.topic, owned.native_partition(), offset);
            added.map_err(|e| self.clients.translate(&e, &owned.topic))
        };
        for (topic, partition, next) in &work.offsets {
            let owned = self.owned.iter().find(|o| o.topic == *topic && o.partition == *partition);
            add(owned.ok_or_else(|| not_owned(topic, *partition))?, *next)?;
        }
        for change in &work.state {
            if !self.owned.iter().any(|o| o.partition == change.partition) {
                return Err(not_owned("the state", change.partition));
            }
        }
        if work.offsets.is_empty() {
            for owned in &self.owned {
                add(owned, owned.committed())?;
            }
        }
        Ok(offsets)
    }
}

#[async_trait]
impl Worker for KafkaWorker {
    async fn poll(&mut self, wait: Duration) -> Result<Poll, StreamError> {
        let deadline = Instant::now() + wait;
        self.seat.serve();
        loop {
            self.serve_group()?;
            if self.is_unsure {
                self.start_over()?;
            }
            let gained = match self.take_waiting().await {
                Err(error) if error.is_transient() => {
                    let group = &self.membership.group;
                    tracing::warn!(target: "wasmill::kafka", group, %error, "partitions wait; trying again");
                    Vec::new()
                }
                gained => gained?,
            };
            let mut poll = Poll { gained, lost: std::mem::take(&mut self.lost), batches: Vec::new() };
            self.fetch(&mut poll);
            if !(poll.gained.is_empty() && poll.lost.is_empty() && poll.batches.is_empty()) {
                return Ok(poll);
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            if tokio::time::timeout_at(deadline, self.wake.notified()).await.is_err() {
                return Ok(poll);
            }
        }
    }

    fn state(&self) -> Arc<dyn StateReader> {
        self.state.clone()
    }

    async fn commit(&mut self, work: Work) -> Result<(), StreamError> {
        if work.outputs.is_empty() && work.state.is_empty() && work.offsets.is_empty() {
            return Ok(());
        }
        // Stays so where this call is given up halfway: nobody knows then what becomes of it.
        let is_unsure = std::mem::replace(&mut self.is_unsure, true);
        let job = match check(self.clients.clone(), work).await.and_then(|work| self.job(work, is_unsure)) {
            Ok(job) => job,
            Err(error) => {
                self.is_unsure = is_unsure;
                return Err(error);
            }
        };
        let (seat, done) = (self.seat.clone(), job.done.clone());
        match blocking(move || seat.run(job)).await? {
            Outcome::Committed(changes) => {
                self.is_unsure = false;
                self.state.apply(changes);
                for (topic, partition, next) in done {
                    let owned = self.owned.iter_mut().find(|o| o.topic == topic && o.partition == partition);
                    if let Some(owned) = owned {
                        owned.set_committed(next);
                    }
                }
                self.seek_back().await;
                Ok(())
            }
            Outcome::Dropped(error) => {
                self.is_unsure = matches!(error, StreamError::Fenced(_));
                Err(error)
            }
            Outcome::Unknown(error) => Err(StreamError::Fenced(error.to_string())),
        }
    }

    async fn rewind(&mut self) -> Result<(), StreamError> {
        if !self.is_unsure {
            self.seek_back().await;
        }
        Ok(())
    }
}

impl Drop for KafkaWorker {
    fn drop(&mut self) {
        self.seat.close();
        self.owned.clear();
        retire(self.consumer.take());
        retire(self.seat.clone());
    }
}

fn not_owned(what: &str, partition: u32) -> StreamError {
    StreamError::Fenced(format!("partition {partition} of {what}"))
}

/// Refuses work that no transaction could commit.
async fn check(clients: Arc<Clients>, work: Work) -> Result<Work, StreamError> {
    if work.outputs.iter().all(|output| clients.known_turns(&output.topic).is_some()) {
        outputs::check(&clients, &work.outputs)?;
        return Ok(work);
    }
    blocking(move || outputs::check(&clients, &work.outputs).map(|()| work)).await?
}
