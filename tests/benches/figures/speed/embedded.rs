//! The embedded log beside Kafka: the same agent, the same records.

use std::time::Duration;

use anyhow::Result;
use wasmill::streams::{Record, SharedStreams, TopicSpec};
use wasmill::telemetry::Telemetry;

use super::ours::{self, Ours};
use super::plain::RECORDS_MAX;
use super::program::{Program, Sample, turn, watch};
use super::rig::{Input, Rig, Shape, key, value};
use crate::{Options, Row};

/// Bytes of values that one log is filled with before the agent starts.
const FILL_BYTES: u64 = 600 * 1024 * 1024;
/// Records that are appended at once.
const APPEND: u64 = 5_000;
/// Until the queues are filled.
const WARM: Duration = Duration::from_secs(2);
/// As often as a log is filled at most.
pub(super) const ROUNDS_MAX: usize = 40;

/// Headers of a record, by its number.
pub(super) type Headers = fn(u64) -> Vec<(String, Vec<u8>)>;

/// `relay` on both.
pub async fn measure(options: Options) -> Result<Vec<Row>> {
    let Some(rig) = Rig::start()? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for shape in Shape::wanted(Shape::ENDS, options) {
        let kafka = on_kafka(&rig, shape, options).await?;
        let embedded = on_embedded(shape, options).await?;
        for (who, sample) in [("Kafka", kafka), ("the embedded log", embedded)] {
            eprintln!(
                "  copy on {who}, {}: {:.0} records/s for {:.1} s, {:.0} records per CPU second",
                shape.said(),
                sample.rate(),
                sample.seconds,
                sample.per_cpu()
            );
        }
        let name = format!("copy on the embedded log, beside Kafka; {}", shape.said());
        rows.push(Row::at_least(name, embedded.rate() / kafka.rate(), "ratio", 1.0));
        let name = format!("copy on the embedded log, exactly once; {}", shape.said());
        rows.push(Row::shown(name, embedded.rate(), "records/s"));
    }
    Ok(rows)
}

async fn on_kafka(rig: &Rig, shape: Shape, options: Options) -> Result<Sample> {
    let (tag, output) = (shape.tag(), format!("embedded.out.{}", shape.tag()));
    let mut input = Input::new(rig, format!("embedded.in.{tag}"), shape).await?;
    rig.create(&output, shape.partitions).await?;
    // More than it can copy in that time.
    let rate = if shape.size < 1_000 { 160_000.0 } else { 60_000.0 };
    input.fill((rate * (options.seconds + 5.0)) as u64)?;
    let order = order(shape, &input.topic, &output);
    let mut ours = Ours::new(&order, Some(rig.streams.clone())).await?;
    let sample = turn(&mut ours, WARM, Duration::from_secs_f64(options.seconds)).await;
    rig.delete(&input.topic).await?;
    rig.delete(&output).await?;
    sample
}

/// A fresh log each round: it is faster than a disk could keep up with for long.
async fn on_embedded(shape: Shape, options: Options) -> Result<Sample> {
    let mut total = Sample::default();
    for _ in 0..ROUNDS_MAX {
        total = total.and(round(shape, |_| Vec::new(), Telemetry::off(), options.seconds - total.seconds).await?);
        if total.seconds >= options.seconds {
            break;
        }
    }
    Ok(total)
}

/// Copies a log that is filled for it, until all is copied or so many seconds are over.
pub(super) async fn round(shape: Shape, headers: Headers, telemetry: Telemetry, seconds: f64) -> Result<Sample> {
    let order = order(shape, "embedded.in", "embedded.out");
    let mut ours = Ours::new(&order, None).await?;
    ours.record(telemetry);
    for name in ["embedded.in", "embedded.out"] {
        let spec = TopicSpec { name: name.to_owned(), partitions: shape.partitions, compacted: false };
        ours.streams().create_topic(&spec).await?;
    }
    fill(ours.streams(), shape, headers).await?;
    ours.start().await?;
    let left = Duration::from_secs_f64(seconds.max(0.2));
    let sample = watch(&mut ours, Duration::ZERO, left).await;
    ours.stop().await?;
    sample
}

async fn fill(streams: &SharedStreams, shape: Shape, headers: Headers) -> Result<()> {
    let records = FILL_BYTES / shape.size as u64;
    for start in (0..records).step_by(APPEND as usize) {
        let batch = (start..records.min(start + APPEND)).map(|i| Record {
            partition: u32::try_from(i % u64::from(shape.partitions)).ok(),
            key: Some(key(i).into_bytes()),
            value: Some(value(i, shape.size)),
            headers: headers(i),
            ..Record::default()
        });
        streams.append("embedded.in", batch.collect()).await?;
    }
    Ok(())
}

fn order(shape: Shape, input: &str, output: &str) -> ours::Order {
    ours::Order {
        plugin: "relay",
        name: format!("embedded-{}", shape.tag()),
        input: input.to_owned(),
        output: Some(output.to_owned()),
        batch_records: RECORDS_MAX,
        ..ours::Order::default()
    }
}
