//! A batch of records, read in place: nothing is copied or allocated to look at a record.

use std::cell::Cell;

use crate::bindings::agent::wasmill::plugin::records;

/// Records of one topic partition, in offset order.
#[derive(Debug)]
pub struct Batch {
    columns: records::Batch,
    /// Row that was looked at last, so that an error can name it without the agent saying so.
    position: Cell<u32>,
}

impl Batch {
    pub(crate) fn new(columns: records::Batch) -> Self {
        Self { columns, position: Cell::new(0) }
    }

    /// Topic that the records come from.
    pub fn topic(&self) -> &str {
        &self.columns.topic
    }

    /// Partition of that topic.
    pub fn partition(&self) -> u32 {
        self.columns.partition
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.columns.offsets.len()
    }

    /// True where there is no record.
    pub fn is_empty(&self) -> bool {
        self.columns.offsets.is_empty()
    }

    /// The record in row `row`, counted from 0; none behind the last one.
    pub fn get(&self, row: usize) -> Option<Record<'_>> {
        if row >= self.len() {
            return None;
        }
        self.position.set(row as u32);
        Some(Record { columns: &self.columns, row })
    }

    /// The records in order.
    pub fn iter(&self) -> Records<'_> {
        Records { batch: self, next: 0 }
    }

    pub(crate) fn position(&self) -> u32 {
        self.position.get()
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = Record<'a>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// The records of a batch in order.
#[derive(Debug)]
pub struct Records<'a> {
    batch: &'a Batch,
    next: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let record = self.batch.get(self.next)?;
        self.next += 1;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Records<'_> {}

/// One record, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    columns: &'a records::Batch,
    row: usize,
}

impl<'a> Record<'a> {
    /// Row in its batch, counted from 0.
    pub fn row(&self) -> u32 {
        self.row as u32
    }

    /// Offset in its partition.
    pub fn offset(&self) -> u64 {
        self.columns.offsets[self.row]
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, where the record has a timestamp.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.columns.timestamps_ms.get(self.row).copied().filter(|timestamp| *timestamp >= 0)
    }

    /// The key, where there is one.
    pub fn key(&self) -> Option<&'a [u8]> {
        present(&self.columns.key_present, self.row).then(|| cell(&self.columns.keys, self.row))
    }

    /// The key as text; none where there is no key or it is not UTF-8.
    pub fn key_str(&self) -> Option<&'a str> {
        self.key().and_then(|key| std::str::from_utf8(key).ok())
    }

    /// The value; none for a tombstone.
    pub fn value(&self) -> Option<&'a [u8]> {
        present(&self.columns.value_present, self.row).then(|| cell(&self.columns.values, self.row))
    }

    /// The value as text; none for a tombstone or where it is not UTF-8.
    pub fn value_str(&self) -> Option<&'a str> {
        self.value().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The headers that an agent may pass on: without those that the host writes on every record that is sent (`ce_…`,
    /// `wasmill-…`, `traceparent`).
    pub fn own_headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let hosts = |name: &str| name.starts_with("ce_") || name.starts_with("wasmill-") || name == "traceparent";
        self.headers().filter(move |(name, _)| !hosts(name))
    }

    /// All headers in order; a name may come more than once.
    pub fn headers(&self) -> Headers<'a> {
        let columns = self.columns.headers.as_ref();
        let (next, end) = columns.map_or((0, 0), |headers| range(&headers.ends, self.row));
        Headers { columns, next, end }
    }

    /// Value of the last header of that name.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers().filter(|(found, _)| *found == name).last().map(|(_, value)| value)
    }
}

/// Headers of one record: name and value.
#[derive(Debug, Clone)]
pub struct Headers<'a> {
    columns: Option<&'a records::HeaderColumns>,
    next: usize,
    end: usize,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let columns = self.columns.filter(|_| self.next < self.end)?;
        let row = self.next;
        self.next += 1;
        let name = std::str::from_utf8(cell(&columns.names, row)).unwrap_or_default();
        Some((name, cell(&columns.values, row)))
    }
}

fn range(ends: &[u32], row: usize) -> (usize, usize) {
    let start = if row == 0 { 0 } else { ends[row - 1] as usize };
    (start, ends[row] as usize)
}

fn cell(column: &records::Column, row: usize) -> &[u8] {
    let (start, end) = range(&column.ends, row);
    &column.bytes[start..end]
}

fn present(flags: &[u8], row: usize) -> bool {
    flags.get(row).is_none_or(|flag| *flag != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rows: &[&[u8]]) -> records::Column {
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len() as u32;
            Some(*end)
        });
        records::Column { bytes: rows.concat(), ends: ends.collect() }
    }

    fn batch() -> Batch {
        Batch::new(records::Batch {
            topic: "t".into(),
            partition: 3,
            offsets: vec![10, 12],
            timestamps_ms: vec![5, -1],
            keys: column(&[b"k", b""]),
            key_present: vec![1, 0],
            values: column(&[b"first", b""]),
            value_present: vec![1, 0],
            headers: Some(records::HeaderColumns {
                ends: vec![2, 2],
                names: column(&[b"a", b"a"]),
                values: column(&[b"1", b"2"]),
            }),
        })
    }

    #[test]
    fn a_record_shows_what_its_columns_hold() {
        let batch = batch();
        let first = batch.get(0).unwrap();
        assert_eq!((first.key_str(), first.value_str()), (Some("k"), Some("first")));
        assert_eq!((first.offset(), first.timestamp_ms()), (10, Some(5)));
        assert_eq!(first.headers().collect::<Vec<_>>(), [("a", &b"1"[..]), ("a", b"2")]);
    }

    #[test]
    fn what_is_absent_is_none_and_not_empty() {
        let batch = batch();
        let second = batch.get(1).unwrap();
        assert_eq!((second.key(), second.value(), second.timestamp_ms()), (None, None, None));
        assert_eq!(second.headers().count(), 0);
    }

    #[test]
    fn the_last_header_of_a_name_wins() {
        assert_eq!(batch().get(0).unwrap().header("a"), Some(&b"2"[..]));
    }

    #[test]
    fn an_iteration_ends_with_the_last_row_and_remembers_it() {
        let batch = batch();
        assert_eq!(batch.iter().map(|record| record.row()).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(batch.position(), 1);
        assert!(batch.get(2).is_none());
    }
}
