//! How a worker commits.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::KafkaWorker;
use crate::streams::kafka::blocking;
use crate::streams::kafka::native::GroupMetadata;
use crate::streams::kafka::outputs;
use crate::streams::kafka::owned::Owned;
use crate::streams::kafka::transaction::{Job, Outcome};
use crate::streams::{StreamError, Work};

/// How long the group may take to tell its members of a new generation. They hear of it at the same time.
const GENERATION_MAX: Duration = Duration::from_secs(10);

/// Pause between two looks at the generation.
const LOOK: Duration = Duration::from_millis(10);

impl KafkaWorker {
    /// Commits some work, and leaves it to the caller whether what is not done is given again.
    pub(super) async fn commit_work(&mut self, work: Work) -> Result<(), StreamError> {
        if work.outputs.is_empty() && work.state.is_empty() && work.offsets.is_empty() {
            return Ok(());
        }
        let drafts = self.draft_checkpoints().await;
        // Stays so where this call is given up halfway: nobody knows then what becomes of it.
        let is_unsure = std::mem::replace(&mut self.is_unsure, true);
        let checked = outputs::check(&self.topics, &work.outputs).await;
        let mut job = match checked.and_then(|()| self.job(work, is_unsure)) {
            Ok(job) => job,
            Err(error) => {
                self.is_unsure = is_unsure;
                return Err(error);
            }
        };
        let begin = Instant::now();
        loop {
            let seat = self.seat.clone();
            let (outcome, ()) = tokio::join!(biased; blocking(move || seat.run(job)), async { self.read_ahead() });
            match outcome? {
                Outcome::Committed(job) => {
                    self.is_unsure = false;
                    let changed = self.take_over(*job);
                    self.keep_checkpoints(drafts, changed);
                    return Ok(());
                }
                Outcome::Outdated(outdated) => match self.renew(*outdated, begin).await {
                    Ok(renewed) => job = renewed,
                    Err(error) => {
                        self.is_unsure = false;
                        return Err(error);
                    }
                },
                Outcome::Dropped(error) => {
                    self.is_unsure = matches!(error, StreamError::Fenced(_));
                    return Err(error);
                }
                Outcome::Unknown(error) => return Err(StreamError::Fenced(error.to_string())),
            }
        }
    }

    /// The same work for the group's new generation. It keeps the partitions of a member that it knows, until that
    /// member has given them up.
    async fn renew(&mut self, mut job: Job, begin: Instant) -> Result<Job, StreamError> {
        while begin.elapsed() < GENERATION_MAX {
            let now = self.group_now()?;
            if now.generation() != job.group.generation() {
                job.group = now;
                return Ok(job);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StreamError::Fenced("the group has gone on without this worker".to_owned()))
    }

    /// Who we are in the group at this moment, while it is who the group gave our partitions to.
    ///
    /// A consumer that was thrown out answers as a member of no group, and a transaction without one is not fenced.
    fn group_now(&mut self) -> Result<GroupMetadata, StreamError> {
        let now = GroupMetadata::of(self.member()?.client()).filter(|now| now.member() == self.identity);
        now.ok_or_else(|| StreamError::Fenced("the group has given this worker up".to_owned()))
    }

    /// Takes note of what is committed. Returns the partitions whose state has changed.
    fn take_over(&mut self, job: Job) -> BTreeSet<u32> {
        let changed = job.changes.iter().map(|change| change.partition).collect();
        self.state.apply(job.changes);
        for (topic, partition, next) in job.done {
            let owned = self.owned.iter_mut().find(|o| o.topic == topic && o.partition == partition);
            if let Some(owned) = owned {
                owned.set_committed(next);
            }
        }
        changed
    }

    /// The transaction of some work.
    pub(super) fn job(&mut self, work: Work, is_unsure: bool) -> Result<Job, StreamError> {
        if is_unsure || self.owned.is_empty() {
            return Err(StreamError::Fenced("this worker owns no partitions".to_owned()));
        }
        let group = self.group_now()?;
        let offsets = self.offsets(&work)?;
        let state_topic = self.state_topic.as_ref().map(|topic| topic.name.clone());
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

fn not_owned(what: &str, partition: u32) -> StreamError {
    StreamError::Fenced(format!("partition {partition} of {what}"))
}
