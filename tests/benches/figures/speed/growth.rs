//! What a host costs as its agents and partitions grow: CPU time for a record, and while nothing comes.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use wasmill::host::Host;
use wasmill::runtime::EngineConfig;
use wasmill::streams::{Record, SharedStreams};
use wasmill_tests::scratch::{PATIENCE, Scratch, component};

use super::ours::{self, Ours};
use super::plain::RECORDS_MAX;
use super::program::{Program, own_cpu_seconds, turn};
use super::rig::{Input, Rig, Shape, key, value};
use crate::{Options, Row};

const AGENTS: [usize; 4] = [1, 10, 100, 1_000];
const PARTITIONS: [u32; 4] = [1, 8, 64, 256];
/// Bytes of a record.
const SIZE: usize = 200;
/// Records that all agents are given at once.
const ROUND: u64 = 16_384;
/// As often is measured what writing a round costs.
const WRITES: u32 = 16;
/// Partitions of the topic that is written, however many are read.
const WRITTEN: u32 = 8;
/// What a figure may differ by between two measurements of the same.
const NOISE: f64 = 1.1;
/// Until a program has filled its queues.
const WARM: Duration = Duration::from_secs(2);
/// After a start, until nothing is left to do.
const SETTLE: Duration = Duration::from_secs(3);

/// One point of a curve.
struct Point {
    count: usize,
    /// CPU time for one record, microseconds.
    micros: f64,
    /// CPU time of a second in which nothing comes, seconds.
    idle: f64,
}

/// Agents on the embedded log, then partitions on Kafka.
pub async fn measure(options: Options) -> Result<Vec<Row>> {
    let mut points = Vec::new();
    for count in AGENTS {
        points.push(agents(count, options).await?);
    }
    let mut rows = curve("agents on the embedded log", &points);
    let Some(rig) = Rig::start()? else { return Ok(rows) };
    points.clear();
    for count in PARTITIONS {
        points.push(partitions(&rig, count, options).await?);
    }
    rows.extend(curve("partitions on Kafka", &points));
    Ok(rows)
}

fn curve(of: &str, points: &[Point]) -> Vec<Row> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    for Point { count, micros, idle } in points {
        eprintln!("  {count} {of}: {micros:.2} µs CPU for a record, {:.2} % of a core when idle", idle * 100.0);
    }
    let most = points.iter().map(|point| point.micros).fold(0.0, f64::max) / first.micros;
    let name = format!("CPU for a record, {} to {} {of}, the most beside the first", first.count, last.count);
    let idle = format!("idle CPU, {} {of}, in percent of a core", last.count);
    vec![Row::at_most(name, most, "ratio", NOISE), Row::shown(idle, last.idle * 100.0, "%")]
}

/// So many agents read one topic, each all of it.
async fn agents(count: usize, options: Options) -> Result<Point> {
    let mut scratch = Scratch::new("[[row]]\nprincipal = \"agent:*\"\ntopics.read = [\"growth.*\"]\n").await?;
    scratch.engine = EngineConfig { instances_max: 2_048, ..EngineConfig::default() };
    scratch.topics(&["growth.in", "growth.unread"]).await?;
    let relay = component("relay")?;
    for i in 0..count {
        let manifest = format!(
            "name = \"growth-{i}\"\nversion = \"0.1.0\"\nkind = \"agent\"\n[agent]\nreads = [\"growth.in\"]\n\
             batch_records = {RECORDS_MAX}\n[permissions.topics]\nread = [\"growth.in\"]\n"
        );
        scratch.install_bytes(&relay, &manifest)?;
    }
    let running = scratch.run().await?;
    scratch.send("growth.in", &["warm"]).await?;
    wait(&running.host, count, 1).await?;
    let idle = idle(Duration::from_secs_f64((options.seconds / 6.0).max(1.0))).await?;

    // What writing costs the process, on a topic that nobody reads; the first time costs more than the others.
    append(scratch.streams(), "growth.unread").await?;
    let before = own_cpu_seconds()?;
    for _ in 0..WRITES {
        append(scratch.streams(), "growth.unread").await?;
    }
    let writing = (own_cpu_seconds()? - before) / f64::from(WRITES);
    let (began, before) = (Instant::now(), own_cpu_seconds()?);
    let mut rounds = 0;
    while rounds == 0 || began.elapsed().as_secs_f64() < options.seconds / 6.0 {
        append(scratch.streams(), "growth.in").await?;
        rounds += 1;
        wait(&running.host, count, 1 + rounds * ROUND).await?;
    }
    let used = own_cpu_seconds()? - before - writing * rounds as f64;
    running.stop().await?;
    Ok(Point { count, micros: used * 1e6 / (rounds * ROUND * count as u64) as f64, idle })
}

async fn append(streams: &SharedStreams, topic: &str) -> Result<()> {
    let records =
        (0..ROUND).map(|i| Record { key: Some(key(i).into_bytes()), value: Some(value(i, SIZE)), ..Record::default() });
    streams.append(topic, records.collect()).await?;
    Ok(())
}

/// Waits until so many agents have each committed so many records.
async fn wait(host: &Host, agents: usize, records: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let status = host.supervisor.status();
        if status.iter().filter(|agent| agent.records >= records).count() >= agents {
            return Ok(());
        }
        ensure!(began.elapsed() < 5 * PATIENCE, "only {} agents are at work", status.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One agent copies a topic of so many partitions to one of [`WRITTEN`].
async fn partitions(rig: &Rig, count: u32, options: Options) -> Result<Point> {
    let shape = Shape { size: SIZE, partitions: count };
    let mut input = Input::new(rig, format!("growth.in.{count}"), shape).await?;
    let output = format!("growth.out.{count}");
    rig.create(&output, WRITTEN).await?;
    let order = ours::Order {
        plugin: "relay",
        name: format!("growth-{count}"),
        input: input.topic.clone(),
        output: Some(output.clone()),
        batch_records: RECORDS_MAX,
        ..ours::Order::default()
    };
    let mut ours = Ours::new(&order, Some(rig.streams.clone())).await?;
    // The first records, so that every partition has its instance.
    input.fill(u64::from(count) * 10)?;
    ours.start().await?;
    let began = Instant::now();
    while ours.done().await? < u64::from(count) * 10 {
        ensure!(began.elapsed() < PATIENCE, "the first records are not copied");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let idle = idle(Duration::from_secs_f64((options.seconds / 6.0).max(1.0))).await?;
    ours.stop().await?;
    let seconds = options.seconds / 4.0;
    input.fill((150_000.0 * (seconds + 4.0)) as u64)?;
    let sample = turn(&mut ours, WARM, Duration::from_secs_f64(seconds)).await;
    rig.delete(&input.topic).await?;
    rig.delete(&output).await?;
    Ok(Point { count: count as usize, micros: 1e6 / sample?.per_cpu(), idle })
}

/// CPU time that a second takes in which nothing happens, seconds.
async fn idle(window: Duration) -> Result<f64> {
    tokio::time::sleep(SETTLE).await;
    let (began, before) = (Instant::now(), own_cpu_seconds()?);
    tokio::time::sleep(window).await;
    Ok((own_cpu_seconds()? - before) / began.elapsed().as_secs_f64())
}
