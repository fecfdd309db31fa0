//! The one thread that writes: it takes whatever waits and commits it with one flush to the disk.
//!
//! Everything that decides who may commit happens here too, in the same order, so a partition never changes hands while
//! a commit for it is on its way.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Shared;
use super::assignment::MemberId;
use super::catalog::Topic;
use super::failure;
use super::groups::{Groups, Newcomer};
use super::pack::now_ms;
use super::write::{self, Bases, Job};
use super::{retention, shape};
use crate::streams::{Keeps, StreamError, TopicSpec};

/// Blobs of one transaction, in bytes; more wait for the next one.
const TRANSACTION_SIZE_MAX: usize = 32 * 1024 * 1024;

/// When the rest of it goes, where one transaction could not take it all.
const SWEEP_AGAIN: Duration = Duration::from_millis(50);

/// Where an answer goes. The asker may be gone.
pub type Reply<T> = oneshot::Sender<Result<T, StreamError>>;

/// What the thread can be asked to do.
pub enum Command {
    /// Commits a job.
    Write(Job, Reply<Bases>),
    /// Creates a topic, with its bounds as they are stored.
    CreateTopic(TopicSpec, (u64, u64), Reply<()>),
    /// Gives a topic more partitions: name, and how many it has afterwards.
    GrowTopic(String, u32, Reply<()>),
    /// Gives a topic other bounds, and removes what is over them.
    KeepTopic(String, Keeps, Reply<()>),
    /// Adds a member to a group.
    Join(Newcomer, Reply<()>),
    /// Removes a member from a group.
    Leave(String, MemberId),
    /// Opens the file again where an error closed it.
    Reopen(Reply<()>),
}

