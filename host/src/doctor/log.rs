//! The embedded log: can it be opened, and what do the agents have on it.

use std::path::Path;
use std::time::Instant;

use super::{Finding, Level, agents, tool_topics};
use crate::home::{Home, StreamsConfig, open_streams};

pub(super) async fn examine(home: &Home, config: &StreamsConfig, host_runs: bool) -> Vec<Finding> {
    if host_runs {
        return vec![Finding::ok("log", "the embedded log is in use by the running host; see `wasmill status`")];
    }
    // Opening would make one, and looking must not.
    if is_empty(&home.log()) {
        return vec![Finding::ok("log", "embedded; made at the first start")];
    }
    let streams = match open_streams(home, config).await {
        Ok(streams) => streams,
        Err(problem) => return vec![Finding::fail("log", problem)],
    };
    let asked = Instant::now();
    match streams.topics().await {
        Ok(topics) => {
            let millis = asked.elapsed().as_millis();
            let mut all =
                vec![Finding::ok("log", format!("embedded, {} topics, answers in {millis} ms", topics.len()))];
            all.extend(agents::examine(home, &streams, None).await);
            all.extend(tool_topics::examine(home, &streams).await);
            all
        }
        Err(error) => vec![Finding::advise("log", Level::Fail, error.to_string(), "See the host's log.")],
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut files| files.next().is_none())
}
