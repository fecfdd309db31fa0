//! Setting a record aside.

use crate::capabilities::{Identity, Services};
use crate::problem::Problem;
use crate::streams::{Batch, Column, Output};

/// Most characters of a reason; a component may have much to say.
const REASON_SIZE_MAX: usize = 2000;

/// What the names of all headers of a dead letter begin with. Behind it:
pub(super) const HEADER_PREFIX: &str = "wasmill-dlq-";
const TOPIC: &str = "topic";
pub(super) const PARTITION: &str = "partition";
pub(super) const OFFSET: &str = "offset";
pub(super) const AGENT: &str = "agent";
pub(super) const CODE: &str = "code";
pub(super) const REASON: &str = "reason";
pub(super) const ATTEMPTS: &str = "attempts";
pub(super) const OMITTED: &str = "omitted";
pub(super) const STACK: &str = "stack";

/// Why a record is set aside.
#[derive(Debug, Clone)]
pub struct Reason {
    /// The last error.
    pub problem: Problem,
    /// Where the agent trapped, where it did.
    pub stack: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
}

/// Name of the dead-letter topic of a topic.
pub fn topic_of(topic: &str) -> String {
    format!("{topic}.dlq")
}

/// What goes to the dead-letter topic for a record that an agent could not handle; the log says so.
pub fn set_aside(identity: &Identity, services: &Services, alone: &Batch, reason: &Reason) -> Output {
    let problem = &reason.problem;
    tracing::warn!(
        agent = %identity.component, topic = %alone.topic, partition = alone.partition,
        offset = alone.offsets.first(), code = %problem.code, "set aside on the dead-letter topic: {}", problem.message
    );
    letter(alone, identity.principal.name(), reason, services.streams.record_bytes_max())
}

/// The dead letter of a record: as it came, with headers that say where it was, who (`by`) could not handle it, why, and how often it was tried.
///
/// Of a record with more than `size_max` bytes, which the log would not take again since its limit was lowered, only
/// these headers are kept: it can be read where it was.
pub fn letter(alone: &Batch, by: &str, reason: &Reason, size_max: usize) -> Output {
    let Reason { problem, stack, attempts } = reason;
    let fits = own_size(alone) <= size_max;
    let offset = alone.offsets.first().copied().unwrap_or_default();
    let header = |name: &str, value: &str| (format!("{HEADER_PREFIX}{name}"), value.as_bytes().to_vec());
    // The host's headers and not the record's own: a record of the largest size must fit in here too.
    let mut common_headers = vec![
        header(TOPIC, &alone.topic),
        header(PARTITION, &alone.partition.to_string()),
        header(OFFSET, &offset.to_string()),
        header(AGENT, by),
        header(CODE, &problem.code),
        header(REASON, &problem.message.chars().take(REASON_SIZE_MAX).collect::<String>()),
        header(ATTEMPTS, &attempts.to_string()),
    ];
    if let Some(stack) = stack {
        common_headers.push(header(STACK, stack));
    }
    if !fits {
        common_headers.push(header(OMITTED, "all"));
    }
    let common_headers = common_headers.into();
    let topic = topic_of(&alone.topic);
    if !fits {
        let mut nothing = Column::default();
        nothing.push(&[]);
        let (keys, values) = (nothing.clone(), nothing);
        let (key_present, value_present) = (vec![0], vec![0]);
        return Output { topic, keys, key_present, values, value_present, common_headers, ..Output::default() };
    }
    Output {
        topic,
        keys: alone.keys.clone(),
        key_present: alone.key_present.clone(),
        values: alone.values.clone(),
        value_present: alone.value_present.clone(),
        headers: alone.headers.clone(),
        common_headers,
        ..Output::default()
    }
}

/// Key, value and headers of a batch together, in bytes.
fn own_size(batch: &Batch) -> usize {
    let headers = batch.headers.as_ref().map_or(0, |headers| headers.names.bytes.len() + headers.values.bytes.len());
    batch.keys.bytes.len() + batch.values.bytes.len() + headers
}
