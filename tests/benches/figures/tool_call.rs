//! What a tool call costs: permission check, schema check, fresh instance, call, result.

use std::time::Instant;

use anyhow::{Result, anyhow};
use wasmill::capabilities::{Caller, Invocation, ToolCalls, problem};
use wasmill::host::Host;
use wasmill_tests::scratch::Scratch;

use crate::{Row, median};

const CALLS: usize = 5_000;

/// `text-metrics` over a short text, from the host's API.
pub async fn measure() -> Result<Vec<Row>> {
    let scratch = Scratch::new("[[row]]\nprincipal = \"client:bench\"\ntools = [\"*\"]\n").await?;
    scratch.install("text-metrics")?;
    let host = scratch.open().await?;
    let micros = micros_of_call(&host, &host.client("bench"), "text-metrics", "count").await?;
    Ok(vec![Row::at_most("tool call, fresh instance, median", micros, "us", 40.0)])
}

/// Microseconds of one call with a short text, the median of many.
pub async fn micros_of_call(host: &Host, client: &Caller, tool: &str, function: &str) -> Result<f64> {
    let invocation =
        Invocation { tool: tool.into(), function: function.into(), arguments: r#"{"text": "one two three"}"#.into() };
    let mut micros = Vec::with_capacity(CALLS);
    for number in 0..CALLS + 200 {
        let began = Instant::now();
        let answer = host.toolbox.call(client, invocation.clone()).await;
        answer.map_err(|e| anyhow!("{:?}", problem(&e)))?;
        // The first ones fill pool and caches.
        if number >= 200 {
            micros.push(began.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    Ok(median(micros))
}
