//! A member of a consumer group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::Log;
use super::assignment::{MemberId, Owned};
use super::catalog::{Subscription, Topic};
use super::committer::Command;
use super::groups::{Claim, Seat, fenced};
use super::pack;
use super::read::{self, Budget};
use super::state::EmbeddedState;
use super::write::{Bases, Job};
use crate::streams::{Batch, Membership, Poll, StateReader, StreamError, Work, Worker};

/// Index into a worker's topics, and a partition.
type Place = (usize, u32);

/// Where a worker is in one partition.
#[derive(Debug, Clone, Copy)]
struct Progress {
    committed: u64,
    next: u64,
}

/// A member of a consumer group; leaves it when dropped.
pub struct EmbeddedWorker {
    log: Arc<Log>,
    membership: Membership,
    member: MemberId,
    seat: Arc<Seat>,
    topics: Vec<Arc<Topic>>,
    _subscriptions: Vec<Subscription>,
    /// The assignment that `progress` belongs to.
    owned: Owned,
    progress: BTreeMap<Place, Progress>,
    /// Changes that no poll has reported yet.
    news: Poll,
    /// Moves on with every poll, so that no partition waits behind the others for ever.
    turn: usize,
    /// A commit whose answer was not taken, because the future that waited for it was dropped.
    unanswered: Option<Unanswered>,
    /// Partitions that give nothing now.
    held: BTreeSet<(String, u32)>,
}

/// A commit that is on its way.
struct Unanswered {
    answer: oneshot::Receiver<Result<Bases, StreamError>>,
    /// Where the group will be when it succeeds.
    moved: Vec<(Place, u64)>,
    /// The worker keeps what it has polled and not committed.
    is_part: bool,
}

impl EmbeddedWorker {
    /// A member that has joined already.
    pub(super) fn new(
        log: Arc<Log>,
        membership: Membership,
        member: MemberId,
        seat: Arc<Seat>,
        topics: Vec<Arc<Topic>>,
    ) -> Self {
        let subscriptions = topics.iter().map(|topic| topic.subscribe(&seat.wake)).collect();
        Self {
            log,
            membership,
            member,
            seat,
            topics,
            _subscriptions: subscriptions,
            owned: Owned::new(),
            progress: BTreeMap::new(),
            news: Poll::default(),
            turn: 0,
            unanswered: None,
            held: BTreeSet::new(),
        }
    }

    /// Takes over a new assignment: new partitions begin where the group committed.
    async fn adopt(&mut self, owned: Owned) -> Result<(), StreamError> {
        let known = &self.owned;
        let places = |of: &Owned, except: &Owned| -> Vec<Place> {
            let moved = of.iter().filter(|(p, epoch)| except.get(p) != Some(epoch)).map(|(p, _)| *p);
            let topics = self.topics.iter().enumerate();
            moved
                .flat_map(|p| topics.clone().filter(move |(_, t)| p < t.spec.partitions).map(move |(i, _)| (i, p)))
                .collect()
        };
        let (lost, gained) = (places(known, &owned), places(&owned, known));
        let (topics, group) = (self.topics.clone(), self.membership.group.clone());
        let starts = self.log.clone().read(move |snapshot| {
            let start = |(topic, partition): Place| {
                let Some(topic) = topics.get(topic) else { return Ok(0) };
                Ok(read::committed(snapshot, &group, topic, partition)?.unwrap_or(0))
            };
            gained.into_iter().map(|place| Ok((place, start(place)?))).collect::<Result<Vec<_>, StreamError>>()
        });
        let starts = starts.await?;
        for place in lost {
            self.progress.remove(&place);
            let name = self.name(place);
            // Who never heard of it needn't hear that it is gone.
            match self.news.gained.iter().position(|g| *g == name) {
                Some(unreported) => drop(self.news.gained.swap_remove(unreported)),
                None => self.news.lost.push(name),
            }
        }
        for (place, start) in starts {
            self.progress.insert(place, Progress { committed: start, next: start });
            self.news.gained.push(self.name(place));
        }
        self.owned = owned;
        Ok(())
    }

    /// Reads what is there, a little of each partition in turn.
    async fn fetch(&mut self) -> Result<Vec<Batch>, StreamError> {
        let head = |(topic, partition): Place| self.topics.get(topic).map_or(0, |topic| topic.head(partition));
        let mut ready: Vec<(Place, u64, u64)> =
            self.progress.iter().map(|(place, at)| (*place, at.next, head(*place))).collect();
        ready.retain(|(place, next, head)| next < head && !self.is_held(*place));
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let turn = self.turn % ready.len();
        ready.rotate_left(turn);
        let topics = self.topics.clone();
        let mut budget = Budget::new(self.membership.batch_records_max, self.membership.batch_bytes_max);
        let read = self.log.clone().read(move |snapshot| {
            let mut batches = Vec::with_capacity(ready.len());
            for (place, next, head) in ready {
                let Some(topic) = topics.get(place.0) else { continue };
                let (batch, next) = read::partition(snapshot, topic, place.1, next, head, &mut budget)?;
                batches.push((place, batch, next));
            }
            Ok(batches)
        });
        let mut batches = Vec::new();
        for (place, batch, next) in read.await? {
            if let Some(progress) = self.progress.get_mut(&place) {
                progress.next = next;
            }
            if !batch.is_empty() {
                batches.push(batch);
            }
        }
        self.turn = self.turn.wrapping_add(1);
        Ok(batches)
    }

