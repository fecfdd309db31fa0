//! The broker of the benchmarks, and the topics that are read from it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{SharedStreams, TopicSpec};
use wasmill_tests::kafka::Kafka;

use super::plain::native::Client;
use crate::Options;

/// Keys that records have, in turn.
pub const KEYS: u64 = 10_000;

/// Size of the records and number of partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of a value.
    pub size: usize,
    /// Partitions of every topic.
    pub partitions: u32,
}

impl Shape {
    /// All that are measured.
    pub const ALL: [Self; 4] = [
        Self { size: 200, partitions: 1 },
        Self { size: 200, partitions: 8 },
        Self { size: 2_048, partitions: 1 },
        Self { size: 2_048, partitions: 8 },
    ];

    /// The smallest and the largest.
    pub const ENDS: [Self; 2] = [Self::ALL[0], Self::ALL[3]];

    /// Those of them that are wanted.
    pub fn wanted<const N: usize>(of: [Self; N], options: Options) -> impl Iterator<Item = Self> {
        of.into_iter().filter(move |shape| options.shape.is_none_or(|only| only == shape.tag()))
    }

    /// As a person says it.
    pub fn said(self) -> String {
        let partitions = if self.partitions == 1 { "partition" } else { "partitions" };
        format!("{} bytes, {} {partitions}", self.size, self.partitions)
    }

    /// As names have it.
    pub fn tag(self) -> String {
        format!("{}x{}", self.size, self.partitions)
    }
}

/// A broker.
pub struct Rig {
    kafka: Kafka,
    /// The host's own way to it.
    pub streams: SharedStreams,
    admin: AdminClient<DefaultClientContext>,
}

impl Rig {
    /// A fresh broker; none (said loudly) where the machine has no Kafka.
    pub fn start() -> Result<Option<Self>> {
        let Some(kafka) = Kafka::start_for_benchmarks() else { return Ok(None) };
        let config = KafkaConfig::plaintext([kafka.address()]);
        let streams: SharedStreams = Arc::new(KafkaStreams::connect(&config, &|_| None)?);
        let admin = ClientConfig::new().set("bootstrap.servers", kafka.address()).create()?;
        Ok(Some(Self { kafka, streams, admin }))
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.kafka.address()
    }

    /// Creates a topic.
    pub async fn create(&self, name: &str, partitions: u32) -> Result<()> {
        Ok(self.streams.create_topic(&TopicSpec { name: name.to_owned(), partitions, compacted: false }).await?)
    }

    /// Deletes a topic, so that its records don't fill memory and disk for those that come after.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        for deleted in self.admin.delete_topics(&[name], &options).await? {
            deleted.map_err(|(topic, code)| anyhow!("{topic}: {code}"))?;
        }
        Ok(())
    }
}

/// A topic with records that are there before they are read: nobody is held up by who writes them.
pub struct Input {
    /// Name.
    pub topic: String,
    /// Size and partitions.
    pub shape: Shape,
    filled: u64,
    address: String,
}

impl Input {
    /// A new topic without records.
    pub async fn new(rig: &Rig, topic: String, shape: Shape) -> Result<Self> {
        rig.create(&topic, shape.partitions).await?;
        Ok(Self { topic, shape, filled: 0, address: rig.address() })
    }

    /// Fills it up to so many records.
    pub fn fill(&mut self, records: u64) -> Result<()> {
        if self.filled >= records {
            return Ok(());
        }
        let settings = vec![
            ("bootstrap.servers", self.address.clone()),
            ("linger.ms", "50".into()),
            ("queue.buffering.max.messages", "500000".into()),
        ];
        let producer = Client::producer(&settings)?;
        let topic = producer.topic(&self.topic)?;
        for i in self.filled..records {
            let partition = i32::try_from(i % u64::from(self.shape.partitions))?;
            producer.produce(&topic, Some(partition), key(i).as_bytes(), &value(i, self.shape.size), None)?;
        }
        producer.flush()?;
        self.filled = records;
        Ok(())
    }
}

/// Key of the record `i`.
pub fn key(i: u64) -> String {
    format!("{:08}", i % KEYS)
}

/// Value of the record `i`: a JSON object of exactly `size` bytes.
pub fn value(i: u64, size: usize) -> Vec<u8> {
    let fixed = format!(
        r#"{{"id":{i},"name":"Anna Maria Sibylla Merian","city":"Frankfurt am Main","cents":{},"note":""#,
        i % 99_999
    );
    let mut value = fixed.into_bytes();
    let filling = size.saturating_sub(value.len() + 2);
    value.extend(b"The quick brown fox jumps over the lazy dog. ".iter().cycle().take(filling));
    value.extend_from_slice(b"\"}");
    value
}
