//! From topic to topic on Apache Kafka, exactly once, beside a plain rdkafka program with the same settings.
//!
//! Both read with `read_committed`, write the same seven headers on each record, and commit the same number of records
//! per transaction with the offsets in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::ClientConfig;
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use wasmill::streams::SharedStreams;
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::Scratch;

use crate::copy::{RECORDS, RELAY_MAY, fill};
use crate::{Row, median};

/// Records of one transaction: `batch_records` of `relay`.
const TRANSACTION: usize = 8_192;
/// Rounds; each runs both programs.
const ROUNDS: usize = 3;

/// `relay` and the plain program in turns, on one partition, by their medians.
pub async fn measure() -> Result<Vec<Row>> {
    let Some(kafka) = Kafka::start() else { return Ok(Vec::new()) };
    let config = KafkaConfig::plaintext([kafka.address()]);
    let streams: SharedStreams = Arc::new(KafkaStreams::connect(&config, &|_| None)?);
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut scratch = Scratch::new(RELAY_MAY).await?.with_streams(streams.clone());
        let target = format!("relay.out{round}");
        scratch.settings.entry("relay".into()).or_default().insert("to".into(), target.clone());
        scratch.install("relay")?;
        if round == 0 {
            scratch.topics(&["relay.in"]).await?;
            fill(&streams, RECORDS).await?;
        } else {
            // A group of its own would be another agent: the same one reads everything again instead.
            fill(&streams, RECORDS).await?;
        }
        scratch.topics(&[&target, &format!("plain.out{round}")]).await?;
        let running = scratch.run().await?;
        ours.push(crate::copy::rate(&streams, &target, RECORDS).await?);
        running.stop().await?;

        let (address, skip) = (kafka.address(), RECORDS * round as u64);
        let name = format!("plain.out{round}");
        plain.push(tokio::task::spawn_blocking(move || copy(&address, &name, skip)).await??);
    }
    let (ours, plain) = (median(ours), median(plain));
    eprintln!("  copy on Kafka: wasmill {ours:.0} records/s, plain rdkafka {plain:.0} records/s");
    Ok(vec![Row::at_least("copy on Kafka, exactly once, beside plain rdkafka", ours / plain, "ratio", 0.8)])
}

/// The plain program. Returns records per second from its first commit on.
fn copy(address: &str, target: &str, skip: u64) -> Result<f64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", target)
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.wait.max.ms", "100")
        .create()?;
    let mut assignment = TopicPartitionList::new();
    let offset = Offset::Offset(i64::try_from(skip)?);
    assignment.add_partition_offset("relay.in", 0, offset)?;
    consumer.assign(&assignment)?;
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("transactional.id", target)
        .set("linger.ms", "5")
        .set("compression.type", "none")
        .set("delivery.report.only.error", "true")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "1000000")
        .create()?;
    producer.init_transactions(Duration::from_secs(30))?;
    let mut first: Option<Instant> = None;
    let (mut done, mut counted) = (0u64, 0u64);
    while done < RECORDS {
        producer.begin_transaction()?;
        let (mut records, mut last) = (0u64, 0);
        while records < TRANSACTION as u64 && done + records < RECORDS {
            let Some(message) = consumer.poll(Duration::from_secs(10)) else { break };
            let message = message?;
            let id = format!("relay.in-0-{done}.0.{records}");
            let mut record = BaseRecord::to(target).headers(headers(&id));
            record.key = message.key();
            record.payload = message.payload();
            send(&producer, record)?;
            last = message.offset();
            records += 1;
        }
        ensure!(records > 0, "no records came");
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("relay.in", 0, Offset::Offset(last + 1))?;
        let group = consumer.group_metadata().context("no group")?;
        producer.send_offsets_to_transaction(&offsets, &group, Duration::from_secs(30))?;
        producer.commit_transaction(Duration::from_secs(30))?;
        done += records;
        match first {
            None => first = Some(Instant::now()),
            Some(_) => counted += records,
        }
    }
    let first = first.ok_or_else(|| anyhow!("nothing was copied"))?;
    Ok(counted as f64 / first.elapsed().as_secs_f64())
}

fn headers(id: &str) -> OwnedHeaders {
    let digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    [
        ("ce_specversion", "1.0"),
        ("ce_type", "wasmill.record"),
        ("ce_source", "/agents/relay"),
        ("traceparent", trace),
        ("wasmill-digest", digest),
        ("wasmill-policy", "0123456789ab"),
        ("ce_id", id),
    ]
    .into_iter()
    .fold(OwnedHeaders::new_with_capacity(7), |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}

fn send(producer: &BaseProducer, record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
    let mut record = record;
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                producer.poll(Duration::from_millis(10));
                record = back;
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}
