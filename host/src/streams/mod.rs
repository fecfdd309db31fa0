//! The log: topics with partitions, consumer groups, and transactions that commit records, offsets and state together.
//!
//! One small trait, two implementations: [`kafka`] and [`embedded`]. One contract suite holds them to the same
//! behaviour. This folder knows nothing of WebAssembly, permissions or agents' code.

mod batch;
mod batch_builder;
pub mod embedded;
mod error;
pub mod kafka;
mod no_state;
mod output;
mod overlay;
mod partitioner;
mod shape;
mod topic;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use batch::{Batch, Column, HeaderColumns, Record, present};
pub use batch_builder::BatchBuilder;
pub use error::StreamError;
pub use no_state::NoState;
pub use overlay::{Changes, Overlay, scan_over};
pub use partitioner::partition_of;
pub use shape::{Bound, Cleanup, Keeps, TopicChange, TopicShape};
pub use topic::{PARTITIONS_MAX, check_topic};

/// Largest value of one record, in bytes, unless the configuration says otherwise (Kafka's own default is 1 MiB).
pub const RECORD_SIZE_MAX: usize = 1024 * 1024;

/// A topic as it is wanted, or as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct TopicSpec {
    /// Kafka's rules: 1 to 249 characters of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`.
    pub name: String,
    /// Number of partitions, at least 1.
    pub partitions: u32,
    /// Keep only the newest record of each key.
    #[serde(default)]
    pub compacted: bool,
}

/// First and next offset of a partition, as a `read_committed` reader sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Watermarks {
    /// Offset of the oldest record that is still there.
    pub first: u64,
    /// Offset that the next record will get (Kafka: the last stable offset).
    pub next: u64,
}

/// A store of topics. Cheap to clone behind an `Arc`; all methods may be called at the same time.
#[async_trait]
pub trait Streams: Send + Sync + 'static {
    /// Largest record that is taken: key, value and its own headers together, in bytes.
    fn record_bytes_max(&self) -> usize;

    /// All topics, sorted by name, without the ones that the store keeps for itself.
    async fn topics(&self) -> Result<Vec<TopicSpec>, StreamError>;

    /// Creates a topic. Errors with [`StreamError::TopicExists`] where there is one, whatever its shape.
    async fn create_topic(&self, topic: &TopicSpec) -> Result<(), StreamError>;

    /// What OpenTelemetry calls it: `messaging.system`.
    fn system(&self) -> &'static str;

    /// True where there is one copy of records, and a topic's kind is decided when it is made.
    fn keeps_one_copy(&self) -> bool;

    /// All topics as [`Streams::topics`] lists them, with everything that is known of them.
    async fn shapes(&self) -> Result<Vec<TopicShape>, StreamError>;

    /// Changes a topic.
    ///
    /// # Errors
    /// As [`Streams::create_topic`]; [`StreamError::InvalidTopic`] where the store can't do it, or not now.
    async fn change_topic(&self, change: &TopicChange) -> Result<(), StreamError>;

    /// First and next offset of one partition.
    async fn watermarks(&self, topic: &str, partition: u32) -> Result<Watermarks, StreamError>;

    /// Appends records outside of any worker, durably, and returns (partition, offset) of each, in order.
    /// A record without a partition goes where its key's hash says (murmur2, as Kafka's Java client does), without a
    /// key round robin.
    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<(u32, u64)>, StreamError>;

    /// Reads committed records of one partition from `offset` on: at most `max` of them, waiting up to `wait` for the
    /// first one. An offset before the first record starts at the first record.
    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max: usize,
        wait: Duration,
    ) -> Result<Batch, StreamError>;

    /// Joins a consumer group as one worker.
    async fn join(&self, membership: Membership) -> Result<Box<dyn Worker>, StreamError>;

    /// Committed offset of a group for each partition of a topic; none where nothing was committed yet.
    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<Option<u64>>, StreamError>;
}

/// The streams that the host runs on.
pub type SharedStreams = Arc<dyn Streams>;

/// How a worker joins.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Consumer group. Members of one group share the partitions.
    pub group: String,
    /// Topics to read. They must exist.
    pub topics: Vec<String>,
    /// Name of the state that the group keeps, one store per partition; none for a group without state.
    /// On Kafka it is the compacted topic `wasmill.state.<name>`.
    pub state: Option<String>,
    /// Most records that one poll returns, over all partitions.
    pub batch_records_max: usize,
    /// Most bytes (keys, values and headers) that one poll returns, over all partitions; one record may exceed it.
    pub batch_bytes_max: usize,
}