/// Works until every asker is gone, and looks so often for what is over its topic's bounds.
pub fn run(shared: &Shared, commands: &Receiver<Command>, sweep_every: Duration) {
    let mut committer = Committer { shared, groups: Groups::default(), waiting: Vec::new(), waiting_size: 0 };
    let mut sweep_at = Instant::now() + sweep_every;
    loop {
        match commands.recv_timeout(sweep_at.saturating_duration_since(Instant::now())) {
            Ok(command) => committer.take(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while committer.waiting_size < TRANSACTION_SIZE_MAX
            && let Ok(command) = commands.try_recv()
        {
            committer.take(command);
        }
        committer.flush();
        if sweep_at <= Instant::now() {
            let is_done = committer.sweep_all();
            sweep_at = Instant::now() + if is_done { sweep_every } else { SWEEP_AGAIN };
        }
    }
}

struct Committer<'a> {
    shared: &'a Shared,
    groups: Groups,
    waiting: Vec<(Job, Reply<Bases>)>,
    waiting_size: usize,
}

impl Committer<'_> {
    fn take(&mut self, command: Command) {
        if let Command::Write(job, reply) = command {
            match job.claim.as_ref().map_or(Ok(()), |claim| self.groups.check(claim)) {
                Ok(()) => {
                    self.waiting_size += job.size();
                    self.waiting.push((job, reply));
                }
                Err(error) => answer(reply, Err(error)),
            }
            return;
        }
        // What was asked for earlier comes first: a new owner must find the old one's offsets.
        self.flush();
        match command {
            Command::Write(..) => {}
            Command::CreateTopic(topic, bounds, reply) => answer(reply, self.create_topic(&topic, bounds)),
            Command::KeepTopic(name, keeps, reply) => answer(reply, self.keep_topic(&name, &keeps)),
            Command::GrowTopic(name, partitions, reply) => answer(reply, self.grow_topic(&name, partitions)),
            Command::Join(newcomer, reply) => answer(reply, self.groups.join(newcomer)),
            Command::Leave(group, member) => self.groups.leave(&group, member),
            Command::Reopen(reply) => answer(reply, self.ensure_open()),
        }
    }

    /// Commits what waits, in one transaction, and answers everyone.
    fn flush(&mut self) {
        let jobs = std::mem::take(&mut self.waiting);
        self.waiting_size = 0;
        if jobs.is_empty() {
            return;
        }
        let written = self.ensure_open().and_then(|()| {
            self.shared.store.write(|transaction| write::jobs(transaction, jobs.iter().map(|(job, _)| job)))
        });
        match written {
            Ok((bases, heads)) => {
                let touched = jobs.iter().flat_map(|(job, _)| &job.segments).map(|segment| &segment.topic);
                let mut touched: Vec<Arc<Topic>> = touched.cloned().collect();
                touched.sort_by_key(|topic| topic.id);
                touched.dedup_by_key(|topic| topic.id);
                for topic in touched {
                    let ends = heads.range((topic.id, 0)..=(topic.id, u32::MAX));
                    ends.for_each(|((_, partition), head)| topic.advance(*partition, *head));
                    topic.wake();
                }
                jobs.into_iter().zip(bases).for_each(|((_, reply), bases)| answer(reply, Ok(bases)));
            }
            Err(error) => {
                self.recover(&error);
                jobs.into_iter().for_each(|(_, reply)| answer(reply, Err(error.clone())));
            }
        }
    }

    fn create_topic(&mut self, topic: &TopicSpec, bounds: (u64, u64)) -> Result<(), StreamError> {
        self.ensure_open()?;
        self.shared.catalog.check_free(&topic.name)?;
        let written = self.shared.store.write(|transaction| write::topic(transaction, topic, bounds));
        match written {
            Ok(id) => self.shared.catalog.insert_if_new(Topic::new(id, topic.clone(), bounds)),
            Err(error) => {
                self.recover(&error);
                return Err(error);
            }
        }
        Ok(())
    }

    fn grow_topic(&mut self, name: &str, partitions: u32) -> Result<(), StreamError> {
        self.ensure_open()?;
        let store = &self.shared.store;
        let grown = self
            .shared
            .catalog
            .grow(name, partitions, |id, spec| store.write(|transaction| write::grow(transaction, id, spec)));
        if let Err(error) = &grown {
            self.recover(error);
        }
        grown
    }

    fn keep_topic(&mut self, name: &str, keeps: &Keeps) -> Result<(), StreamError> {
        self.ensure_open()?;
        let topic = self.shared.catalog.get(name)?;
        shape::check_kind(&topic.spec, keeps.cleanup)?;
        let bounds = retention::changed(topic.bounds.stored(), keeps);
        let written = self.shared.store.write(|transaction| write::bounds(transaction, topic.id, bounds));
        if let Err(error) = &written {
            self.recover(error);
        }
        written?;
        topic.bounds.set(bounds);
        while !self.sweep(&topic)? {}
        Ok(())
    }

    /// Removes what is over its topic's bounds; false where there may be more.
    fn sweep_all(&mut self) -> bool {
        let mut is_done = true;
        for topic in self.shared.catalog.all() {
            match self.sweep(&topic) {
                Ok(done) => is_done &= done,
                Err(error) => tracing::warn!(topic = topic.spec.name, %error, "what is too old stays for now"),
            }
        }
        is_done
    }

    fn sweep(&mut self, topic: &Topic) -> Result<bool, StreamError> {
        if topic.bounds.stored() == retention::FOREVER {
            return Ok(true);
        }
        self.ensure_open()?;
        let now_ms = u64::try_from(now_ms()).unwrap_or(0);
        let swept = self.shared.store.write(|transaction| retention::sweep(transaction, topic, now_ms));
        if let Err(error) = &swept {
            self.recover(error);
        }
        swept
    }

    /// After an error: redb takes no further work until the file was closed and opened again. Where that fails too,
    /// for example on a disk that is still full, the next command tries again.
    fn recover(&mut self, error: &StreamError) {
        if failure::needs_reopening(error)
            && let Err(again) = self.reopen()
        {
            tracing::warn!(%error, %again, "the embedded log stays closed for now");
        }
    }

    fn ensure_open(&mut self) -> Result<(), StreamError> {
        if self.shared.store.is_open() { Ok(()) } else { self.reopen() }
    }

    fn reopen(&mut self) -> Result<(), StreamError> {
        self.shared.store.reopen()?;
        self.shared.catalog.load(&self.shared.store)?;
        // The commit that failed may have reached the disk all the same: everyone asks again for what is committed.
        self.groups.restart();
        self.shared.catalog.wake_all();
        Ok(())
    }
}

fn answer<T>(reply: Reply<T>, result: Result<T, StreamError>) {
    // Whoever stopped waiting doesn't need the answer.
    let _ = reply.send(result);
}
