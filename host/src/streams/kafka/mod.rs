//! Streams on Kafka, through librdkafka.
//!
//! One worker is one consumer and one transactional producer. Records, state and offsets of a batch are one Kafka
//! transaction; state is a compacted topic `wasmill.state.<name>` with as many partitions as the topics that are read.
//! `queue`, `producer`, `topic_id` and the two `native` are the only files with unsafe code. This folder must never know
//! what the records mean.

mod admin;
mod attendant;
mod checkpoint;
mod clients;
mod config;
mod errors;
mod gain;
mod group;
mod link;
mod names;
mod native;
mod outputs;
mod owned;
mod producer;
mod queue;
mod reader;
mod restore;
mod state;
mod targets;
mod topic_id;
mod topics;
mod transaction;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureRecord};

pub use admin::GroupState;
pub use admin::acl::{Acl, AclOperation, AclPattern, AclResource, AclView};
pub use clients::READERS_GROUP;
pub use config::{KafkaConfig, Mechanism, Sasl, Security, Tls};
pub use names::{state_topic, transactional_prefix};

use self::admin::{Admin, settings_of};
use self::clients::{ANSWER_MAX, Clients};
use self::group::{Protocol, retire};
use self::link::LinkContext;
use self::names::Names;
use self::reader::Readers;
use self::topics::Topics;
use self::worker::KafkaWorker;
use super::output::keyless;
use super::{Batch, Membership, Record, StreamError, Streams, TopicChange, TopicShape, TopicSpec, Watermarks, Worker};

/// Streams on Kafka.
pub struct KafkaStreams {
    clients: Arc<Clients>,
    topics: Arc<Topics>,
    readers: Arc<Readers>,
    names: Names,
}

impl KafkaStreams {
    /// Prepares to talk to Kafka. Doesn't wait for a broker: while none is there, requests answer
    /// [`StreamError::Unavailable`], and everything goes on when one comes. `secret` looks a secret up by its name.
    ///
    /// # Errors
    /// [`StreamError::Config`] for settings that can't be used.
    pub fn connect(config: &KafkaConfig, secret: &dyn Fn(&str) -> Option<String>) -> Result<Self, StreamError> {
        let clients = Arc::new(Clients::new(config, secret)?);
        let instance = config.instance.clone().unwrap_or_else(|| format!("{:016x}", rand::random::<u64>()));
        Ok(Self {
            topics: Arc::new(Topics::new(clients.clone())?),
            clients,
            readers: Arc::default(),
            names: Names::new(instance),
        })
    }

    /// The broker's access rules, as far as it shows them to `principal`, which is us.
    ///
    /// # Errors
    /// Where the broker does not answer.
    pub async fn acls(&self, principal: &str) -> Result<AclView, StreamError> {
        Admin::new(self.clients.clone())?.acls(principal).await
    }

    /// A consumer group as its coordinator sees it.
    ///
    /// # Errors
    /// Where the broker does not answer.
    pub async fn group(&self, name: &str) -> Result<GroupState, StreamError> {
        Admin::new(self.clients.clone())?.group(name).await
    }

    async fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        let (clients, topic) = (self.clients.clone(), topic.to_owned());
        blocking(move || clients.partitions(&topic)).await?
    }
}

#[async_trait]
impl Streams for KafkaStreams {
    fn record_bytes_max(&self) -> usize {
        self.clients.record_bytes_max
    }

    async fn topics(&self) -> Result<Vec<TopicSpec>, StreamError> {
        self.topics.list().await
    }

    async fn create_topic(&self, topic: &TopicSpec) -> Result<(), StreamError> {
        self.topics.create(topic).await
    }

