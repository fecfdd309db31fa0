//! Builds the columns of a batch record by record.

use super::{Batch, HeaderColumns};

/// A batch that grows record by record and keeps the short forms: no presence list while every record has a key (a
/// value), no header columns while none has headers.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    batch: Batch,
}

impl BatchBuilder {
    /// An empty batch of one partition.
    pub fn new(topic: &str, partition: u32) -> Self {
        Self { batch: Batch { topic: topic.to_owned(), partition, ..Batch::default() } }
    }

    /// Appends a record.
    pub fn push<'h>(
        &mut self,
        offset: u64,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
    ) {
        let row = self.batch.offsets.len();
        self.batch.offsets.push(offset);
        self.batch.timestamps_ms.push(timestamp_ms);
        mark(&mut self.batch.key_present, row, key.is_some());
        self.batch.keys.push(key.unwrap_or_default());
        mark(&mut self.batch.value_present, row, value.is_some());
        self.batch.values.push(value.unwrap_or_default());
        for (name, value) in headers {
            let columns = self
                .batch
                .headers
                .get_or_insert_with(|| HeaderColumns { ends: vec![0; row], ..HeaderColumns::default() });
            columns.names.push(name);
            columns.values.push(value);
        }
        if let Some(columns) = &mut self.batch.headers {
            columns.ends.push(columns.names.len() as u32);
        }
    }

    /// Number of records so far.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// True without records.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Bytes of keys, values and headers so far.
    pub fn size(&self) -> usize {
        let headers = self.batch.headers.as_ref().map_or(0, |h| h.names.bytes.len() + h.values.bytes.len());
        self.batch.keys.bytes.len() + self.batch.values.bytes.len() + headers
    }

    /// The batch.
    pub fn finish(self) -> Batch {
        self.batch
    }
}

/// Notes whether row `row` is there; the list stays empty until the first one is missing.
pub(super) fn mark(list: &mut Vec<u8>, row: usize, is_present: bool) {
    if list.is_empty() {
        if is_present {
            return;
        }
        list.resize(row, 1);
    }
    list.push(u8::from(is_present));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_and_headers_appear_with_the_first_record_that_needs_them() {
        let mut builder = BatchBuilder::new("t", 3);
        builder.push(7, 1, Some(b"k"), Some(b"v"), std::iter::empty());
        builder.push(9, 2, None, Some(b""), [(&b"n"[..], &b"1"[..]), (b"n", b"2")].into_iter());
        builder.push(10, 3, Some(b""), None, std::iter::empty());
        let batch = builder.finish();
        assert_eq!(batch.offsets, [7, 9, 10]);
        assert_eq!([batch.key(0), batch.key(1), batch.key(2)], [Some(&b"k"[..]), None, Some(b"")]);
        assert_eq!([batch.value(0), batch.value(1), batch.value(2)], [Some(&b"v"[..]), Some(b""), None]);
        let headers = batch.headers.unwrap();
        let rows: Vec<_> = (0..3).map(|i| headers.of(i).collect::<Vec<_>>()).collect();
        assert_eq!(rows, [vec![], vec![(&b"n"[..], &b"1"[..]), (b"n", b"2")], vec![]]);
    }
}
