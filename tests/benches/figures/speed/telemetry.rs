//! What traces cost on the way of a record: the same agent on the same records, recorded and not, in turns.

use std::time::Duration;

use anyhow::Result;
use wasmill::telemetry::{Facts, Ratio, Telemetry, TelemetryConfig};
use wasmill_tests::otlp::Receiver;

use super::embedded::{ROUNDS_MAX, round};
use super::program::Sample;
use super::rig::Shape;
use crate::{Options, Row};

/// One trace in so many is recorded.
const ONE_IN: u64 = 100;

/// `relay` on the embedded log. Each record has a trace of its own, and one in a hundred says that it is recorded, so that
/// about every batch has a span.
pub async fn measure(options: Options) -> Result<Vec<Row>> {
    let Some(receiver) = Receiver::start() else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for shape in Shape::wanted(Shape::ENDS, options) {
        let (mut off, mut on) = (Sample::default(), Sample::default());
        for _ in 0..ROUNDS_MAX {
            off = off.and(round(shape, headers, Telemetry::off(), options.seconds - off.seconds).await?);
            let telemetry = recording(&receiver)?;
            on = on.and(round(shape, headers, telemetry.clone(), options.seconds - on.seconds).await?);
            telemetry.close(Duration::from_secs(5)).await;
            if off.seconds.min(on.seconds) >= options.seconds {
                break;
            }
        }
        anyhow::ensure!(!receiver.spans().is_empty(), "nothing was recorded");
        let said = shape.said();
        eprintln!("  {said}: {:.0} records/s without traces, {:.0} with 1 %", off.rate(), on.rate());
        rows.push(Row::at_least(
            format!("copy with 1 % of traces recorded, beside none; {said}"),
            on.rate() / off.rate(),
            "ratio",
            0.97,
        ));
        let name = format!("the same per CPU second; {said}");
        rows.push(Row::at_least(name, on.per_cpu() / off.per_cpu(), "ratio", 0.97));
    }
    Ok(rows)
}

fn recording(receiver: &Receiver) -> Result<Telemetry> {
    let sample_ratio = Ratio::try_from(1.0 / ONE_IN as f64).map_err(anyhow::Error::msg)?;
    let config = TelemetryConfig { endpoint: Some(receiver.url()), sample_ratio, ..TelemetryConfig::default() };
    Ok(Telemetry::start(&config, Vec::new(), &Facts::default())?)
}

fn headers(i: u64) -> Vec<(String, Vec<u8>)> {
    let flags = u8::from(i.is_multiple_of(ONE_IN));
    let trace = format!("00-{:032x}-{:016x}-{flags:02x}", i + 1, i + 1);
    vec![("traceparent".to_owned(), trace.into_bytes())]
}
