//! One batch for an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use wasmill_registry::Manifest;

use super::case::{AgentCase, Case, Expected, Record};
use super::compare::{expected_value, is_expected, problem_value, same};
use super::run::Difference;
use crate::agents::{Rehearsed, rehearse};
use crate::host::Host;
use crate::problem::Problem;
use crate::streams::{Batch, BatchBuilder, Output};

/// Gives the batch and looks at what comes of it. None where everything is as expected.
pub(super) async fn try_agent(
    host: &Host,
    component: &[u8],
    manifest: &Manifest,
    case: &Case,
    given: &AgentCase,
) -> Result<Option<Difference>, Problem> {
    let agent = host.catalog.unsigned_agent(component, manifest, case.config.clone())?;
    let done = rehearse(&host.catalog, Arc::new(agent), batch(&given.records), given.time).await?;
    let difference = match (&given.expected, &done.failure) {
        (Err(expected), Some((row, problem))) if is_expected(expected, Some(*row), problem) => None,
        (Ok(expected), None) => differs(expected, &done),
        (expected, failure) => Some(Difference {
            expected: expectation(expected),
            got: match failure {
                Some((row, problem)) => json!({ "failure": problem_value(Some(*row), problem) }),
                None => shown(&done.outputs, &[]),
            },
        }),
    };
    Ok(difference.or_else(|| wrong_state(given.state.as_ref(), &done.state)))
}

fn expectation(expected: &Result<Vec<Record>, Expected>) -> Value {
    match expected {
        Ok(records) => records.iter().map(record_value).collect(),
        Err(failure) => json!({ "failure": expected_value(failure) }),
    }
}

fn batch(records: &[Record]) -> Batch {
    let topic = records.first().map_or("", |first| first.topic.as_str());
    let mut batch = BatchBuilder::new(topic, 0);
    for (offset, record) in records.iter().enumerate() {
        let headers = record.headers.iter().flatten().map(|(name, value)| (name.as_bytes(), value.bytes()));
        let key = record.key.as_ref().map(|key| key.bytes());
        let value = record.value_bytes();
        batch.push(offset as u64, record.timestamp_ms.unwrap_or(0), key, value.as_deref(), headers);
    }
    batch.finish()
}

/// Compares in order per topic; records of different topics may come in any order.
fn differs(expected: &[Record], done: &Rehearsed) -> Option<Difference> {
    let mut wanted: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in expected {
        wanted.entry(&record.topic).or_default().push(record);
    }
    let mut sent: BTreeMap<&str, Vec<(&Output, usize)>> = BTreeMap::new();
    for output in &done.outputs {
        let rows = (0..output.keys.len()).map(|row| (output, row));
        sent.entry(&output.topic).or_default().extend(rows);
    }
    sent.retain(|_, rows| !rows.is_empty());
    let same_topics = wanted.keys().eq(sent.keys());
    let all_fit = wanted.iter().all(|(topic, records)| {
        sent.get(topic).is_some_and(|rows| {
            rows.len() == records.len() && records.iter().zip(rows).all(|(r, (output, row))| fits(r, output, *row))
        })
    });
    if same_topics && all_fit {
        return None;
    }
    let expected_shown = expected.iter().map(record_value).collect();
    Some(Difference { expected: expected_shown, got: shown(&done.outputs, expected) })
}

fn fits(record: &Record, output: &Output, row: usize) -> bool {
    let value = value_of(output, row);
    let value_fits = match &record.json {
        Some(json) => {
            let parsed = value.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
            parsed.is_some_and(|parsed| same(json, &parsed))
        }
        None => record.value.as_ref().map(|value| value.bytes()) == value,
    };
    let headers_fit = record.headers.as_ref().is_none_or(|headers| {
        let wanted = headers.iter().map(|(name, value)| (name.as_bytes(), value.bytes()));
        wanted.eq(headers_of(output, row))
    });
    record.key.as_ref().map(|key| key.bytes()) == key_of(output, row) && value_fits && headers_fit
}

fn key_of(output: &Output, row: usize) -> Option<&[u8]> {
    crate::streams::present(&output.key_present, row).then(|| output.keys.row(row))
}

fn value_of(output: &Output, row: usize) -> Option<&[u8]> {
    crate::streams::present(&output.value_present, row).then(|| output.values.row(row))
}

fn headers_of(output: &Output, row: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
    output.headers.iter().flat_map(move |headers| headers.of(row))
}

/// What was sent, in the form of the cases; headers only where the case looks at them.
fn shown(outputs: &[Output], expected: &[Record]) -> Value {
    let with_headers = expected.iter().any(|record| record.headers.is_some());
    let with_json = expected.iter().any(|record| record.json.is_some());
    let rows = outputs.iter().flat_map(|output| (0..output.keys.len()).map(move |row| (output, row)));
    rows.map(|(output, row)| {
        let mut value = json!({ "topic": output.topic });
        if let Some(key) = key_of(output, row) {
            value["key"] = bytes_value(key);
        }
        if let Some(bytes) = value_of(output, row) {
            match serde_json::from_slice::<Value>(bytes).ok().filter(|_| with_json) {
                Some(json) => value["json"] = json,
                None => value["value"] = bytes_value(bytes),
            }
        }
        if with_headers {
            value["headers"] = headers_of(output, row).map(|(n, v)| json!([bytes_value(n), bytes_value(v)])).collect();
        }
        value
    })
    .collect()
}

fn record_value(record: &Record) -> Value {
    let mut value = json!({ "topic": record.topic });
    if let Some(key) = &record.key {
        value["key"] = bytes_value(key.bytes());
    }
    if let Some(bytes) = &record.value {
        value["value"] = bytes_value(bytes.bytes());
    }
    if let Some(json) = &record.json {
        value["json"] = json.clone();
    }
    if let Some(headers) = &record.headers {
        value["headers"] = headers.iter().map(|(name, value)| json!([name, bytes_value(value.bytes())])).collect();
    }
    value
}

fn bytes_value(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

fn wrong_state(expected: Option<&BTreeMap<String, String>>, got: &[(Vec<u8>, Vec<u8>)]) -> Option<Difference> {
    let expected = expected?;
    let bytes = expected.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    if bytes.eq(got.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))) {
        return None;
    }
    let pairs = got.iter().map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), bytes_value(value)));
    Some(Difference { expected: json!({ "state": expected }), got: json!({ "state": Value::Object(pairs.collect()) }) })
}
