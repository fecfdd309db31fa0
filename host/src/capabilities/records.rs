//! `records`: what an agent sends, checked and held until the transaction of its batch.

use std::sync::Arc;

use super::errors;
use super::guest::{Guest, Identity, check, count};
use super::services::Services;
use super::topics::refuse_reserved;
use crate::permissions::{Action, Rate};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::records as wit;
use crate::streams::{Column, HeaderColumns, Output, RECORD_SIZE_MAX};

/// Header names that begin so are the host's own.
const RESERVED_HEADERS: [&[u8]; 2] = [b"ce_", b"wasmill-"];
/// Most headers of one record.
const HEADERS_MAX: u32 = 64;

/// What a journal calls the look at a topic.
const READING: &str = "topic";

/// What all records of one batch get from the host.
#[derive(Clone)]
pub struct Stamp {
    /// Headers that are the same on each.
    pub common: Arc<[(String, Vec<u8>)]>,
    /// What each one's `ce_id` begins with; none: they get no id.
    pub id_prefix: Option<String>,
}

impl Default for Stamp {
    fn default() -> Self {
        Self { common: Arc::new([]), id_prefix: None }
    }
}

/// What one batch sends.
pub struct Outbox {
    outputs: Vec<Output>,
    size: usize,
    size_max: usize,
    record_size_max: usize,
    limit: String,
    stamp: Stamp,
}

/// How far an outbox was filled at one moment.
pub struct OutboxSnapshot {
    outputs: usize,
    size: usize,
}

impl Outbox {
    /// An empty outbox that takes `size_max` bytes; `limit` says who set that.
    pub fn new(size_max: usize, limit: String) -> Self {
        let (record_size_max, stamp) = (RECORD_SIZE_MAX, Stamp::default());
        Self { outputs: Vec::new(), size: 0, size_max, record_size_max, limit, stamp }
    }

    /// The same for a log that takes records of so many bytes: a larger one would only fail when it is committed.
    pub fn with_records_up_to(self, record_size_max: usize) -> Self {
        Self { record_size_max, ..self }
    }

    /// A batch begins: nothing is sent yet, and everything it sends gets this stamp.
    pub fn begin(&mut self, stamp: Stamp) {
        self.outputs.clear();
        self.size = 0;
        self.stamp = stamp;
    }

    /// What is sent so far, to come back to with [`Outbox::restore`].
    pub fn snapshot(&self) -> OutboxSnapshot {
        OutboxSnapshot { outputs: self.outputs.len(), size: self.size }
    }

    /// Drops what was sent since the snapshot.
    pub fn restore(&mut self, snapshot: OutboxSnapshot) {
        self.outputs.truncate(snapshot.outputs);
        self.size = snapshot.size;
    }

    /// Takes everything out.
    pub fn take(&mut self) -> Vec<Output> {
        self.size = 0;
        std::mem::take(&mut self.outputs)
    }

    /// Takes what a guest sends.
    ///
    /// # Errors
    /// `invalid` for columns that contradict each other, `limit` where it is more than this batch may send.
    pub fn push(&mut self, records: wit::Outgoing) -> Result<(), Error> {
        let output = checked(records, self.record_size_max)?;
        let headers = output.headers.as_ref().map_or(0, |h| h.names.bytes.len() + h.values.bytes.len());
        let size = self.size.saturating_add(output.keys.bytes.len() + output.values.bytes.len() + headers);
        if size > self.size_max {
            return Err(errors::limit(
                "agent.output",
                format!("this batch would send {size} bytes, over its limit {}", self.limit),
                "send less, take smaller batches (`batch_records` in wasmill.toml), or raise output_kib where it is set",
            ));
        }
        self.size = size;
        // Ids must stay unique over all sends of one batch.
        let id_prefix = self.stamp.id_prefix.as_ref().map(|p| format!("{p}.{}.", self.outputs.len()));
        self.outputs.push(Output { common_headers: self.stamp.common.clone(), id_prefix, ..output });
        Ok(())
    }
}