/// One member of a consumer group, and the transactions that it commits.
///
/// The order of use: `poll`, work, `commit` or `rewind`, `poll`, … State that a poll's partitions need is readable from
/// the moment the poll that reports the partition as gained has returned.
#[async_trait]
pub trait Worker: Send {
    /// Waits up to `wait` for records or a change of assignment.
    async fn poll(&mut self, wait: Duration) -> Result<Poll, StreamError>;

    /// Reader of the committed state of the partitions that this worker owns.
    fn state(&self) -> Arc<dyn StateReader>;

    /// Commits outputs, state changes and the offsets of everything that was polled since the last commit or rewind,
    /// in one transaction: all of it becomes visible, or none.
    ///
    /// [`StreamError::Fenced`]: another member owns the partitions now; drop all work and poll again.
    /// After any other error nothing was committed: call `rewind`.
    async fn commit(&mut self, work: Work) -> Result<(), StreamError>;

    /// The same, but what was polled and is not listed stays with the worker: nothing is given again before a rewind.
    ///
    /// After an error other than [`StreamError::Fenced`] nothing was committed, and the worker still has all of it.
    async fn commit_part(&mut self, work: Work) -> Result<(), StreamError>;

    /// Polls give no records of these partitions until this is called again: what has arrived waits.
    fn hold(&mut self, partitions: BTreeSet<(String, u32)>);

    /// Gives up what was polled since the last commit: the next polls return the same records again.
    async fn rewind(&mut self) -> Result<(), StreamError>;
}

/// Key and value of committed state.
pub type StateEntry = (Vec<u8>, Vec<u8>);

/// Committed state, by partition. A guest reads through it while the worker waits for that guest.
pub trait StateReader: Send + Sync {
    /// Reads one value; none where the key has none.
    fn get(&self, partition: u32, key: &[u8]) -> Result<Option<Vec<u8>>, StreamError>;

    /// Lists entries in byte order: keys that begin with `prefix`, after `after`, at most `limit`.
    fn scan(
        &self,
        partition: u32,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, StreamError>;
}

/// What a poll found.
#[derive(Debug, Default)]
pub struct Poll {
    /// Partitions that this worker owns from now on. Their state has been restored.
    pub gained: Vec<(String, u32)>,
    /// Partitions that it doesn't own any more: drop instances and uncommitted work of theirs.
    pub lost: Vec<(String, u32)>,
    /// Records, at most one batch per topic partition.
    pub batches: Vec<Batch>,
}

/// What one transaction commits, beside the offsets.
#[derive(Debug, Default)]
pub struct Work {
    /// Records to send.
    pub outputs: Vec<Output>,
    /// State changes in order: partition, key, new value (none: remove).
    pub state: Vec<StateChange>,
    /// Rows of the last poll that are done, as (topic, partition, next offset). Partitions that are not listed stay
    /// where they were and are given again by the next poll.
    pub offsets: Vec<(String, u32, u64)>,
}

/// Records for one topic, as columns. Each goes where its key's hash says; without a key, round robin.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Topic to send to.
    pub topic: String,
    /// Keys, one row per record.
    pub keys: Column,
    /// One byte per record, 0 where it has no key; empty: all have one.
    pub key_present: Vec<u8>,
    /// Values, one row per record.
    pub values: Column,
    /// One byte per record, 0 for a tombstone; empty: all have a value.
    pub value_present: Vec<u8>,
    /// Headers of single records.
    pub headers: Option<HeaderColumns>,
    /// Headers that every record gets, after its own. They are the host's and don't count towards the record's limit: an
    /// agent can pass on a record of the largest size.
    pub common_headers: Arc<[(String, Vec<u8>)]>,
    /// Where given, record `i` also gets the header `ce_id` with this text and `i` behind it.
    pub id_prefix: Option<String>,
}

/// One change of a partition's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Partition whose state changes.
    pub partition: u32,
    /// Key, at least one byte.
    pub key: Vec<u8>,
    /// New value; none removes the key.
    pub value: Option<Vec<u8>>,
}
