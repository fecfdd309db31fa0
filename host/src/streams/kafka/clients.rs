//! The clients that one host shares among its workers, and the settings of those that it doesn't.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::checkpoint::{Checkpoints, TOMBSTONES_KEPT};
use super::config::KafkaConfig;
use super::errors::{translate, translate_code};
use super::group::Protocol;
use super::link::{Link, LinkContext};
use super::targets::Targets;
use super::topic_id::TopicId;
use crate::streams::{StreamError, TopicSpec};

/// How long a question to the broker may take.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Bytes that a batch of one record has around it, generously: what Kafka's limit must be above ours.
pub(super) const OVERHEAD_SIZE: usize = 64 * 1024;

/// Name before the topics that hold state.
pub(super) const STATE_PREFIX: &str = "wasmill.state.";

/// The group in whose name is read outside of groups. Nothing is ever committed to it.
pub const READERS_GROUP: &str = "wasmill.readers";

/// Bytes that wait for one consumer, shared by its partitions. The newest fetch comes on top, librdkafka's
/// `fetch.message.max.bytes` (1 MiB) for each.
const QUEUED_SIZE: usize = 64 * 1024 * 1024;

/// The least that waits for one partition; one record always does.
const QUEUED_SIZE_MIN: usize = 1024 * 1024;

/// The most that waits for one partition.
const QUEUED_SIZE_MAX: usize = 16 * 1024 * 1024;

/// Librdkafka's own `max.poll.interval.ms`.
const POLL_INTERVAL_MS: u64 = 300_000;

/// How long to wait before the same question is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// Topic, partition and its committed offset; none where nothing was committed yet.
pub(super) type Committed = (String, u32, Option<u64>);

/// Clients and settings.
pub(super) struct Clients {
    /// The newest error of the connection.
    pub(super) link: Arc<Link>,
    /// Largest record in bytes.
    pub(super) record_bytes_max: usize,
    /// Sends what comes from outside of workers.
    pub(super) appender: FutureProducer<LinkContext>,
    /// State as it was a while ago, on this host's disk; none: it has no place for it.
    pub(super) checkpoints: Option<Checkpoints>,
    /// Topics that were written to.
    pub(super) targets: Targets,
    base: ClientConfig,
    /// Asks about topics as a `read_committed` reader. In no group.
    reader: BaseConsumer<LinkContext>,
}

impl Clients {
    /// Makes the shared clients. Doesn't wait for a broker.
    ///
    /// # Errors
    /// [`StreamError::Config`].
    pub(super) fn new(config: &KafkaConfig, secret: &dyn Fn(&str) -> Option<String>) -> Result<Self, StreamError> {
        let link = Arc::new(Link::default());
        let mut base = config.to_client(secret)?;
        let made = |error: KafkaError| translate(&error, "", &link);
        // A broker that was away is found again within a second or two, not within ten.
        set_unless_given(&mut base, "reconnect.backoff.max.ms", "2000");
        let mut reader = base.clone();
        reader.set("isolation.level", "read_committed");
        let reader = reader.create_with_context(LinkContext(link.clone())).map_err(made)?;
        let mut appender = base.clone();
        set_producer(&mut appender, config.record_bytes_max);
        set_unless_given(&mut appender, "message.timeout.ms", "30000");
        // It also answers for the ends of partitions with everything that is not decided yet.
        appender.set("isolation.level", "read_uncommitted");
        let appender = appender.create_with_context(LinkContext(link.clone())).map_err(made)?;
        Ok(Self {
            checkpoints: config.checkpoints.clone().map(Checkpoints::new),
            link,
            record_bytes_max: config.record_bytes_max,
            appender,
            targets: Targets::default(),
            base,
            reader,
        })
    }

    /// Settings of a consumer in a group whose topics have so many partitions together.
    pub(super) fn group_config(&self, group: &str, protocol: Protocol, partitions: u32) -> ClientConfig {
        let mut config = self.reader_config(partitions);
        config.set("group.id", group);
        config.set("enable.partition.eof", "false");
        config.set("partition.assignment.strategy", protocol.strategy());
        set_unless_given(&mut config, "session.timeout.ms", "15000");
        config
    }

