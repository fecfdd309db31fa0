//! Reads records out of the stored segments.

use redb::ReadTransaction;

use super::catalog::Topic;
use super::segment::Segment;
use super::{failure, tables};
use crate::streams::batch_builder::BatchBuilder;
use crate::streams::{Batch, StreamError};

/// How much more may be read, over several partitions.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Records.
    pub records: usize,
    /// Bytes of keys, values and headers.
    pub bytes: usize,
    /// True once a record was taken: only the first one may exceed `bytes`.
    pub is_used: bool,
}

impl Budget {
    /// A fresh budget.
    pub fn new(records: usize, bytes: usize) -> Self {
        Self { records, bytes, is_used: false }
    }

    fn take(&mut self, size: usize) -> bool {
        if self.records == 0 || (self.is_used && size > self.bytes) {
            return false;
        }
        self.records -= 1;
        self.bytes = self.bytes.saturating_sub(size);
        self.is_used = true;
        true
    }
}

/// Reads one partition from `from` up to `head`, as far as the budget goes. Returns the records and where to go on.
pub fn partition(
    snapshot: &ReadTransaction,
    topic: &Topic,
    partition: u32,
    from: u64,
    head: u64,
    budget: &mut Budget,
) -> Result<(Batch, u64), StreamError> {
    let segments = snapshot.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
    let key = |offset: u64| (topic.id, partition, offset);
    // The segment that holds `from` begins at or before it.
    let before = segments.range(key(0)..=key(from)).map_err(failure::in_use)?.next_back();
    let start = match before {
        Some(row) => row.map_err(failure::in_use)?.0.value().2,
        None => from,
    };
    let mut builder = BatchBuilder::new(&topic.spec.name, partition);
    let mut id_space = Vec::new();
    for row in segments.range(key(start)..key(head)).map_err(failure::in_use)? {
        let (key, blob) = row.map_err(failure::in_use)?;
        let base = key.value().2;
        let segment = Segment::parse(blob.value()).map_err(|e| at(e, topic, partition, base))?;
        let skipped = usize::try_from(from.saturating_sub(base)).unwrap_or(usize::MAX);
        for i in skipped..segment.rows() {
            let offset = base + i as u64;
            let id = segment.id(i, &mut id_space);
            let headers = || segment.headers(i).chain(id);
            let (key, value) = (segment.key(i), segment.value(i));
            let size = key.map_or(0, <[u8]>::len)
                + value.map_or(0, <[u8]>::len)
                + headers().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            if !budget.take(size) {
                // Without a single record, the next read begins where this one did.
                let batch = builder.finish();
                let next = batch.offsets.last().map_or(from, |last| last + 1);
                return Ok((batch, next));
            }
            builder.push(offset, segment.timestamp_ms(i), key, value, headers());
        }
    }
    // Compaction may have left nothing up to the end.
    Ok((builder.finish(), head.max(from)))
}

/// Offset of the oldest record that is there; `head` without any.
pub fn first(snapshot: &ReadTransaction, topic: &Topic, partition: u32, head: u64) -> Result<u64, StreamError> {
    let segments = snapshot.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
    let mut rows =
        segments.range((topic.id, partition, 0)..(topic.id, partition, u64::MAX)).map_err(failure::in_use)?;
    match rows.next() {
        Some(row) => Ok(row.map_err(failure::in_use)?.0.value().2),
        None => Ok(head),
    }
}

/// Committed offset of a group.
pub fn committed(
    snapshot: &ReadTransaction,
    group: &str,
    topic: &Topic,
    partition: u32,
) -> Result<Option<u64>, StreamError> {
    let offsets = snapshot.open_table(tables::OFFSETS).map_err(failure::in_use)?;
    Ok(offsets.get((group, topic.id, partition)).map_err(failure::in_use)?.map(|offset| offset.value()))
}

fn at(error: StreamError, topic: &Topic, partition: u32, base: u64) -> StreamError {
    match error {
        StreamError::Damaged(what) => {
            StreamError::Damaged(format!("topic `{}`, partition {partition}, offset {base}: {what}", topic.spec.name))
        }
        other => other,
    }
}
