//! How long a record is under way, from the moment it is sent until a `read_committed` consumer has its copy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::{Offset, TopicPartitionList};

use super::ours::{self, Ours};
use super::plain::native::Client;
use super::plain::{self, Pace, Plain, RECORDS_MAX, Work};
use super::program::Program;
use super::rig::{Rig, Shape, key};
use crate::{Options, Row};

/// Between two records: 1,000 a second.
const INTERVAL: Duration = Duration::from_millis(1);
/// Records before the first that counts.
const WARM: u64 = 2_000;
/// How often both programs commit.
const PACE: Duration = Duration::from_millis(10);
/// How long the last record may be under way.
const PATIENCE: Duration = Duration::from_secs(20);

/// The host beside the plain program, both committing every 10 ms, then both as soon as they can.
pub async fn measure(options: Options) -> Result<Vec<Row>> {
    let Some(rig) = Rig::start()? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for shape in Shape::wanted([Shape::ALL[0]], options) {
        let road = Road::new(&rig, shape).await?;
        let paced = road.plain("paced", Pace::Every(PACE), options).await?;
        let ours_paced = road.ours("ours-paced", PACE, options).await?;
        let ours = road.ours("ours", Duration::ZERO, options).await?;
        let eager = road.plain("eager", Pace::Eager, options).await?;
        let rest = shape.said();
        let name = "end-to-end p99 at 1,000 records/s, over plain librdkafka";
        rows.extend([
            Row::at_most(
                format!("{name}, both with transactions every 10 ms; {rest}"),
                ours_paced.p99 - paced.p99,
                "ms",
                1.0,
            ),
            Row::shown(format!("{name}, both committing at once; {rest}"), ours.p99 - eager.p99, "ms"),
            Row::shown(format!("end-to-end p99 at 1,000 records/s, every 10 ms; {rest}"), ours_paced.p99, "ms"),
            Row::shown(format!("end-to-end p99 at 1,000 records/s, at once; {rest}"), ours.p99, "ms"),
        ]);
    }
    Ok(rows)
}

/// Milliseconds.
struct Delays {
    p99: f64,
}

impl Delays {
    fn of(who: &str, shape: Shape, mut millis: Vec<f64>) -> Result<Self> {
        ensure!(!millis.is_empty(), "no record came");
        millis.sort_by(f64::total_cmp);
        let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
        eprintln!(
            "  latency, {}: {who}: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms of {} records",
            shape.said(),
            at(0.5),
            at(0.99),
            at(0.999),
            millis.len()
        );
        Ok(Self { p99: at(0.99) })
    }
}

/// A topic to write to; each program has one of its own that it writes.
struct Road<'r> {
    rig: &'r Rig,
    shape: Shape,
}

impl<'r> Road<'r> {
    async fn new(rig: &'r Rig, shape: Shape) -> Result<Self> {
        let road = Self { rig, shape };
        for who in ["ours", "ours-paced", "paced", "eager"] {
            for topic in [road.input(who), road.output(who)] {
                rig.create(&topic, shape.partitions).await?;
            }
        }
        Ok(road)
    }

    fn input(&self, who: &str) -> String {
        format!("latency.in.{who}.{}", self.shape.tag())
    }

    fn output(&self, who: &str) -> String {
        format!("latency.out.{who}.{}", self.shape.tag())
    }

    async fn ours(&self, who: &str, pace: Duration, options: Options) -> Result<Delays> {
        let order = ours::Order {
            plugin: "relay",
            name: format!("latency-{who}-{}", self.shape.tag()),
            input: self.input(who),
            output: Some(self.output(who)),
            batch_records: RECORDS_MAX,
            headers: Default::default(),
            commit_ms: u64::try_from(pace.as_millis())?,
            ..ours::Order::default()
        };
        let mut ours = Ours::new(&order, Some(self.rig.streams.clone())).await?;
        self.drive(&format!("wasmill, every {pace:?}"), who, &mut ours, options).await
    }

