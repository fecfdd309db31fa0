//! Reads back what went in and what came out, as a stranger to the hosts: with a client of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::judge::{Counted, Inputs, Outputs};

/// How long one question to the broker may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long hosts may do nothing before they are said to be stuck; open transactions of the dead have ended long before.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// Waits until the group has committed the end of every partition. False where it makes no progress any more.
///
/// # Errors
/// What `alive` says.
pub fn drain(brokers: &str, group: &str, topic: &str, partitions: u32, alive: impl Fn() -> Result<()>) -> Result<bool> {
    let consumer = client(brokers, group, "read_committed")?;
    let (mut best, mut moved) = (0, Instant::now());
    loop {
        alive()?;
        // Neither question is answered while a transaction is being decided.
        if let (Ok(done), Ok(all)) = (committed(&consumer, topic, partitions), ends(&consumer, topic, partitions)) {
            if done == all {
                return Ok(true);
            }
            if done > best {
                (best, moved) = (done, Instant::now());
            }
        }
        if moved.elapsed() > STUCK_AFTER {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Waits until every partition has all its copies again.
///
/// # Errors
/// Where one doesn't for too long.
pub fn wait_until_whole(brokers: &str) -> Result<()> {
    let consumer = client(brokers, "wasmill-chaos", "read_committed")?;
    let began = Instant::now();
    loop {
        let seen = consumer.fetch_metadata(None, ANSWER_MAX);
        let is_whole = seen.is_ok_and(|seen| {
            let mut partitions = seen.topics().iter().flat_map(|topic| topic.partitions());
            partitions.all(|partition| partition.isr().len() == partition.replicas().len())
        });
        if is_whole {
            return Ok(());
        }
        ensure!(began.elapsed() < STUCK_AFTER, "a broker does not catch up with the others");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Numbers of each key.
///
/// # Errors
/// Where the topic can't be read, or holds anything else.
pub fn inputs(brokers: &str, topic: &str, partitions: u32) -> Result<Inputs> {
    let mut all = Inputs::new();
    read(brokers, topic, partitions, |key, value| {
        all.entry(key.to_owned()).or_default().push(value.parse()?);
        Ok(())
    })?;
    Ok(all)
}

/// Numbers and counts of each key.
///
/// # Errors
/// As [`inputs`].
pub fn outputs(brokers: &str, topic: &str, partitions: u32) -> Result<Outputs> {
    let mut all = Outputs::new();
    read(brokers, topic, partitions, |key, value| {
        let (number, count) = value.split_once(' ').context("it is not a number and a count")?;
        all.entry(key.to_owned()).or_default().push(Counted { number: number.parse()?, count: count.parse()? });
        Ok(())
    })?;
    Ok(all)
}

/// Reads a topic to its end as a `read_committed` reader, partition by partition; waits until nothing in it is undecided.
fn read(brokers: &str, topic: &str, partitions: u32, mut take: impl FnMut(&str, &str) -> Result<()>) -> Result<()> {
    let decided = client(brokers, "wasmill-chaos", "read_committed")?;
    let everything = client(brokers, "wasmill-chaos", "read_uncommitted")?;
    let began = Instant::now();
    while ends(&decided, topic, partitions).ok() != ends(&everything, topic, partitions).ok() {
        ensure!(began.elapsed() < STUCK_AFTER, "a transaction in {topic} stays undecided");
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut homes: BTreeMap<String, i32> = BTreeMap::new();
    for partition in 0..partitions {
        let partition = i32::try_from(partition)?;
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, partition, Offset::Beginning)?;
        decided.assign(&from)?;
        let mut heard = Instant::now();
        loop {
            ensure!(heard.elapsed() < STUCK_AFTER, "{topic}/{partition} can't be read to its end");
            match decided.poll(Duration::from_millis(500)) {
                None => continue,
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) if is_passing(&error) => continue,
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(message)) => {
                    let (key, value) = texts(&message)?;
                    let home = *homes.entry(key.to_owned()).or_insert(partition);
                    ensure!(home == partition, "{topic} has the key {key} in two partitions");
                    take(key, value).with_context(|| format!("{topic}/{partition}@{}", message.offset()))?;
                }
            }
            heard = Instant::now();
        }
    }
    Ok(())
}

fn texts<'m>(message: &'m BorrowedMessage<'_>) -> Result<(&'m str, &'m str)> {
    let text = |bytes: Option<&'m [u8]>| std::str::from_utf8(bytes.unwrap_or_default());
    Ok((text(message.key())?, text(message.payload())?))
}

/// Errors of connections, which librdkafka repairs by itself.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut};
    matches!(error.rdkafka_error_code(), Some(AllBrokersDown | BrokerTransportFailure | OperationTimedOut))
}

/// Sum of the committed offsets.
fn committed(consumer: &BaseConsumer, topic: &str, partitions: u32) -> Result<u64> {
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions {
        asked.add_partition(topic, i32::try_from(partition)?);
    }
    let answer = consumer.committed_offsets(asked, ANSWER_MAX)?;
    let mut sum = 0;
    for element in answer.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            sum += u64::try_from(offset)?;
        }
    }
    Ok(sum)
}

/// Sum of the partitions' ends.
fn ends(consumer: &BaseConsumer, topic: &str, partitions: u32) -> Result<u64> {
    let mut sum = 0;
    for partition in 0..partitions {
        sum += u64::try_from(consumer.fetch_watermarks(topic, i32::try_from(partition)?, ANSWER_MAX)?.1)?;
    }
    Ok(sum)
}

fn client(brokers: &str, group: &str, isolation: &str) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", group).set("isolation.level", isolation);
    config.set("enable.auto.commit", "false").set("enable.partition.eof", "true").set("auto.offset.reset", "earliest");
    Ok(config.create()?)
}
