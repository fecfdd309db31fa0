//! Tools that are JavaScript: how soon they are callable, what a call costs, and what a thousand of them cost the others.

use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use wasmill::capabilities::Caller;
use wasmill::forge::{Example, Language, Outcome, Request};
use wasmill::host::Host;
use wasmill_tests::scratch::Scratch;

use crate::tool_call::micros_of_call;
use crate::{Row, median};

const SOURCE: &str = include_str!("../../forge/tools/sum.js");
const MATRIX: &str = "[[row]]\nprincipal = \"client:bench\"\nforge = [\"javascript\"]\ntools = [\"*\"]\n\
    limits = { builds_per_hour = 10000 }\n";
/// Tools in the end.
const TOOLS: usize = 1_000;
/// Of how many the median is told.
const SAMPLE: usize = 50;

/// A small tool with one example, again and again, whose sources differ.
pub async fn measure() -> Result<Vec<Row>> {
    let scratch = Scratch::new(MATRIX).await?;
    scratch.install("javascript")?;
    scratch.install("text-metrics")?;
    let host = scratch.open().await?;
    let client = host.client("bench");
    // The engine is compiled when the host opens; the first script fills caches.
    forge(&host, &client, 0).await?;
    let (compiled, script) = ("text-metrics", "bench.sum-0");
    let before = micros_of_call(&host, &client, compiled, "count").await?;
    let of_script = micros_of_call(&host, &client, script, "sum").await?;
    let mut seconds = Vec::with_capacity(TOOLS);
    for i in 1..TOOLS {
        seconds.push(forge(&host, &client, i).await?);
    }
    let last = seconds.split_off(seconds.len() - SAMPLE);
    seconds.truncate(SAMPLE);
    let after = micros_of_call(&host, &client, compiled, "count").await?;
    Ok(vec![
        Row::at_most("script to callable tool, median", median(seconds), "ms", 50.0),
        Row::at_most("the same with 1,000 tools installed", median(last), "ms", 50.0),
        Row::shown("call of a script, fresh instance, median", of_script, "us"),
        Row::at_most("tool call with 1,000 tools installed, beside 2", after / before, "ratio", 1.1),
    ])
}

/// Milliseconds until a script is callable.
async fn forge(host: &Host, client: &Caller, number: usize) -> Result<f64> {
    let request = Request {
        name: format!("sum-{number}"),
        description: "Adds.".into(),
        language: Language::JavaScript,
        source: format!("// {number}\n{SOURCE}"),
        dependencies: Vec::new(),
        examples: vec![Example {
            function: "sum".into(),
            arguments: r#"{"text": "20 and 22"}"#.into(),
            expected: Some("42".into()),
        }],
        permissions: String::new(),
    };
    let forge = host.forge.as_ref().ok_or_else(|| anyhow!("no forge"))?;
    let began = Instant::now();
    match forge.build(&client.identity.grant, &request).await? {
        Outcome::Callable(_) => Ok(began.elapsed().as_secs_f64() * 1e3),
        other => bail!("{other:?}"),
    }
}
