//! What an agent sends, gathered into columns per topic and handed over in few calls.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::records::{self, Column, HeaderColumns, Outgoing};

/// Bytes of one topic's keys, values and headers after which they are handed to the host before the batch ends.
const FLUSH_BYTES: usize = 1024 * 1024;

/// Records that are on their way out. Visible to readers when the batch is committed, or never.
#[derive(Debug, Default)]
pub struct Outbox {
    topics: Vec<Outgoing>,
    /// Index of the topic that was written to last: most agents have one.
    last: usize,
}

impl Outbox {
    /// Sends one record. The key decides its partition; a record without a value is a tombstone.
    ///
    /// # Errors
    /// Mostly later, with the record at which the buffered ones are handed over, or when the batch ends: `denied` without
    /// `topics.write`, `limit` when the batch's output limit is reached, `not-found` for a topic that does not exist.
    pub fn send(&mut self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), Error> {
        self.send_with_headers(topic, key, value, [])
    }

    /// Sends one record with headers, for example those of the record that it answers: `record.headers()`.
    ///
    /// # Errors
    /// As [`send`](Self::send), and `invalid` for a name that begins with `ce_` or `wasmill-`: the host writes those.
    pub fn send_with_headers<'h>(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Result<(), Error> {
        self.write(topic, key, headers, |bytes| {
            if let Some(value) = value {
                bytes.extend_from_slice(value);
            }
            value.is_some()
        })
    }

    /// Sends one record whose value is written straight into the column, without a buffer between: `value` appends to the
    /// bytes that it gets and must leave alone what is there.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_written(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        value: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Error> {
        self.write(topic, key, [], |bytes| {
            value(bytes);
            true
        })
    }

    /// Hands over everything that is buffered. Happens by itself at the end of each batch.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn flush(&mut self) -> Result<(), Error> {
        self.topics.iter_mut().try_for_each(hand_over)
    }

    /// Forgets what is buffered and keeps the memory.
    pub(crate) fn discard(&mut self) {
        self.topics.iter_mut().for_each(clear);
    }

    fn write<'h>(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
        value: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<(), Error> {
        let outgoing = self.topic(topic);
        let row = outgoing.keys.ends.len();

        mark(&mut outgoing.key_present, row, key.is_some());
        outgoing.keys.bytes.extend_from_slice(key.unwrap_or_default());
        end_row(&mut outgoing.keys);

        let has_value = value(&mut outgoing.values.bytes);
        mark(&mut outgoing.value_present, row, has_value);
        end_row(&mut outgoing.values);

        add_headers(&mut outgoing.headers, row, headers);
        if size(outgoing) >= FLUSH_BYTES { hand_over(outgoing) } else { Ok(()) }
    }

    fn topic(&mut self, topic: &str) -> &mut Outgoing {
        if self.topics.get(self.last).is_none_or(|outgoing| outgoing.topic != topic) {
            self.last = self.topics.iter().position(|outgoing| outgoing.topic == topic).unwrap_or_else(|| {
                self.topics.push(empty(topic));
                self.topics.len() - 1
            });
        }
        &mut self.topics[self.last]
    }
}

fn empty(topic: &str) -> Outgoing {
    let column = || Column { bytes: Vec::new(), ends: Vec::new() };
    Outgoing {
        topic: topic.to_owned(),
        keys: column(),
        key_present: Vec::new(),
        values: column(),
        value_present: Vec::new(),
        headers: None,
    }
}

/// Flags stay empty, which says that every row is there, until the first row that is not.
fn mark(flags: &mut Vec<u8>, row: usize, present: bool) {
    if !present || !flags.is_empty() {
        flags.resize(row, 1);
        flags.push(u8::from(present));
    }
}

fn end_row(column: &mut Column) {
    column.ends.push(column.bytes.len() as u32);
}

