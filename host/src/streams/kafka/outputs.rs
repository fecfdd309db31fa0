//! From columns to librdkafka's queue.

use std::fmt::Write;

use rdkafka::error::RDKafkaErrorCode;

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
    let failed = |code: RDKafkaErrorCode| translate_code(code, &code.to_string(), &output.topic, &clients.link);
    let outlet = producer.outlet(&output.topic).map_err(failed)?;
    let mut id = output.id_prefix.as_deref().map(Id::new);
    for row in 0..output.values.len() {
        let key = present(&output.key_present, row).then(|| output.keys.row(row));
        let record = Sending {
            partition: if key.is_none() { Some(target.next_partition()) } else { None },
            key,
            value: present(&output.value_present, row).then(|| output.values.row(row)),
        };
        producer.send(&outlet, &record, headers(output, row, id.as_mut()), ANSWER_MAX).map_err(failed)?;
    }
    Ok(())
}

fn headers(output: &Output, row: usize, id: Option<&mut Id>) -> Option<OwnedHeaders> {
    let own = output.headers.as_ref().map_or(0, |h| h.of(row).count());
    let count = own + output.common_headers.len() + usize::from(id.is_some());
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
    if let Some(id) = id {
        headers.push(b"ce_id", id.of(row));
    }
    Some(headers)
}

/// The ids of an output's records: a prefix with the row behind it. One buffer serves all of them.
struct Id {
    text: String,
    prefix_len: usize,
}

impl Id {
    fn new(prefix: &str) -> Self {
        Self { text: prefix.to_owned(), prefix_len: prefix.len() }
    }

    fn of(&mut self, row: usize) -> &[u8] {
        self.text.truncate(self.prefix_len);
        // Writing into a string can't fail.
        let _ = write!(self.text, "{row}");
        self.text.as_bytes()
    }
}

fn size(output: &Output, row: usize) -> usize {
    let own = output.headers.as_ref().map_or(0, |h| h.of(row).map(|(n, v)| n.len() + v.len()).sum());
    output.keys.row(row).len() + output.values.row(row).len() + own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_an_id_of_its_own() {
        let mut id = Id::new("in-0-7.0.");
        let ids: Vec<Vec<u8>> = [0, 12, 3].map(|row| id.of(row).to_vec()).into();
        assert_eq!(ids, [b"in-0-7.0.0".to_vec(), b"in-0-7.0.12".to_vec(), b"in-0-7.0.3".to_vec()]);
    }
}