    async fn plain(&self, who: &str, pace: Pace, options: Options) -> Result<Delays> {
        let mut plain = Plain::new(plain::Order {
            address: self.rig.address(),
            name: format!("latency-{who}-{}", self.shape.tag()),
            input: self.input(who),
            output: self.output(who),
            work: Work::Copy,
            pace,
            headers: true,
        });
        self.drive(&format!("librdkafka, {pace:?}"), who, &mut plain, options).await
    }

    async fn drive(&self, said: &str, who: &str, program: &mut dyn Program, options: Options) -> Result<Delays> {
        program.start().await?;
        let records = WARM + (options.seconds / INTERVAL.as_secs_f64()) as u64;
        let (input, output, address, shape) = (self.input(who), self.output(who), self.rig.address(), self.shape);
        let stop = Arc::new(AtomicBool::new(false));
        let base = Instant::now();
        let (consumer_address, stopped) = (address.clone(), stop.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let read = read(&consumer_address, &output, shape, base, records);
            stopped.store(true, Ordering::Relaxed);
            read
        });
        let writing = tokio::task::spawn_blocking(move || write(&address, &input, shape, base, records, &stop));
        writing.await??;
        let delays = reading.await??;
        program.done().await?;
        program.stop().await?;
        Delays::of(said, shape, delays)
    }
}

/// Sends one record each [`INTERVAL`], which carries its number and when it was sent.
fn write(address: &str, topic: &str, shape: Shape, base: Instant, records: u64, stop: &AtomicBool) -> Result<()> {
    let settings = vec![("bootstrap.servers", address.to_owned()), ("linger.ms", "0".into()), ("acks", "all".into())];
    let producer = Client::producer(&settings)?;
    let topic = producer.topic(topic)?;
    let mut value = vec![b'x'; shape.size];
    let begin = Instant::now();
    for i in 0..records {
        let due = begin + INTERVAL * u32::try_from(i)?;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        value[..8].copy_from_slice(&i.to_le_bytes());
        value[8..16].copy_from_slice(&u64::try_from(base.elapsed().as_nanos())?.to_le_bytes());
        let partition = i32::try_from(i % u64::from(shape.partitions))?;
        producer.produce(&topic, Some(partition), key(i).as_bytes(), &value, None)?;
        producer.poll(Duration::ZERO);
        ensure!(!stop.load(Ordering::Relaxed), "the reader gave up");
    }
    producer.flush()
}

/// Reads all copies. Returns how long each that counts was under way, milliseconds.
fn read(address: &str, topic: &str, shape: Shape, base: Instant, records: u64) -> Result<Vec<f64>> {
    let settings = vec![
        ("bootstrap.servers", address.to_owned()),
        ("group.id", format!("{topic}.reader")),
        ("isolation.level", "read_committed".into()),
        ("enable.auto.commit", "false".into()),
        ("fetch.wait.max.ms", "100".into()),
    ];
    let consumer = Client::consumer(&settings)?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..shape.partitions {
        partitions.add_partition_offset(topic, i32::try_from(partition)?, Offset::Beginning)?;
    }
    consumer.assign(&partitions)?;
    let queue = consumer.queue()?;
    let (mut delays, mut messages, mut came, mut heard) = (Vec::new(), Vec::new(), 0, Instant::now());
    while came < records {
        queue.take(&mut messages, 1, Duration::from_millis(100));
        queue.take(&mut messages, 1_024, Duration::ZERO);
        let now = u64::try_from(base.elapsed().as_nanos())?;
        ensure!(heard.elapsed() < PATIENCE, "{came} of {records} records came");
        for message in messages.drain(..).filter(|message| message.error().is_none()) {
            heard = Instant::now();
            came += 1;
            let number = |range: std::ops::Range<usize>| -> Result<u64> {
                let bytes = message.value().get(range).context("a short record")?;
                Ok(u64::from_le_bytes(bytes.try_into().map_err(|_| anyhow!("a short record"))?))
            };
            if number(0..8)? >= WARM {
                delays.push(now.saturating_sub(number(8..16)?) as f64 / 1e6);
            }
        }
    }
    drop(queue);
    consumer.close();
    Ok(delays)
}
