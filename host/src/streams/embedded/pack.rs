//! Turns records into segments: checks them, chooses partitions, makes the blobs. All of it happens in the caller's
//! task, so that the one writing thread only stores finished blobs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::catalog::{Catalog, Topic};
use super::segment::SegmentWriter;
use crate::streams::batch::present;
use crate::streams::output::{check_output, keyless};
use crate::streams::partitioner::partition_of;
use crate::streams::{Output, Record, StreamError};

/// A segment is closed at this size, in bytes. The file hands out space in powers of two, so the blob must stay below
/// one of them.
const SEGMENT_SIZE_MAX: usize = 1_000_000;

/// One segment, ready to be stored.
pub struct Packed {
    /// Where to.
    pub topic: Arc<Topic>,
    /// Where to.
    pub partition: u32,
    /// Number of records.
    pub rows: u32,
    /// Key of the one record, in a compacted topic.
    pub key: Option<Vec<u8>>,
    /// The segment.
    pub blob: Vec<u8>,
}

/// Packs single records. Also returns the partition of each.
pub fn records(
    topic: &Arc<Topic>,
    records: &[Record],
    size_max: usize,
) -> Result<(Vec<Packed>, Vec<u32>), StreamError> {
    let mut packer = Packer::new(topic.clone(), size_max, Arc::from([]), None);
    let mut partitions = Vec::with_capacity(records.len());
    let now = now_ms();
    for (number, record) in records.iter().enumerate() {
        let headers = record.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let timestamp = record.timestamp_ms.unwrap_or(now);
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        partitions.push(packer.push(record.partition, timestamp, key, value, headers, number as u32)?);
    }
    Ok((packer.finish(), partitions))
}

/// Packs what a worker sends.
pub fn outputs(catalog: &Catalog, outputs: &[Output], size_max: usize) -> Result<Vec<Packed>, StreamError> {
    let mut all = Vec::new();
    let now = now_ms();
    for output in outputs {
        let topic = catalog.get(&output.topic)?;
        check_output(output)?;
        let mut packer = Packer::new(topic, size_max, output.common_headers.clone(), output.id_prefix.clone());
        for row in 0..output.keys.len() {
            let key = present(&output.key_present, row).then(|| output.keys.row(row));
            let value = present(&output.value_present, row).then(|| output.values.row(row));
            let headers = output.headers.iter().flat_map(|headers| headers.of(row));
            packer.push(None, now, key, value, headers, row as u32)?;
        }
        all.append(&mut packer.finish());
    }
    Ok(all)
}

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(-1, |since| since.as_millis() as i64)
}

/// Collects the records of one output by partition.
struct Packer {
    topic: Arc<Topic>,
    size_max: usize,
    common_headers: Arc<[(String, Vec<u8>)]>,
    common_size: usize,
    id_prefix: Option<String>,
    /// Segment of each partition that is being filled.
    open: Vec<Option<SegmentWriter>>,
    packed: Vec<Packed>,
}

impl Packer {
    fn new(
        topic: Arc<Topic>,
        size_max: usize,
        common_headers: Arc<[(String, Vec<u8>)]>,
        id_prefix: Option<String>,
    ) -> Self {
        let common_size = common_headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let open = (0..topic.spec.partitions).map(|_| None).collect();
        Self { topic, size_max, common_headers, common_size, id_prefix, open, packed: Vec::new() }
    }

    /// Takes one record and says which partition it went to.
    fn push<'h>(
        &mut self,
        partition: Option<u32>,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        number: u32,
    ) -> Result<u32, StreamError> {
        let own_headers: usize = headers.clone().map(|(name, value)| name.len() + value.len()).sum();
        let size = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len) + own_headers;
        if size > self.size_max {
            let topic = self.topic.spec.name.clone();
            return Err(StreamError::RecordTooLarge { topic, size, limit: self.size_max });
        }
        let size = size + self.common_size;
        if self.topic.spec.compacted && key.is_none() {
            return Err(keyless(&self.topic.spec.name));
        }
        let partition = match (partition, key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of(key, self.topic.spec.partitions),
            (None, None) => self.topic.next_in_turn(),
        };
        self.topic.check_partition(partition)?;
        if self.filled(partition) + size > SEGMENT_SIZE_MAX {
            self.close(partition, None);
        }
        let (common_headers, id_prefix) = (&self.common_headers, &self.id_prefix);
        if let Some(place) = self.open.get_mut(partition as usize) {
            place.get_or_insert_with(|| SegmentWriter::new(common_headers.clone(), id_prefix.clone())).push(
                timestamp_ms,
                key,
                value,
                headers,
                number,
            );
        }
        if self.topic.spec.compacted {
            // A record of its own can be taken away when a newer one with its key arrives.
            self.close(partition, key);
        }
        Ok(partition)
    }

    fn filled(&self, partition: u32) -> usize {
        self.open.get(partition as usize).and_then(Option::as_ref).map_or(0, SegmentWriter::size)
    }

    fn close(&mut self, partition: u32, key: Option<&[u8]>) {
        if let Some(writer) = self.open.get_mut(partition as usize).and_then(Option::take) {
            self.packed.push(Packed {
                topic: self.topic.clone(),
                partition,
                rows: writer.rows(),
                key: key.map(<[u8]>::to_vec),
                blob: writer.encode(),
            });
        }
    }

    fn finish(mut self) -> Vec<Packed> {
        (0..self.topic.spec.partitions).for_each(|partition| self.close(partition, None));
        self.packed
    }
}
