//! From columns to librdkafka's queue.

use super::clients::{ANSWER_MAX, Clients};
use super::errors::translate_code;
use super::native::OwnedHeaders;
use super::producer::{Producer, Sending};
use super::topics::Topics;
use crate::streams::output::{check_output, keyless};
use crate::streams::{Output, StreamError, present};

/// Checks what can be checked before a transaction begins: columns agree, records are small enough, topics exist, and
/// those that are compacted get only records with a key. A broker refuses a record in the middle of a transaction, and
/// what becomes of the records beside it is chance.
///
/// # Errors
/// [`StreamError::InvalidRecord`], [`StreamError::RecordTooLarge`], [`StreamError::UnknownTopic`].
pub(super) async fn check(topics: &Topics, outputs: &[Output]) -> Result<(), StreamError> {
    for output in outputs {
        check_output(output)?;
        let limit = topics.record_bytes_max();
        if let Some(size) = (0..output.values.len()).map(|row| size(output, row)).find(|size| *size > limit) {
            return Err(StreamError::RecordTooLarge { topic: output.topic.clone(), size, limit });
        }
        // Librdkafka would wait half a minute for a topic to appear.
        let target = topics.target(&output.topic).await?;
        if target.is_compacted() && (0..output.values.len()).any(|row| !present(&output.key_present, row)) {
            return Err(keyless(&output.topic));
        }
    }
    Ok(())
}

/// Queues all records of one output.
pub(super) fn send(clients: &Clients, producer: &Producer, output: &Output) -> Result<(), StreamError> {
    let target = clients.targets.get(&output.topic);
    let target = target.ok_or_else(|| StreamError::UnknownTopic(output.topic.clone()))?;
    for row in 0..output.values.len() {
        let key = present(&output.key_present, row).then(|| output.keys.row(row));
        let record = Sending {
            partition: if key.is_none() { Some(target.next_partition()) } else { None },
            key,
            value: present(&output.value_present, row).then(|| output.values.row(row)),
        };
        producer
            .send(&output.topic, &record, headers(output, row), ANSWER_MAX)
            .map_err(|code| translate_code(code, &code.to_string(), &output.topic, &clients.link))?;
    }
    Ok(())
}

fn headers(output: &Output, row: usize) -> Option<OwnedHeaders> {
    let own = output.headers.as_ref().map_or(0, |h| h.of(row).count());
    let count = own + output.common_headers.len() + usize::from(output.id_prefix.is_some());
    if count == 0 {
        return None;
    }
    let mut headers = OwnedHeaders::new(count)?;
    for (name, value) in output.headers.iter().flat_map(|h| h.of(row)) {
        headers.push(name, value);
    }
    for (name, value) in output.common_headers.iter() {
        headers.push(name.as_bytes(), value);
    }
    if let Some(prefix) = &output.id_prefix {
        headers.push(b"ce_id", format!("{prefix}{row}").as_bytes());
    }
    Some(headers)
}

fn size(output: &Output, row: usize) -> usize {
    let own = output.headers.as_ref().map_or(0, |h| h.of(row).map(|(n, v)| n.len() + v.len()).sum());
    output.keys.row(row).len() + output.values.row(row).len() + own
}
