//! Makes the blob of a segment.

use std::sync::Arc;

use super::{KEYS_MAY_LACK, NUMBERED, ONE_TIMESTAMP, OWN_HEADERS, VALUES_MAY_LACK, VERSION};
use crate::streams::batch_builder::mark;
use crate::streams::{Column, HeaderColumns};

/// Records on their way into a segment.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    timestamps_ms: Vec<i64>,
    keys: Column,
    key_present: Vec<u8>,
    values: Column,
    value_present: Vec<u8>,
    headers: HeaderColumns,
    common_headers: Arc<[(String, Vec<u8>)]>,
    id_prefix: Option<String>,
    id_numbers: Vec<u32>,
}

impl SegmentWriter {
    /// A segment whose records all get these headers, after their own.
    pub fn new(common_headers: Arc<[(String, Vec<u8>)]>, id_prefix: Option<String>) -> Self {
        Self { common_headers, id_prefix, ..Self::default() }
    }

    /// Appends a record. `number` is its row in the output that it comes from.
    pub fn push<'h>(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
        number: u32,
    ) {
        let row = self.timestamps_ms.len();
        self.timestamps_ms.push(timestamp_ms);
        mark(&mut self.key_present, row, key.is_some());
        self.keys.push(key.unwrap_or_default());
        mark(&mut self.value_present, row, value.is_some());
        self.values.push(value.unwrap_or_default());
        for (name, value) in headers {
            self.headers.names.push(name);
            self.headers.values.push(value);
        }
        self.headers.ends.push(self.headers.names.len() as u32);
        if self.id_prefix.is_some() {
            self.id_numbers.push(number);
        }
    }

    /// Number of records.
    pub fn rows(&self) -> u32 {
        self.timestamps_ms.len() as u32
    }

    /// Bytes of what was pushed, without the shared headers.
    pub fn size(&self) -> usize {
        let headers = self.headers.names.bytes.len() + self.headers.values.bytes.len();
        self.keys.bytes.len() + self.values.bytes.len() + headers + 16 * self.timestamps_ms.len()
    }

    /// The blob.
    pub fn encode(&self) -> Vec<u8> {
        let one_timestamp = self.timestamps_ms.windows(2).all(|w| w[0] == w[1]);
        let flags = flag(KEYS_MAY_LACK, !self.key_present.is_empty())
            | flag(VALUES_MAY_LACK, !self.value_present.is_empty())
            | flag(OWN_HEADERS, !self.headers.names.is_empty())
            | flag(NUMBERED, self.id_prefix.is_some())
            | flag(ONE_TIMESTAMP, one_timestamp);
        let mut blob = Vec::with_capacity(self.size() + 64);
        blob.extend_from_slice(&[0; 4]);
        blob.extend_from_slice(&[VERSION, flags]);
        put_u32(&mut blob, self.rows());
        for timestamp in self.timestamps_ms.iter().take(if one_timestamp { 1 } else { usize::MAX }) {
            blob.extend_from_slice(&timestamp.to_le_bytes());
        }
        blob.extend_from_slice(&self.key_present);
        put_column(&mut blob, &self.keys);
        blob.extend_from_slice(&self.value_present);
        put_column(&mut blob, &self.values);
        put_u32(&mut blob, self.common_headers.len() as u32);
        for (name, value) in self.common_headers.iter() {
            put_bytes(&mut blob, name.as_bytes());
            put_bytes(&mut blob, value);
        }
        if let Some(prefix) = &self.id_prefix {
            put_bytes(&mut blob, prefix.as_bytes());
            put_u32s(&mut blob, &self.id_numbers);
        }
        if flags & OWN_HEADERS != 0 {
            put_u32s(&mut blob, &self.headers.ends);
            put_column(&mut blob, &self.headers.names);
            put_column(&mut blob, &self.headers.values);
        }
        let checksum = crc32fast::hash(&blob[4..]);
        blob[..4].copy_from_slice(&checksum.to_le_bytes());
        blob
    }
}

fn flag(bit: u8, is_set: bool) -> u8 {
    if is_set { bit } else { 0 }
}

fn put_u32(blob: &mut Vec<u8>, number: u32) {
    blob.extend_from_slice(&number.to_le_bytes());
}

fn put_u32s(blob: &mut Vec<u8>, numbers: &[u32]) {
    blob.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
}

fn put_bytes(blob: &mut Vec<u8>, bytes: &[u8]) {
    // Headers and prefixes are bounded by the record size limit, far below 4 GiB.
    put_u32(blob, bytes.len() as u32);
    blob.extend_from_slice(bytes);
}

fn put_column(blob: &mut Vec<u8>, column: &Column) {
    put_u32s(blob, &column.ends);
    blob.extend_from_slice(&column.bytes);
}