/// True where the topic exists. Everything is asked once for all records of a send.
async fn may_send_to(identity: &Identity, services: &Services, topic: &str, rows: u64) -> Result<bool, Error> {
    check(identity, services, Action::TopicWrite(topic))?;
    count(identity, services, Rate::Records, rows)?;
    services.topics.contain(&services.streams, topic).await.map_err(|e| errors::stream(&e))
}

impl wit::Host for Guest {
    async fn send(&mut self, records: wit::Outgoing) -> Result<(), Error> {
        refuse_reserved(&records.topic)?;
        let topic_is_there = match self.journal().and_then(|journal| journal.recorded(READING)) {
            Some(known) => known,
            None => {
                let (identity, services) = (self.identity().clone(), self.services().clone());
                let rows = records.keys.ends.len() as u64;
                let found = may_send_to(&identity, &services, &records.topic, rows).await;
                if let Some(journal) = self.journal() {
                    journal.note(READING, &found);
                }
                found
            }
        };
        if !topic_is_there? {
            let topic = &records.topic;
            return Err(errors::not_found(
                "topic.unknown",
                format!("topic `{topic}` does not exist"),
                format!("create it with `wasmill topic create {topic}`"),
            ));
        }
        let side = self.agent_side().ok_or_else(|| {
            errors::invalid(
                "records.none",
                "only agents send records",
                "return the data to the agent that calls this tool",
            )
        })?;
        side.outbox.push(records)
    }
}

/// Columns that fit together, from columns as a guest gave them.
fn checked(records: wit::Outgoing, record_size_max: usize) -> Result<Output, Error> {
    let rows = records.keys.ends.len();
    let keys = column(records.keys, rows, "keys")?;
    let values = column(records.values, rows, "values")?;
    flags("key-present", &records.key_present, &keys)?;
    flags("value-present", &records.value_present, &values)?;
    let headers = records.headers.map(|h| header_columns(h, rows)).transpose()?;
    for row in 0..rows {
        let headers = headers.as_ref().map_or(0, |h| h.of(row).map(|(n, v)| n.len() + v.len()).sum());
        let size = keys.row(row).len() + values.row(row).len() + headers;
        if size > record_size_max {
            return Err(errors::invalid(
                "record.too-large",
                format!("record {row} has {size} bytes, over the limit of {record_size_max}"),
                "send less, or send a pointer to where the data is",
            ));
        }
    }
    Ok(Output {
        topic: records.topic,
        keys,
        key_present: records.key_present,
        values,
        value_present: records.value_present,
        headers,
        ..Output::default()
    })
}

/// One flag per row or none at all; what is absent has no bytes.
fn flags(name: &str, list: &[u8], column: &Column) -> Result<(), Error> {
    let rows = column.len();
    if !list.is_empty() && list.len() != rows {
        return Err(inconsistent(format!("`{name}` has {} entries for {rows} records", list.len())));
    }
    for (row, flag) in list.iter().enumerate() {
        match flag {
            1 => {}
            0 if column.row(row).is_empty() => {}
            0 => return Err(inconsistent(format!("`{name}` says that row {row} is absent, but it has bytes"))),
            other => return Err(inconsistent(format!("`{name}` says {other} of row {row}, which is neither 0 nor 1"))),
        }
    }
    Ok(())
}

fn column(column: wit::Column, rows: usize, name: &str) -> Result<Column, Error> {
    let column = Column { bytes: column.bytes, ends: column.ends };
    if column.len() != rows {
        return Err(inconsistent(format!("`{name}` has {} rows for {rows}", column.len())));
    }
    if !column.is_consistent() {
        return Err(inconsistent(format!("the ends of `{name}` contradict its bytes")));
    }
    Ok(column)
}

