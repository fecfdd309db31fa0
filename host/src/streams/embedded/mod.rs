//! The embedded log: topics, groups, offsets and state in one file, `log.redb`, in the process that uses them.
//!
//! A commit is one durable transaction of that file: records out, consumed offsets and state, or nothing. One thread
//! writes; workers hand it finished segments and wait. Reading happens on snapshots and disturbs nobody.
//!
//! This folder is a store behind the streams trait, not a broker: it knows no network, no replication and no other
//! process.

mod assignment;
mod catalog;
mod committer;
mod failure;
mod groups;
mod pack;
mod read;
mod retention;
mod segment;
mod shape;
mod state;
mod store;
mod tables;
mod worker;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use redb::ReadTransaction;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use self::catalog::Catalog;
use self::committer::{Command, Reply};
use self::groups::{Newcomer, Seat};
use self::read::Budget;
use self::shape::Feasible;
use self::store::Store;
use self::worker::EmbeddedWorker;
use self::write::Job;
use super::topic::check_topic;
use super::{Batch, Membership, Record, StreamError, Streams, TopicChange, TopicShape, TopicSpec, Watermarks, Worker};

/// Most bytes that one [`Streams::read`] returns.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Settings of the embedded log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// Largest record: key, value and headers together, in bytes.
    pub record_bytes_max: usize,
    /// Memory that keeps pages of the file, in bytes.
    pub cache_bytes: usize,
    /// How often is looked for records that are over their topic's bounds.
    pub sweep_every: Duration,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            record_bytes_max: super::RECORD_SIZE_MAX,
            cache_bytes: 64 * 1024 * 1024,
            sweep_every: Duration::from_secs(30),
        }
    }
}

/// The embedded log of one directory.
pub struct Embedded {
    log: Arc<Log>,
}

impl Embedded {
    /// Opens or creates the log in `dir`. After a crash this reads the whole file once, so it may take seconds for
    /// every gigabyte; call it where blocking is allowed.
    ///
    /// # Errors
    /// [`StreamError::InUse`] where another process has it open, [`StreamError::Damaged`] where the file can't be read,
    /// [`StreamError::DiskFull`] or [`StreamError::Failed`] where it can't be created.
    pub fn open(dir: &Path, config: EmbeddedConfig) -> Result<Arc<Self>, StreamError> {
        let failed = |e: std::io::Error| StreamError::Failed(format!("`{}`: {e}", dir.display()));
        std::fs::create_dir_all(dir).map_err(failed)?;
        let store = Arc::new(Store::open(&dir.join("log.redb"), config.cache_bytes)?);
        let catalog = Catalog::default();
        catalog.load(&store)?;
        let shared = Arc::new(Shared { store, catalog });
        let (commands, received) = mpsc::channel();
        let thread = std::thread::Builder::new().name("wasmill-log".to_owned()).spawn({
            let shared = shared.clone();
            move || committer::run(&shared, &received, config.sweep_every)
        });
        let log = Log {
            shared,
            commands: Some(commands),
            thread: Some(thread.map_err(failed)?),
            members: AtomicU64::new(0),
            record_bytes_max: config.record_bytes_max,
        };
        Ok(Arc::new(Self { log: Arc::new(log) }))
    }
}

/// What the writing thread and everyone else share.
struct Shared {
    store: Arc<Store>,
    catalog: Catalog,
}

/// The open log. Whoever holds it keeps the file open.
struct Log {
    shared: Arc<Shared>,
    /// None only while it is being dropped.
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    members: AtomicU64,
    record_bytes_max: usize,
}

impl Log {
    fn send(&self, command: Command) -> Result<(), StreamError> {
        match self.commands.as_ref().map(|commands| commands.send(command).is_ok()) {
            Some(true) => Ok(()),
            _ => Err(stopped()),
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StreamError> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        answered(answer.await)
    }

    async fn ensure_open(&self) -> Result<(), StreamError> {
        if self.shared.store.is_open() { Ok(()) } else { self.ask(Command::Reopen).await }
    }

    /// Reads a snapshot on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&ReadTransaction) -> Result<T, StreamError> + Send + 'static,
    ) -> Result<T, StreamError> {
        self.ensure_open().await?;
        let store = self.shared.store.clone();
        let done = tokio::task::spawn_blocking(move || store.read(work)).await;
        done.unwrap_or_else(|e| Err(StreamError::Failed(e.to_string())))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // The thread ends when nobody can ask it any more; the file is closed when this has returned.
        self.commands = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the embedded log had panicked");
        }
    }
}

fn answered<T>(answer: Result<Result<T, StreamError>, oneshot::error::RecvError>) -> Result<T, StreamError> {
    answer.unwrap_or_else(|_| Err(stopped()))
}

fn stopped() -> StreamError {
    StreamError::Failed("its writing thread has stopped; see the host's own log lines".to_owned())
}

#[async_trait]
impl Streams for Embedded {
    fn record_bytes_max(&self) -> usize {
        self.log.record_bytes_max
    }

