//! What a tool call costs: permission check, schema check, fresh instance, call, result.

use std::time::Instant;

use anyhow::{Result, anyhow};
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill_tests::scratch::Scratch;

use crate::{Row, median};

const CALLS: usize = 5_000;

/// `text-metrics` over a short text, from the host's API.
pub async fn measure() -> Result<Vec<Row>> {
    let scratch = Scratch::new("[[row]]\nprincipal = \"client:bench\"\ntools = [\"*\"]\n").await?;
    scratch.install("text-metrics")?;
    let host = scratch.open().await?;
    let client = host.client("bench");
    let listed = host.toolbox.list(&client);
    let function = listed.first().and_then(|tool| tool.functions.first()).ok_or_else(|| anyhow!("no function"))?;
    let invocation = Invocation {
        tool: "text-metrics".into(),
        function: function.name.clone(),
        arguments: r#"{"text": "one two three"}"#.into(),
    };
    let mut micros = Vec::with_capacity(CALLS);
    for call in 0..CALLS + 200 {
        let began = Instant::now();
        let answer = host.toolbox.call(&client, invocation.clone()).await;
        answer.map_err(|e| anyhow!("{:?}", problem(&e)))?;
        // The first ones fill pool and caches.
        if call >= 200 {
            micros.push(began.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    Ok(vec![Row::at_most("tool call, fresh instance, median", median(micros), "us", 40.0)])
}