fn header_columns(headers: wit::HeaderColumns, records: usize) -> Result<HeaderColumns, Error> {
    let rows = headers.ends.last().copied().unwrap_or(0) as usize;
    if headers.ends.len() != records || !headers.ends.is_sorted() {
        return Err(inconsistent("the ends of the headers contradict the number of records".into()));
    }
    let names = column(headers.names, rows, "header names")?;
    let values = column(headers.values, rows, "header values")?;
    let mut before = 0;
    for &end in &headers.ends {
        if end - before > HEADERS_MAX {
            return Err(errors::invalid(
                "record.headers",
                format!("a record has over {HEADERS_MAX} headers"),
                "use fewer",
            ));
        }
        before = end;
    }
    for row in 0..rows {
        let name = names.row(row);
        if name.is_empty() || std::str::from_utf8(name).is_err() || name.contains(&0) {
            return Err(errors::invalid("record.header", "a header's name is empty or not text", "name it"));
        }
        if RESERVED_HEADERS.iter().any(|r| name.starts_with(r)) {
            return Err(errors::invalid(
                "record.header",
                format!("header `{}` is the host's own", String::from_utf8_lossy(name)),
                "use a name that doesn't begin with `ce_` or `wasmill-`",
            ));
        }
    }
    Ok(HeaderColumns { ends: headers.ends, names, values })
}

fn inconsistent(message: String) -> Error {
    errors::invalid("records.columns", message, "give each column one row per record; the SDK does it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox_of(size_max: usize) -> Outbox {
        Outbox::new(size_max, format!("{size_max} bytes"))
    }

    fn column_of(rows: &[&str]) -> wit::Column {
        let mut column = Column::default();
        rows.iter().for_each(|r| column.push(r.as_bytes()));
        wit::Column { bytes: column.bytes, ends: column.ends }
    }

    fn outgoing(rows: &[&str]) -> wit::Outgoing {
        wit::Outgoing {
            topic: "t".into(),
            keys: column_of(rows),
            key_present: vec![],
            values: column_of(rows),
            value_present: vec![],
            headers: None,
        }
    }

    fn headers(name: &str) -> Option<wit::HeaderColumns> {
        Some(wit::HeaderColumns { ends: vec![1], names: column_of(&[name]), values: column_of(&["v"]) })
    }

    #[test]
    fn columns_that_lie_are_refused_before_anything_reads_them() {
        let lies: [fn(&mut wit::Outgoing); 10] = [
            |o| o.keys.ends[0] = 99,
            |o| o.keys.ends = vec![2, 1],
            |o| o.values.bytes.clear(),
            |o| o.values.ends = vec![1],
            |o| o.key_present = vec![1],
            |o| o.value_present = vec![1, 1, 1],
            |o| o.value_present = vec![2, 1],
            |o| o.key_present = vec![1, 0],
            |o| {
                o.headers = Some(wit::HeaderColumns { ends: vec![5, 2], names: column_of(&[]), values: column_of(&[]) })
            },
            |o| {
                o.headers = Some(wit::HeaderColumns { ends: vec![0, 1], names: column_of(&[]), values: column_of(&[]) })
            },
        ];
        assert!(outbox_of(100).push(outgoing(&["a", "b"])).is_ok());
        for (i, lie) in lies.iter().enumerate() {
            let mut records = outgoing(&["a", "b"]);
            lie(&mut records);
            assert!(matches!(outbox_of(100).push(records), Err(Error::Invalid(_))), "lie {i}");
        }
    }

    #[test]
    fn the_hosts_own_headers_cannot_be_forged() {
        for name in ["ce_source", "wasmill-digest", ""] {
            let records = wit::Outgoing { headers: headers(name), ..outgoing(&["a"]) };
            assert!(matches!(outbox_of(100).push(records), Err(Error::Invalid(_))), "{name}");
        }
        let records = wit::Outgoing { headers: headers("mine"), ..outgoing(&["a"]) };
        assert!(outbox_of(100).push(records).is_ok());
    }

    #[test]
    fn a_batch_sends_up_to_its_limit_over_all_its_sends() {
        let mut outbox = outbox_of(8);
        outbox.push(outgoing(&["ab", "cd"])).unwrap();
        assert!(matches!(outbox.push(outgoing(&["e"])), Err(Error::Limit(_))));
        assert_eq!(outbox.take().len(), 1);
        assert!(outbox.push(outgoing(&["e"])).is_ok(), "what was taken counts no more");
    }

    #[test]
    fn a_record_over_the_size_limit_is_refused_by_its_row() {
        let large = "x".repeat(RECORD_SIZE_MAX / 2 + 1);
        let error = outbox_of(usize::MAX).push(outgoing(&["a", &large])).unwrap_err();
        assert!(errors::problem(&error).message.contains("record 1"), "{error:?}");
    }
}