    async fn topics(&self) -> Result<Vec<TopicSpec>, StreamError> {
        Ok(self.log.shared.catalog.each(|topic| topic.spec.clone()))
    }

    async fn create_topic(&self, topic: &TopicSpec) -> Result<(), StreamError> {
        check_topic(topic)?;
        self.log.ask(|reply| Command::CreateTopic(topic.clone(), retention::FOREVER, reply)).await
    }

    fn system(&self) -> &'static str {
        "wasmill_log"
    }

    fn keeps_one_copy(&self) -> bool {
        true
    }

    async fn shapes(&self) -> Result<Vec<TopicShape>, StreamError> {
        Ok(self.log.shared.catalog.each(shape::of))
    }

    async fn change_topic(&self, change: &TopicChange) -> Result<(), StreamError> {
        match shape::feasible(change)? {
            Feasible::Create(spec, bounds) => {
                check_topic(spec)?;
                self.log.ask(|reply| Command::CreateTopic(spec.clone(), bounds, reply)).await
            }
            Feasible::Keep(name, keeps) => {
                self.log.ask(|reply| Command::KeepTopic(name.to_owned(), *keeps, reply)).await
            }
            Feasible::Grow(name, partitions) => {
                self.log.ask(|reply| Command::GrowTopic(name.to_owned(), partitions, reply)).await
            }
        }
    }

    async fn watermarks(&self, topic: &str, partition: u32) -> Result<Watermarks, StreamError> {
        let topic = self.log.shared.catalog.get(topic)?;
        topic.check_partition(partition)?;
        let next = topic.head(partition);
        let first = self.log.clone().read(move |snapshot| read::first(snapshot, &topic, partition, next)).await?;
        Ok(Watermarks { first, next })
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<(u32, u64)>, StreamError> {
        let topic = self.log.shared.catalog.get(topic)?;
        let (segments, partitions) = pack::records(&topic, &records, self.log.record_bytes_max)?;
        if segments.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<u32> = segments.iter().map(|segment| segment.partition).collect();
        let bases = self.log.ask(|reply| Command::Write(Job { segments, ..Job::default() }, reply)).await?;
        // Segments of one partition follow each other, so its records are numbered on from the first segment's base.
        let mut next: Vec<Option<u64>> = vec![None; topic.spec.partitions as usize];
        for (partition, base) in places.into_iter().zip(bases) {
            if let Some(place) = next.get_mut(partition as usize) {
                place.get_or_insert(base);
            }
        }
        let mut offset = |partition: u32| {
            let place = next.get_mut(partition as usize)?.as_mut()?;
            *place += 1;
            Some((partition, *place - 1))
        };
        Ok(partitions.into_iter().filter_map(&mut offset).collect())
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max: usize,
        wait: Duration,
    ) -> Result<Batch, StreamError> {
        let deadline = Instant::now() + wait;
        let topic = self.log.shared.catalog.get(topic)?;
        topic.check_partition(partition)?;
        let wake = Arc::new(Notify::new());
        let _subscription = topic.subscribe(&wake);
        let mut from = offset;
        loop {
            let head = topic.head(partition);
            if from < head {
                let topic = topic.clone();
                let found = self.log.clone().read(move |snapshot| {
                    read::partition(snapshot, &topic, partition, from, head, &mut Budget::new(max, READ_BYTES_MAX))
                });
                let (batch, next) = found.await?;
                if !batch.is_empty() || next == from {
                    return Ok(batch);
                }
                from = next;
            } else if timeout_at(deadline, wake.notified()).await.is_err() {
                return Ok(Batch { topic: topic.spec.name.clone(), partition, ..Batch::default() });
            }
        }
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn Worker>, StreamError> {
        let mut names = membership.topics.clone();
        names.sort();
        names.dedup();
        let topics: Result<Vec<_>, _> = names.iter().map(|name| self.log.shared.catalog.get(name)).collect();
        let topics = topics?;
        let seat = Arc::new(Seat::default());
        let member = self.log.members.fetch_add(1, Ordering::Relaxed);
        let newcomer = Newcomer {
            group: membership.group.clone(),
            member,
            topics: names,
            partitions: topics.iter().map(|topic| topic.spec.partitions).max().unwrap_or(0),
            seat: seat.clone(),
        };
        // The worker exists first, so that it leaves again where this future is dropped on the way.
        let worker = EmbeddedWorker::new(self.log.clone(), membership, member, seat, topics);
        self.log.ask(|reply| Command::Join(newcomer, reply)).await?;
        Ok(Box::new(worker))
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<Option<u64>>, StreamError> {
        let topic = self.log.shared.catalog.get(topic)?;
        let group = group.to_owned();
        let work = move |snapshot: &ReadTransaction| {
            (0..topic.spec.partitions).map(|p| read::committed(snapshot, &group, &topic, p)).collect()
        };
        self.log.clone().read(work).await
    }
}
