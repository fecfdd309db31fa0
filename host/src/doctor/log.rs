//! The log: does Kafka answer and how quickly; can the embedded log be opened.

use std::path::Path;
use std::time::Instant;

use super::{Finding, Level};
use crate::home::{Home, StreamsConfig, open_streams};

pub(super) async fn examine(home: &Home, config: &StreamsConfig, host_runs: bool) -> Finding {
    match config {
        StreamsConfig::Embedded(_) if host_runs => Finding::ok("log", "the embedded log is in use by the running host"),
        // Opening would make one, and looking must not.
        StreamsConfig::Embedded(_) if is_empty(&home.log()) => Finding::ok("log", "embedded; made at the first start"),
        StreamsConfig::Embedded(_) => match topics(home, config).await {
            Ok((topics, _)) => Finding::ok("log", format!("embedded, {topics} topics")),
            Err(finding) => finding,
        },
        StreamsConfig::Kafka(kafka) => match topics(home, config).await {
            Ok((topics, millis)) => Finding::ok(
                "log",
                format!("Kafka at {} answers in {millis} ms, {topics} topics", kafka.brokers.join(", ")),
            ),
            Err(finding) => {
                let next =
                    "Check `brokers` and `security` in host.toml, and that the broker runs; a host waits for it.";
                Finding {
                    next: if finding.next.is_empty() { next.to_owned() } else { finding.next.clone() },
                    ..finding
                }
            }
        },
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut files| files.next().is_none())
}

/// Number of topics, and the milliseconds until the answer was there.
async fn topics(home: &Home, config: &StreamsConfig) -> Result<(usize, u128), Finding> {
    let streams = open_streams(home, config).await.map_err(|problem| Finding::fail("log", problem))?;
    let asked = Instant::now();
    match streams.topics().await {
        Ok(topics) => Ok((topics.len(), asked.elapsed().as_millis())),
        Err(error) => Err(Finding::advise("log", Level::Fail, error.to_string(), "")),
    }
}
