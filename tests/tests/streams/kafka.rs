//! Kafka, and what it promises beyond the contract.

mod admin;
mod away;
mod checkpoints;
mod fencing;
mod kill;
mod memory;
mod rebalance;
mod refused;
mod security;
mod shapes;
mod strangers;

use std::sync::Arc;

use tokio::time::Instant;
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Batch, Output, Streams, TopicSpec, Work};
use wasmill_tests::kafka::Kafka;

use crate::contract::subject::{A_MOMENT, Opening, PATIENCE, Subject, done, records};

/// The shared broker.
pub async fn subject() -> Option<Subject> {
    let address = Kafka::shared()?.address();
    Some(
        Subject::new(move || -> Opening {
            let streams = connect(&config(&address));
            Box::pin(async move { streams as Arc<dyn Streams> })
        })
        .await,
    )
}

/// The ordinary settings, only quicker to notice who is gone.
fn config(address: &str) -> KafkaConfig {
    let mut config = KafkaConfig::plaintext([address]);
    for (name, value) in [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "500")] {
        config.properties.insert(name.to_owned(), value.to_owned());
    }
    config
}

fn connect(config: &KafkaConfig) -> Arc<KafkaStreams> {
    Arc::new(KafkaStreams::connect(config, &|_| None).unwrap())
}

/// A topic with this many partitions on a broker of the test's own.
async fn create(streams: &dyn Streams, name: &str, partitions: u32) {
    let topic = TopicSpec { name: name.to_owned(), partitions, compacted: false };
    streams.create_topic(&topic).await.unwrap();
}

/// A copy of what was polled, with the offsets that it was made of.
fn copy(out: &str, batches: &[Batch]) -> Work {
    let outputs = batches.iter().map(|batch| {
        let (keys, values) = (batch.keys.clone(), batch.values.clone());
        Output { topic: out.to_owned(), keys, values, ..Output::default() }
    });
    Work { outputs: outputs.collect(), ..done(batches) }
}

/// Everything in a topic, as soon as it is so many records.
async fn all_of(streams: &dyn Streams, topic: &str, partitions: u32, count: usize) -> Vec<Batch> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut batches = Vec::new();
        for partition in 0..partitions {
            batches.push(streams.read(topic, partition, 0, count + 1, A_MOMENT).await.unwrap());
        }
        if records(&batches) >= count {
            assert_eq!(records(&batches), count);
            return batches;
        }
        assert!(Instant::now() < deadline, "only {} of {count} records", records(&batches));
    }
}