fn add_headers<'h>(
    columns: &mut Option<HeaderColumns>,
    row: usize,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
) {
    let mut headers = headers.into_iter().peekable();
    if columns.is_none() && headers.peek().is_none() {
        return;
    }
    let columns = columns.get_or_insert_with(|| HeaderColumns {
        ends: Vec::new(),
        names: Column { bytes: Vec::new(), ends: Vec::new() },
        values: Column { bytes: Vec::new(), ends: Vec::new() },
    });
    // Records before the first one with a header have none.
    columns.ends.resize(row, 0);
    for (name, value) in headers {
        columns.names.bytes.extend_from_slice(name.as_bytes());
        end_row(&mut columns.names);
        columns.values.bytes.extend_from_slice(value);
        end_row(&mut columns.values);
    }
    columns.ends.push(columns.names.ends.len() as u32);
}

fn size(outgoing: &Outgoing) -> usize {
    let headers = outgoing.headers.as_ref().map_or(0, |headers| headers.names.bytes.len() + headers.values.bytes.len());
    outgoing.keys.bytes.len() + outgoing.values.bytes.len() + headers
}

fn hand_over(outgoing: &mut Outgoing) -> Result<(), Error> {
    if outgoing.keys.ends.is_empty() {
        return Ok(());
    }
    let sent = records::send(outgoing);
    clear(outgoing);
    sent
}

fn clear(outgoing: &mut Outgoing) {
    for column in [&mut outgoing.keys, &mut outgoing.values] {
        column.bytes.clear();
        column.ends.clear();
    }
    outgoing.key_present.clear();
    outgoing.value_present.clear();
    outgoing.headers = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_gets_its_own_columns() {
        let mut out = Outbox::default();
        out.send("a", Some(b"k"), Some(b"one")).unwrap();
        out.send("b", Some(b"k"), Some(b"two")).unwrap();
        out.send("a", Some(b"kk"), Some(b"three")).unwrap();
        let [a, b] = &out.topics[..] else { panic!("two topics were written to") };
        assert_eq!((a.topic.as_str(), &a.keys.ends[..], &a.values.bytes[..]), ("a", &[1, 3][..], &b"onethree"[..]));
        assert_eq!((b.topic.as_str(), &b.values.ends[..]), ("b", &[3][..]));
    }

    #[test]
    fn flags_stay_empty_while_every_row_is_there() {
        let mut out = Outbox::default();
        out.send("a", Some(b"k"), Some(b"v")).unwrap();
        assert!(out.topics[0].key_present.is_empty() && out.topics[0].value_present.is_empty());
        out.send("a", None, None).unwrap();
        out.send("a", Some(b"k"), Some(b"v")).unwrap();
        assert_eq!(
            (&out.topics[0].key_present[..], &out.topics[0].value_present[..]),
            (&[1, 0, 1][..], &[1, 0, 1][..])
        );
    }

    #[test]
    fn headers_of_a_late_record_leave_the_earlier_ones_without() {
        let mut out = Outbox::default();
        out.send("a", None, None).unwrap();
        out.send_with_headers("a", None, None, [("x", &b"1"[..]), ("y", b"22")]).unwrap();
        out.send("a", None, None).unwrap();
        let headers = out.topics[0].headers.as_ref().unwrap();
        assert_eq!((&headers.ends[..], &headers.names.ends[..]), (&[0, 2, 2][..], &[1, 2][..]));
        assert_eq!(headers.values.bytes, b"122");
    }

    #[test]
    fn a_value_can_be_written_in_place() {
        let mut out = Outbox::default();
        out.send("a", None, Some(b"1")).unwrap();
        out.send_written("a", None, |bytes| bytes.extend(b"23")).unwrap();
        assert_eq!((&out.topics[0].values.bytes[..], &out.topics[0].values.ends[..]), (&b"123"[..], &[1, 3][..]));
    }

    #[test]
    fn what_a_failed_batch_wrote_is_gone() {
        let mut out = Outbox::default();
        out.send_with_headers("a", None, None, [("x", &b"1"[..])]).unwrap();
        out.discard();
        assert!(out.topics[0].keys.ends.is_empty() && out.topics[0].headers.is_none());
    }
}
