//! The store under test, and short words for what every behaviour does with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wasmill::streams::{Batch, Column, Membership, Output, Poll, Record, Streams, TopicSpec, Work, Worker};

/// How long a test waits for something that must happen. Only a failing test waits that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One poll of a loop that waits for something.
pub const A_MOMENT: Duration = Duration::from_millis(200);

/// A store that is being opened.
pub type Opening = Pin<Box<dyn Future<Output = Arc<dyn Streams>> + Send>>;

/// A store under test.
pub struct Subject {
    /// The store.
    pub streams: Arc<dyn Streams>,
    open: Box<dyn Fn() -> Opening + Send + Sync>,
    unique: String,
}

impl Subject {
    /// A store that `open` opens, and opens again after it was closed.
    pub async fn new(open: impl Fn() -> Opening + Send + Sync + 'static) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { streams: open().await, open: Box::new(open), unique }
    }

    /// Closes the store and opens it again, as a restart of the host does.
    pub async fn reopened(self) -> Self {
        let Self { streams, open, unique } = self;
        drop(streams);
        Self { streams: open().await, open, unique }
    }

    /// A name that no other test uses.
    pub fn name(&self, base: &str) -> String {
        format!("{base}-{}", self.unique)
    }

    /// Creates a topic and returns its name.
    pub async fn topic(&self, base: &str, partitions: u32) -> String {
        let name = self.name(base);
        let topic = TopicSpec { name: name.clone(), partitions, compacted: false };
        self.streams.create_topic(&topic).await.unwrap();
        name
    }

    /// Joins a group, with generous limits.
    pub async fn join(&self, group: &str, topics: &[&str]) -> Box<dyn Worker> {
        self.streams.join(self.membership(group, topics)).await.unwrap()
    }

    /// How [`Self::join`] joins; the group's name and that of its state are made unique.
    pub fn membership(&self, group: &str, topics: &[&str]) -> Membership {
        Membership {
            group: self.name(group),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            state: Some(self.name(group)),
            batch_records_max: 1000,
            batch_bytes_max: 16 * 1024 * 1024,
        }
    }

    /// Appends values `0`, `1`, … with these keys.
    pub async fn append_numbered(&self, topic: &str, keys: impl IntoIterator<Item = String>) {
        let records = keys.into_iter().enumerate().map(|(i, key)| keyed(&key, &i.to_string())).collect();
        self.streams.append(topic, records).await.unwrap();
    }

    /// Everything that the partitions hold, as soon as it is `count` records: a commit is decided when it returns,
    /// but Kafka may take a moment longer to show it to readers.
    pub async fn all_of(&self, topic: &str, partitions: u32, count: usize) -> Vec<Batch> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut batches = Vec::new();
            for partition in 0..partitions {
                batches.push(self.all(topic, partition).await);
            }
            let found = records(&batches);
            if found >= count {
                assert_eq!(found, count, "more than was committed");
                return batches;
            }
            assert!(Instant::now() < deadline, "only {found} of {count} records");
            tokio::time::sleep(A_MOMENT / 10).await;
        }
    }

    /// Everything that one partition holds.
    pub async fn all(&self, topic: &str, partition: u32) -> Batch {
        let marks = self.streams.watermarks(topic, partition).await.unwrap();
        let count = (marks.next - marks.first) as usize;
        let read = self.streams.read(topic, partition, marks.first, count, A_MOMENT).await;
        read.unwrap()
    }
}

/// A record with key and value.
pub fn keyed(key: &str, value: &str) -> Record {
    Record { key: Some(key.into()), value: Some(value.into()), ..Record::default() }
}

/// A record without a key.
pub fn keyless(value: &str) -> Record {
    Record { value: Some(value.into()), ..Record::default() }
}

/// Records to send, with keys and values.
pub fn output(topic: &str, rows: &[(&str, &str)]) -> Output {
    let (mut keys, mut values) = (Column::default(), Column::default());
    for (key, value) in rows {
        keys.push(key.as_bytes());
        values.push(value.as_bytes());
    }
    Output { topic: topic.to_owned(), keys, values, ..Output::default() }
}

/// The values of a batch as text.
pub fn texts(batch: &Batch) -> Vec<String> {
    (0..batch.len()).map(|i| String::from_utf8_lossy(batch.value(i).unwrap_or_default()).into_owned()).collect()
}

/// The work that marks everything in these batches as done.
pub fn done(batches: &[Batch]) -> Work {
    let next = |batch: &Batch| batch.offsets.last().map(|last| (batch.topic.clone(), batch.partition, last + 1));
    Work { offsets: batches.iter().filter_map(next).collect(), ..Work::default() }
}

/// Polls until `enough` is satisfied with everything that was polled so far.
pub async fn poll_until(worker: &mut dyn Worker, mut enough: impl FnMut(&Poll) -> bool) -> Poll {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Poll::default();
    while !enough(&all) {
        assert!(Instant::now() < deadline, "nothing more comes; so far: {all:?}");
        let poll = worker.poll(A_MOMENT).await.unwrap();
        all.gained.retain(|place| !poll.lost.contains(place));
        all.gained.extend(poll.gained);
        all.lost.extend(poll.lost);
        all.batches.extend(poll.batches);
    }
    all
}

/// Polls until so many records have come.
pub async fn poll_records(worker: &mut dyn Worker, count: usize) -> Vec<Batch> {
    let polled = poll_until(worker, |all| records(&all.batches) >= count).await;
    assert_eq!(records(&polled.batches), count);
    polled.batches
}

/// Number of records in these batches.
pub fn records(batches: &[Batch]) -> usize {
    batches.iter().map(Batch::len).sum()
}