    /// Waits for the answer to a commit and takes over what it says.
    async fn settle(&mut self) -> Result<(), StreamError> {
        // It stays in its place while this waits: the future that waits may be dropped.
        let Some(unanswered) = &mut self.unanswered else { return Ok(()) };
        let result = super::answered((&mut unanswered.answer).await);
        let Some(Unanswered { moved, is_part, .. }) = self.unanswered.take() else { return result.map(drop) };
        if result.is_ok() {
            for (place, next) in moved {
                if let Some(progress) = self.progress.get_mut(&place) {
                    progress.committed = next;
                }
            }
        }
        if !is_part || matches!(result, Err(StreamError::Fenced(_))) {
            self.go_back();
        }
        result.map(drop)
    }

    fn go_back(&mut self) {
        self.progress.values_mut().for_each(|progress| progress.next = progress.committed);
    }

    async fn write(&mut self, work: Work, is_part: bool) -> Result<(), StreamError> {
        if self.settle().await.is_err() {
            // Nobody waited for that answer, and its work would come again: this work may overlap with it.
            return Err(StreamError::Fenced("an earlier commit of this worker failed".to_owned()));
        }
        if work.outputs.is_empty() && work.state.is_empty() && work.offsets.is_empty() {
            if !is_part {
                self.go_back();
            }
            return Ok(());
        }
        let prepared = self.job(work);
        let (job, moved) = prepared.inspect_err(|error| {
            if matches!(error, StreamError::Fenced(_)) {
                self.go_back();
            }
        })?;
        let (reply, answer) = oneshot::channel();
        self.log.send(Command::Write(job, reply))?;
        self.unanswered = Some(Unanswered { answer, moved, is_part });
        self.settle().await
    }

    /// The job that commits this work, with the places whose offsets it moves.
    fn job(&self, work: Work) -> Result<(Job, Vec<(Place, u64)>), StreamError> {
        let mut job = Job::default();
        let mut claimed = Owned::new();
        let mut moved = Vec::with_capacity(work.offsets.len());
        let group = &self.membership.group;
        let mut claim = |partition: u32| match self.owned.get(&partition) {
            Some(epoch) => Ok(claimed.insert(partition, *epoch)),
            None => Err(fenced(group, partition)),
        };
        for (name, partition, next) in work.offsets {
            let found = self.topics.iter().enumerate().find(|(_, topic)| topic.spec.name == name);
            let (index, topic) = found.ok_or_else(|| StreamError::UnknownTopic(name.clone()))?;
            topic.check_partition(partition)?;
            claim(partition)?;
            job.offsets.push((topic.id, partition, next));
            moved.push(((index, partition), next));
        }
        if !work.state.is_empty() {
            let no_state = || StreamError::Config(format!("group `{group}` joined without a state"));
            let name = self.membership.state.clone().ok_or_else(no_state)?;
            for change in &work.state {
                claim(change.partition)?;
            }
            job.state = Some((name, work.state));
        }
        job.segments = pack::outputs(&self.log.shared.catalog, &work.outputs, self.log.record_bytes_max)?;
        job.claim = Some(Claim { group: group.clone(), member: self.member, owned: claimed });
        Ok((job, moved))
    }

    fn is_held(&self, place: Place) -> bool {
        !self.held.is_empty() && self.held.contains(&self.name(place))
    }

    fn name(&self, (topic, partition): Place) -> (String, u32) {
        (self.topics.get(topic).map(|topic| topic.spec.name.clone()).unwrap_or_default(), partition)
    }
}

#[async_trait]
impl Worker for EmbeddedWorker {
    async fn poll(&mut self, wait: Duration) -> Result<Poll, StreamError> {
        let deadline = Instant::now() + wait;
        // An answer that nobody waited for: what a failed commit left undone is given again below.
        let _ = self.settle().await;
        self.log.ensure_open().await?;
        loop {
            if let Some(owned) = self.seat.news(&self.owned) {
                self.adopt(owned).await?;
            }
            let batches = self.fetch().await?;
            let is_news = !self.news.gained.is_empty() || !self.news.lost.is_empty();
            if is_news || !batches.is_empty() {
                let news = std::mem::take(&mut self.news);
                return Ok(Poll { batches, ..news });
            }
            if timeout_at(deadline, self.seat.wake.notified()).await.is_err() {
                return Ok(Poll::default());
            }
        }
    }

    fn state(&self) -> Arc<dyn StateReader> {
        Arc::new(EmbeddedState { store: self.log.shared.store.clone(), name: self.membership.state.clone() })
    }

    async fn commit(&mut self, work: Work) -> Result<(), StreamError> {
        self.write(work, false).await
    }

    async fn commit_part(&mut self, work: Work) -> Result<(), StreamError> {
        self.write(work, true).await
    }

    fn hold(&mut self, partitions: BTreeSet<(String, u32)>) {
        self.held = partitions;
    }

    async fn rewind(&mut self) -> Result<(), StreamError> {
        // An answer that nobody waited for still says where the group is.
        let _ = self.settle().await;
        self.go_back();
        Ok(())
    }
}

impl Drop for EmbeddedWorker {
    fn drop(&mut self) {
        // Without the writing thread there is no group to leave.
        let _ = self.log.send(Command::Leave(self.membership.group.clone(), self.member));
    }
}
