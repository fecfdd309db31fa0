//! From topic to topic on the embedded log, exactly once.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use wasmill::streams::{Record, SharedStreams};
use wasmill_tests::scratch::{PATIENCE, Scratch};

use crate::Row;

/// Records copied.
pub const RECORDS: u64 = 500_000;
/// Bytes of a value.
pub const RECORD_SIZE: usize = 200;
/// What `relay` may do.
pub const RELAY_MAY: &str =
    "[[row]]\nprincipal = \"agent:relay\"\ntopics.read = [\"relay.in\"]\ntopics.write = [\"relay.*\"]\n";

/// `relay` on one partition.
pub async fn measure() -> Result<Vec<Row>> {
    let mut scratch = Scratch::new(RELAY_MAY).await?;
    scratch.settings.entry("relay".into()).or_default().insert("to".into(), "relay.out".into());
    scratch.install("relay")?;
    scratch.topics(&["relay.in", "relay.out"]).await?;
    fill(scratch.streams(), RECORDS).await?;
    let running = scratch.run().await?;
    let rate = rate(scratch.streams(), "relay.out", RECORDS).await?;
    running.stop().await?;
    Ok(vec![Row::at_least("copy on the embedded log, exactly once, 200 bytes", rate, "records/s", 100_000.0)])
}

/// Puts records of [`RECORD_SIZE`] bytes with a key of 8 into `relay.in`.
pub async fn fill(streams: &SharedStreams, records: u64) -> Result<()> {
    let mut sent = 0;
    while sent < records {
        let part = (records - sent).min(5_000);
        let batch = (sent..sent + part).map(|i| Record {
            key: Some(format!("{i:08}").into_bytes()),
            value: Some(vec![b'x'; RECORD_SIZE]),
            ..Record::default()
        });
        streams.append("relay.in", batch.collect()).await?;
        sent += part;
    }
    Ok(())
}

/// Records per second between the first and the last visible ones of a topic that somebody fills up to `records`.
pub async fn rate(streams: &SharedStreams, topic: &str, records: u64) -> Result<f64> {
    let began = Instant::now();
    let mut first: Option<(Instant, u64)> = None;
    loop {
        let visible = streams.watermarks(topic, 0).await?.next;
        match first {
            None if visible > 0 => first = Some((Instant::now(), visible)),
            // On Kafka each transaction adds a marker of its own: more than `records` in the end.
            Some((at, start)) if visible >= records => {
                return Ok((visible - start) as f64 / at.elapsed().as_secs_f64());
            }
            _ => {}
        }
        ensure!(began.elapsed() < 10 * PATIENCE, "only {visible} of {records} records came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