    /// How often a member must be attended to, whatever its worker does.
    pub(super) fn attend_every(&self) -> Duration {
        let given = self.base.get("max.poll.interval.ms").and_then(|text| text.parse().ok());
        Duration::from_millis(given.unwrap_or(POLL_INTERVAL_MS)) / 3
    }

    /// Settings of a consumer that reads so many partitions without a group of its own.
    pub(super) fn reader_config(&self, partitions: u32) -> ClientConfig {
        let mut config = self.base.clone();
        // Librdkafka assigns partitions only where there is a group.
        config.set("group.id", READERS_GROUP);
        config.set("isolation.level", "read_committed");
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "earliest");
        // The default of a second makes a full queue stall.
        set_unless_given(&mut config, "fetch.queue.backoff.ms", "5");
        // Each partition has a queue of its own, with a limit of its own.
        let queued = (QUEUED_SIZE / partitions.max(1) as usize).clamp(QUEUED_SIZE_MIN, QUEUED_SIZE_MAX) / 1024;
        set_unless_given(&mut config, "queued.max.messages.kbytes", &queued.to_string());
        // How soon the end of a partition is noticed.
        set_unless_given(&mut config, "fetch.wait.max.ms", "100");
        config
    }

    /// Settings of a worker's producer.
    pub(super) fn producer_config(&self, transactional_id: &str) -> ClientConfig {
        let mut config = self.base.clone();
        set_producer(&mut config, self.record_bytes_max);
        config.set("transactional.id", transactional_id);
        config.set("delivery.report.only.error", "true");
        // How long a killed host's open transaction can hold up `read_committed` readers.
        set_unless_given(&mut config, "transaction.timeout.ms", "20000");
        // Librdkafka may miss that a group has a new coordinator, and then waits for it beyond every timeout until some
        // connection changes (confluentinc/librdkafka#5456, #5511). Idle ones that are closed are such a change.
        set_unless_given(&mut config, "connections.max.idle.ms", "10000");
        config
    }

    /// All topics, also those that the host keeps for itself.
    pub(super) fn topics(&self) -> Result<Vec<(String, u32)>, StreamError> {
        let answer = self.reader.fetch_metadata(None, ANSWER_MAX);
        let metadata = self.answered(answer, "")?;
        let topics = metadata.topics().iter().filter(|t| t.error().is_none());
        Ok(topics.map(|t| (t.name().to_owned(), t.partitions().len() as u32)).collect())
    }

    /// Number of partitions of a topic.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`] where there is none.
    pub(super) fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        let found = self.topics()?.into_iter().find(|(name, _)| name == topic);
        found.map(|(_, partitions)| partitions).ok_or_else(|| self.absent(topic))
    }

    /// Why a topic is not among those that are listed: there is none, or the broker doesn't show it to us.
    fn absent(&self, topic: &str) -> StreamError {
        let answer = self.reader.fetch_metadata(Some(topic), ANSWER_MAX);
        let code = answer.ok().and_then(|metadata| metadata.topics().first().and_then(|found| found.error()));
        match code.map(RDKafkaErrorCode::from) {
            Some(code @ RDKafkaErrorCode::TopicAuthorizationFailed) => {
                translate_code(code, &code.to_string(), topic, &self.link)
            }
            _ => StreamError::UnknownTopic(topic.to_owned()),
        }
    }

    /// First offset and last stable offset.
    pub(super) fn stable_ends(&self, topic: &str, partition: u32) -> Result<(u64, u64), StreamError> {
        let id = i32::try_from(partition).unwrap_or(i32::MAX);
        let answer = self.reader.fetch_watermarks(topic, id, ANSWER_MAX);
        self.answered(answer, topic).map(offsets)
    }

    /// First offset and the offset behind everything that was written, decided or not.
    pub(super) fn ends_of_everything(&self, topic: &str, partition: u32) -> Result<(u64, u64), StreamError> {
        let id = i32::try_from(partition).unwrap_or(i32::MAX);
        let answer = self.appender.client().fetch_watermarks(topic, id, ANSWER_MAX);
        self.answered(answer, topic).map(offsets)
    }

    /// Identity of a topic.
    pub(super) fn topic_id(&self, topic: &str) -> Result<TopicId, StreamError> {
        let answer = TopicId::ask(self.appender.client(), topic, ANSWER_MAX);
        answer.map_err(|code| translate_code(code, &code.to_string(), topic, &self.link))
    }

    /// Committed offsets of the consumer's group. Asks again while the group has no coordinator yet or its offsets are
    /// part of a transaction that is being decided.
    pub(super) fn committed<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        partitions: &[(String, u32)],
    ) -> Result<Vec<Committed>, StreamError> {
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            asked.add_partition(topic, i32::try_from(*partition).unwrap_or(i32::MAX));
        }
        let begin = Instant::now();
        loop {
            let answer = consumer.committed_offsets(asked.clone(), ANSWER_MAX);
            match answer.map_err(|e| self.translate(&e, "")).and_then(|answer| self.offsets_of(&answer)) {
                Err(error) if error.is_transient() && begin.elapsed() < ANSWER_MAX => std::thread::sleep(AGAIN),
                answer => return answer,
            }
        }
    }

    fn offsets_of(&self, answer: &TopicPartitionList) -> Result<Vec<Committed>, StreamError> {
        let mut offsets = Vec::with_capacity(answer.count());
        for element in answer.elements() {
            element.error().map_err(|e| self.translate(&e, element.topic()))?;
            let offset = match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok(),
                _ => None,
            };
            offsets.push((element.topic().to_owned(), u32::try_from(element.partition()).unwrap_or(0), offset));
        }
        Ok(offsets)
    }

    /// Lets the client that appends learn at once how many partitions a topic has; else it would take minutes.
    pub(super) fn learn_again(&self, topic: &str) {
        if let Err(error) = self.appender.client().fetch_metadata(Some(topic), ANSWER_MAX) {
            tracing::debug!(target: "wasmill::kafka", topic, %error, "asking for partitions");
        }
    }

    /// Settings of the client that creates topics.
    pub(super) fn admin_config(&self) -> ClientConfig {
        self.base.clone()
    }

    /// Settings of a topic that is created.
    pub(super) fn topic_settings(&self, topic: &TopicSpec) -> Vec<(&'static str, String)> {
        let mut settings = vec![("max.message.bytes", (self.record_bytes_max + OVERHEAD_SIZE).to_string())];
        if topic.compacted {
            settings.push(("cleanup.policy", "compact".to_owned()));
        }
        if topic.name.starts_with(STATE_PREFIX) {
            settings.push(("delete.retention.ms", TOMBSTONES_KEPT.as_millis().to_string()));
        }
        settings
    }

    /// An error in our words.
    pub(super) fn translate(&self, error: &KafkaError, topic: &str) -> StreamError {
        translate(error, topic, &self.link)
    }

    /// The error of a broker that says nothing any more.
    pub(super) fn silence(&self) -> StreamError {
        translate(&KafkaError::Global(RDKafkaErrorCode::OperationTimedOut), "", &self.link)
    }

    fn answered<T>(&self, answer: Result<T, KafkaError>, topic: &str) -> Result<T, StreamError> {
        // Errors of the connection wait to be told.
        while self.reader.poll(Duration::ZERO).is_some() {}
        match answer {
            Ok(answer) => {
                self.link.answered();
                Ok(answer)
            }
            Err(error) => Err(self.translate(&error, topic)),
        }
    }
}

fn offsets((first, next): (i64, i64)) -> (u64, u64) {
    (u64::try_from(first).unwrap_or(0), u64::try_from(next).unwrap_or(0))
}

fn set_producer(config: &mut ClientConfig, record_bytes_max: usize) {
    config.set("enable.idempotence", "true");
    config.set("acks", "all");
    config.set("partitioner", "murmur2_random");
    config.set("message.max.bytes", (record_bytes_max + OVERHEAD_SIZE).to_string());
}

fn set_unless_given(config: &mut ClientConfig, name: &str, value: &str) {
    if config.get(name).is_none() {
        config.set(name, value);
    }
}
