//! One member of a group: a consumer, a transactional producer, and the state of the partitions it owns.

mod ahead;
mod assignment;
mod checkpoints;
mod commit;
mod preparation;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::preparation::Preparing;
use super::attendant::Attendant;
use super::blocking;
use super::clients::{ANSWER_MAX, Clients};
use super::group::{Change, Member, Place, Protocol, finish};
use super::names::TransactionalId;
use super::owned::Owned;
use super::state::{Store, Stores};
use super::topics::{StateTopic, Topics};
use super::transaction::Seat;
use crate::streams::{Membership, Poll, StateReader, StreamError, Work, Worker};

/// A worker on Kafka.
pub(super) struct KafkaWorker {
    clients: Arc<Clients>,
    topics: Arc<Topics>,
    membership: Membership,
    /// Partitions of its topics together.
    partitions: u32,
    /// Topic of the state.
    state_topic: Option<StateTopic>,
    /// Always there, except while it is replaced. Its queues in `owned` must go before it.
    member: Option<(Arc<Member>, Attendant)>,
    /// The name by which the group gave us what we have. Under another one nothing of it would be ours. Empty: none.
    identity: String,
    /// What the group has decided and we have not followed yet.
    changes: VecDeque<Change>,
    /// What is worked on.
    owned: Vec<Owned>,
    /// What is fetched and waits all the same: its offset and state must be asked for again.
    resting: Vec<Owned>,
    /// The partition that may fill the next batch first.
    turn: usize,
    /// Ours, but state and offsets are not known yet. Each with the number of its gain.
    waiting: BTreeMap<Place, u64>,
    /// Counts what was gained.
    gains: u64,
    /// What is being made known.
    preparing: Option<Preparing>,
    /// When to try again after that has failed.
    retry_at: Option<Instant>,
    /// Not ours any more, to be reported.
    lost: Vec<Place>,
    state: Arc<Stores>,
    /// State of partitions that were given up and may come back at once.
    shelf: HashMap<u32, Store>,
    /// Partitions whose state is to be written to disk with the next commit.
    due: BTreeSet<u32>,
    seat: Arc<Seat>,
    /// We don't know what was committed: give all up and begin from what the group says.
    is_unsure: bool,
    /// An error that waits until there is nothing else to return.
    failure: Option<StreamError>,
    wake: Arc<Notify>,
    /// Partitions that give nothing now.
    held: BTreeSet<(String, u32)>,
    _name: TransactionalId,
}

impl KafkaWorker {
    /// Joins the group; partitions come with a later poll.
    pub(super) fn join(
        clients: Arc<Clients>,
        topics: Arc<Topics>,
        membership: Membership,
        partitions: u32,
        state_topic: Option<StateTopic>,
        name: TransactionalId,
    ) -> Result<Self, StreamError> {
        let seat = Arc::new(Seat::new(clients.clone(), name.to_string()));
        let mut worker = Self {
            clients,
            topics,
            membership,
            partitions,
            state_topic,
            member: None,
            identity: String::new(),
            changes: VecDeque::new(),
            owned: Vec::new(),
            resting: Vec::new(),
            turn: 0,
            waiting: BTreeMap::new(),
            gains: 0,
            preparing: None,
            retry_at: None,
            lost: Vec::new(),
            state: Arc::default(),
            shelf: HashMap::new(),
            due: BTreeSet::new(),
            seat,
            is_unsure: false,
            failure: None,
            wake: Arc::default(),
            held: BTreeSet::new(),
            _name: name,
        };
        worker.member()?;
        Ok(worker)
    }

    /// The member, a new one where the old one died.
    fn member(&mut self) -> Result<Arc<Member>, StreamError> {
        if let Some((member, _)) = &self.member {
            return Ok(member.clone());
        }
        let Membership { group, topics, .. } = &self.membership;
        let config = self.clients.group_config(group, Protocol::of(topics.len()), self.partitions);
        let attention = Arc::<Notify>::default();
        let (link, wake) = (self.clients.link.clone(), self.wake.clone());
        let joined = Member::join(&config, topics, link, wake, attention.clone());
        let member = Arc::new(joined.map_err(|e| self.clients.translate(&e, ""))?);
        let attendant = Attendant::start(&member, attention, self.clients.attend_every());
        self.member = Some((member.clone(), attendant));
        Ok(member)
    }

    fn fetch(&mut self, poll: &mut Poll) {
        let (mut records, mut bytes) = (self.membership.batch_records_max, self.membership.batch_bytes_max);
        let count = self.owned.len();
        for i in 0..count {
            let owned = &mut self.owned[(self.turn + i) % count];
            if self.held.iter().any(|(topic, partition)| *topic == owned.topic && *partition == owned.partition) {
                continue;
            }
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
        let Some((member, _)) = self.member.as_ref().filter(|_| targets.count() > 0) else { return };
        let member = member.clone();
        let sought = blocking(move || member.consumer().seek_partitions(targets, ANSWER_MAX)).await;
        let is_done = matches!(sought, Ok(Ok(answers)) if answers.elements().iter().all(|e| e.error().is_ok()));
        self.is_unsure |= !is_done;
    }
}

#[async_trait]
impl Worker for KafkaWorker {
    async fn poll(&mut self, wait: Duration) -> Result<Poll, StreamError> {
        let deadline = Instant::now() + wait;
        self.seat.serve();
        loop {
            self.serve_group().await?;
            if self.is_unsure {
                self.start_over().await?;
            }
            self.prepare_waiting()?;
            let gained = self.take_prepared().await?;
            let mut poll = Poll { gained, lost: std::mem::take(&mut self.lost), batches: Vec::new() };
            self.fetch(&mut poll);
            if !(poll.gained.is_empty() && poll.lost.is_empty() && poll.batches.is_empty()) {
                return Ok(poll);
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            let next = self.retry_at.map_or(deadline, |at| at.min(deadline));
            if tokio::time::timeout_at(next, self.wake.notified()).await.is_err() && Instant::now() >= deadline {
                return Ok(poll);
            }
        }
    }

    fn state(&self) -> Arc<dyn StateReader> {
        self.state.clone()
    }

    async fn commit(&mut self, work: Work) -> Result<(), StreamError> {
        let is_empty = work.outputs.is_empty() && work.state.is_empty() && work.offsets.is_empty();
        self.commit_work(work).await?;
        if !is_empty {
            self.seek_back().await;
        }
        Ok(())
    }

    async fn commit_part(&mut self, work: Work) -> Result<(), StreamError> {
        self.commit_work(work).await
    }

    fn hold(&mut self, partitions: BTreeSet<(String, u32)>) {
        self.held = partitions;
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
        let last_checkpoint = self.last_checkpoint();
        self.owned.clear();
        self.resting.clear();
        let (member, seat) = (self.member.take(), self.seat.clone());
        finish(move || {
            if let Some(last_checkpoint) = last_checkpoint {
                last_checkpoint();
            }
            drop((member, seat));
        });
    }
}
