//! The plain program: what a host does with an agent, as one would write it by hand for speed. One consumer in a group,
//! one transactional producer, one thread; offsets are committed in the transaction of the records.

pub mod native;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use async_trait::async_trait;
use rdkafka::{Offset, TopicPartitionList};

use self::native::{Client, Headers, Message, Queue, Settings, Topic};
use super::program::{Program, own_cpu_seconds};
use crate::kit;

/// Most records of one transaction: `batch_records` of the agents beside it.
pub const RECORDS_MAX: usize = 8_192;
/// Most bytes of one transaction's input: the host's own limit of a poll.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long an incomplete transaction waits for more.
const PATIENCE: Duration = Duration::from_millis(100);

/// What it does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Sends it on.
    Copy,
    /// Turns one field of its JSON into capitals.
    Upper,
}

/// When it commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as a transaction is full.
    Full,
    /// As often as this.
    Every(Duration),
    /// As soon as it has done what was there.
    Eager,
}

/// What it is told.
#[derive(Debug, Clone)]
pub struct Order {
    /// Brokers.
    pub address: String,
    /// Name of its group and of its transactions.
    pub name: String,
    /// Topic to read.
    pub input: String,
    /// Topic to write.
    pub output: String,
    /// What to do.
    pub work: Work,
    /// When to commit.
    pub pace: Pace,
    /// Writes the seven headers that the host writes on each record.
    pub headers: bool,
}

/// A plain program, running or not.
pub struct Plain {
    order: Order,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Plain {
    /// A program that does not run yet.
    pub fn new(order: Order) -> Self {
        Self { order, stop: Arc::default(), done: Arc::default(), thread: None }
    }

    /// The topic that it writes.
    pub fn output(&self) -> String {
        self.order.output.clone()
    }

    fn end(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => bail!("the plain program panicked"),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Program for Plain {
    async fn start(&mut self) -> Result<()> {
        self.stop.store(false, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        let (order, stop, done) = (self.order.clone(), self.stop.clone(), self.done.clone());
        self.thread = Some(std::thread::Builder::new().name("plain".into()).spawn(move || run(&order, &stop, &done))?);
        Ok(())
    }

    async fn done(&mut self) -> Result<u64> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.end()?;
            return Err(anyhow!("the plain program ended"));
        }
        Ok(self.done.load(Ordering::Relaxed))
    }

    fn cpu_seconds(&self) -> Result<f64> {
        own_cpu_seconds()
    }

    async fn stop(&mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.end()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What it said is not asked for any more.
            let _ = thread.join();
        }
    }
}

/// Settings of its consumer: the host's own.
pub fn consumer_settings(order: &Order) -> Settings {
    vec![
        ("bootstrap.servers", order.address.clone()),
        ("group.id", order.name.clone()),
        ("isolation.level", "read_committed".into()),
        ("enable.auto.commit", "false".into()),
        ("enable.auto.offset.store", "false".into()),
        ("auto.offset.reset", "earliest".into()),
        ("partition.assignment.strategy", "range".into()),
        ("session.timeout.ms", "15000".into()),
        ("fetch.queue.backoff.ms", "5".into()),
        ("fetch.wait.max.ms", "100".into()),
    ]
}

/// Settings of its producer: the host's own. `linger.ms` and `compression.type` are librdkafka's defaults on both sides.
pub fn producer_settings(order: &Order) -> Settings {
    vec![
        ("bootstrap.servers", order.address.clone()),
        ("transactional.id", order.name.clone()),
        ("enable.idempotence", "true".into()),
        ("acks", "all".into()),
        ("partitioner", "murmur2_random".into()),
        ("linger.ms", "5".into()),
        ("compression.type", "none".into()),
        ("message.max.bytes", (1024 * 1024 + 64 * 1024).to_string()),
        ("delivery.report.only.error", "true".into()),
        ("transaction.timeout.ms", "20000".into()),
    ]
}

/// What one thread of the program works with. Fields are dropped in this order.
struct Parts {
    queue: Queue,
    topic: Topic,
    consumer: Client,
    producer: Client,
}

fn run(order: &Order, stop: &AtomicBool, done: &AtomicU64) -> Result<()> {
    let consumer = Client::consumer(&consumer_settings(order))?;
    let producer = Client::producer(&producer_settings(order))?;
    producer.init_transactions()?;
    consumer.subscribe(&order.input)?;
    let parts = Parts { queue: consumer.queue()?, topic: producer.topic(&order.output)?, consumer, producer };
    let mut messages: Vec<Message> = Vec::with_capacity(RECORDS_MAX);
    let mut scratch = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let committed = transaction(order, &parts, &mut messages, &mut scratch, stop)?;
        done.fetch_add(committed, Ordering::Relaxed);
    }
    parts.consumer.close();
    Ok(())
}

