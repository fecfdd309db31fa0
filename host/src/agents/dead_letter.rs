//! Records that an agent can't handle: set aside on `<topic>.dlq`, with the reason, so that they stop nobody.

use crate::problem::Problem;
use crate::streams::{Batch, HeaderColumns, Output};

/// Name of the dead-letter topic of a topic.
pub fn topic_of(topic: &str) -> String {
    format!("{topic}.dlq")
}

/// The record as it came, with headers that say where it was, who could not handle it, why, and how often it was tried.
pub fn output(alone: &Batch, agent: &str, problem: &Problem, attempts: u32) -> Output {
    let mut headers =
        alone.headers.clone().unwrap_or_else(|| HeaderColumns { ends: vec![0], ..HeaderColumns::default() });
    let mut add = |name: &str, value: &str| {
        headers.names.push(name.as_bytes());
        headers.values.push(value.as_bytes());
    };
    add("wasmill-dlq-topic", &alone.topic);
    add("wasmill-dlq-partition", &alone.partition.to_string());
    add("wasmill-dlq-offset", &alone.offsets.first().copied().unwrap_or_default().to_string());
    add("wasmill-dlq-agent", agent);
    add("wasmill-dlq-code", &problem.code);
    add("wasmill-dlq-reason", &problem.message);
    add("wasmill-dlq-attempts", &attempts.to_string());
    headers.ends = vec![headers.names.ends.len() as u32];
    Output {
        topic: topic_of(&alone.topic),
        keys: alone.keys.clone(),
        key_present: alone.key_present.clone(),
        values: alone.values.clone(),
        value_present: alone.value_present.clone(),
        headers: Some(headers),
        ..Output::default()
    }
}