    fn system(&self) -> &'static str {
        "kafka"
    }

    fn keeps_one_copy(&self) -> bool {
        false
    }

    async fn shapes(&self) -> Result<Vec<TopicShape>, StreamError> {
        Admin::new(self.clients.clone())?.shapes().await
    }

    async fn change_topic(&self, change: &TopicChange) -> Result<(), StreamError> {
        match change {
            TopicChange::Create(shape) => self.topics.create_shaped(shape).await,
            TopicChange::Grow { name, partitions, states } => {
                Admin::new(self.clients.clone())?.grow(name, *partitions, states).await
            }
            TopicChange::Keep { name, keeps } => Admin::new(self.clients.clone())?.keep(name, settings_of(keeps)).await,
        }
    }

    async fn watermarks(&self, topic: &str, partition: u32) -> Result<Watermarks, StreamError> {
        if partition >= self.partitions(topic).await? {
            return Err(StreamError::UnknownPartition { topic: topic.to_owned(), partition });
        }
        let (clients, topic) = (self.clients.clone(), topic.to_owned());
        let (first, next) = blocking(move || clients.stable_ends(&topic, partition)).await??;
        Ok(Watermarks { first, next })
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<(u32, u64)>, StreamError> {
        let partitions = self.partitions(topic).await?;
        let target = self.topics.target_with(topic, partitions).await?;
        for record in &records {
            if target.is_compacted() && record.key.is_none() {
                return Err(keyless(topic));
            }
            let size = size(record);
            if size > self.clients.record_bytes_max {
                let limit = self.clients.record_bytes_max;
                return Err(StreamError::RecordTooLarge { topic: topic.to_owned(), size, limit });
            }
            if let Some(partition) = record.partition.filter(|p| *p >= partitions) {
                return Err(StreamError::UnknownPartition { topic: topic.to_owned(), partition });
            }
        }
        let mut deliveries = Vec::with_capacity(records.len());
        for record in &records {
            let turn = record.partition.or_else(|| record.key.is_none().then(|| target.next_partition()));
            deliveries.push(self.queue(topic, record, turn).await?);
        }
        let mut places = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let sent = delivery.await.map_err(|_| self.clients.silence())?;
            let sent = sent.map_err(|(error, _)| self.clients.translate(&error, topic))?;
            places.push((u32::try_from(sent.partition).unwrap_or(0), u64::try_from(sent.offset).unwrap_or(0)));
        }
        self.clients.link.answered();
        Ok(places)
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
        max: usize,
        wait: Duration,
    ) -> Result<Batch, StreamError> {
        let (clients, readers, topic) = (self.clients.clone(), self.readers.clone(), topic.to_owned());
        blocking(move || readers.read(&clients, &topic, partition, offset, max, wait)).await?
    }

    async fn join(&self, membership: Membership) -> Result<Box<dyn Worker>, StreamError> {
        let (mut partitions, mut all) = (0, 0);
        for topic in &membership.topics {
            let count = self.partitions(topic).await?;
            partitions = partitions.max(count);
            all += count;
        }
        let state_topic = match &membership.state {
            Some(name) => Some(self.topics.ensure_state(name, partitions).await?),
            None => None,
        };
        let name = self.names.take(&membership.group);
        Ok(Box::new(KafkaWorker::join(self.clients.clone(), self.topics.clone(), membership, all, state_topic, name)?))
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<Option<u64>>, StreamError> {
        let partitions = self.partitions(topic).await?;
        let (clients, group, topic) = (self.clients.clone(), group.to_owned(), topic.to_owned());
        blocking(move || committed(&clients, &group, &topic, partitions)).await?
    }
}

impl KafkaStreams {
    /// Hands a record to librdkafka, waiting while its queue is full.
    async fn queue(&self, topic: &str, record: &Record, partition: Option<u32>) -> Result<DeliveryFuture, StreamError> {
        let mut waiting = Some(native(topic, record, partition));
        let begin = std::time::Instant::now();
        while let Some(record) = waiting.take() {
            match self.clients.appender.send_result(record) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record))
                    if begin.elapsed() < ANSWER_MAX =>
                {
                    waiting = Some(record);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err((error, _)) => return Err(self.clients.translate(&error, topic)),
            }
        }
        Err(self.clients.silence())
    }
}

fn size(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len) + headers
}

fn native<'r>(topic: &'r str, record: &'r Record, partition: Option<u32>) -> FutureRecord<'r, [u8], [u8]> {
    let headers = (!record.headers.is_empty()).then(|| {
        let empty = OwnedHeaders::new_with_capacity(record.headers.len());
        record.headers.iter().fold(empty, |h, (key, value)| h.insert(Header { key, value: Some(value) }))
    });
    FutureRecord {
        topic,
        partition: partition.map(|p| i32::try_from(p).unwrap_or(i32::MAX)),
        payload: record.value.as_deref(),
        key: record.key.as_deref(),
        timestamp: record.timestamp_ms,
        headers,
    }
}

fn committed(clients: &Clients, group: &str, topic: &str, count: u32) -> Result<Vec<Option<u64>>, StreamError> {
    let mut config = clients.group_config(group, Protocol::Eager, count);
    // Asks only; a member it never becomes.
    config.set("client.id", "wasmill-offsets");
    let made = |e: KafkaError| clients.translate(&e, topic);
    let consumer: BaseConsumer<LinkContext> =
        config.create_with_context(LinkContext(clients.link.clone())).map_err(made)?;
    let partitions: Vec<_> = (0..count).map(|partition| (topic.to_owned(), partition)).collect();
    let answer = clients.committed(&consumer, &partitions);
    retire(consumer);
    Ok(answer?.into_iter().map(|(_, _, offset)| offset).collect())
}

/// Runs librdkafka's blocking calls where they hold up nobody.
async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, StreamError> {
    tokio::task::spawn_blocking(call).await.map_err(|e| StreamError::Failed(e.to_string()))
}