/// One transaction; none where there is nothing to do. Returns the records that it committed.
fn transaction(
    order: &Order,
    parts: &Parts,
    messages: &mut Vec<Message>,
    scratch: &mut Vec<u8>,
    stop: &AtomicBool,
) -> Result<u64> {
    let (mut records, mut bytes) = (0, 0);
    let mut next: Vec<(i32, i64)> = Vec::new();
    let mut began = Instant::now();
    let is_over = |records: usize, bytes: usize, began: Instant| match order.pace {
        Pace::Full => records >= RECORDS_MAX || bytes >= BYTES_MAX || (records > 0 && began.elapsed() >= PATIENCE),
        Pace::Every(pace) => records > 0 && began.elapsed() >= pace,
        Pace::Eager => records > 0,
    };
    while !is_over(records, bytes, began) {
        if stop.load(Ordering::Relaxed) && records == 0 {
            return Ok(0);
        }
        // A full transaction takes many at once. The others take what is there, and wait for one where nothing is.
        let left = match order.pace {
            Pace::Every(pace) if records > 0 => pace.saturating_sub(began.elapsed()).min(Duration::from_millis(1)),
            _ => PATIENCE,
        };
        match order.pace {
            Pace::Full => parts.queue.take(messages, RECORDS_MAX - records, left),
            _ => {
                parts.queue.take(messages, 1, left);
                parts.queue.take(messages, RECORDS_MAX, Duration::ZERO);
            }
        }
        if records == 0 {
            began = Instant::now();
        }
        for message in messages.drain(..) {
            if let Some(code) = message.error() {
                eprintln!("  the plain program's consumer says: {code}");
                continue;
            }
            if records == 0 {
                parts.producer.begin()?;
            }
            work(order, parts, &message, records, scratch)?;
            match next.iter_mut().find(|(partition, _)| *partition == message.partition()) {
                Some((_, offset)) => *offset = message.offset() + 1,
                None => next.push((message.partition(), message.offset() + 1)),
            }
            records += 1;
            bytes += message.key().len() + message.value().len();
        }
    }
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in next {
        offsets.add_partition_offset(&order.input, partition, Offset::Offset(offset))?;
    }
    ensure!(records > 0, "a transaction without records");
    parts.producer.commit(&parts.consumer, &offsets)?;
    Ok(records as u64)
}

fn work(order: &Order, parts: &Parts, message: &Message, row: usize, scratch: &mut Vec<u8>) -> Result<()> {
    let headers = order.headers.then(|| headers(message, row)).transpose()?;
    let value = match order.work {
        Work::Copy => message.value(),
        Work::Upper => {
            scratch.clear();
            kit::upper(message.value(), scratch)?;
            scratch
        }
    };
    parts.producer.produce(&parts.topic, None, message.key(), value, headers)
}

/// As many headers of the same sizes as the host writes.
fn headers(message: &Message, row: usize) -> Result<Headers> {
    let mut headers = Headers::with_room(7)?;
    headers.push("ce_specversion", b"1.0");
    headers.push("ce_type", b"wasmill.record");
    headers.push("ce_source", b"/agents/bench-copy-200x1");
    headers.push("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    headers.push("wasmill-digest", b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    headers.push("wasmill-policy", b"0123456789ab");
    headers.push("ce_id", format!("bench.in-{}-{}.0.{row}", message.partition(), message.offset()).as_bytes());
    Ok(headers)
}
