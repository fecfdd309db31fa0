//! One stored blob: the records that one commit put into one partition, as columns.
//!
//! Layout, little-endian: CRC-32 of the rest; version; flags; number of rows; timestamps (one, or one per row); keys;
//! values; headers that all rows share; prefix and numbers of `ce_id`; headers of single rows. A column is its ends
//! (`u32` each) and its bytes, with one presence byte per row in front where a row may be absent. Offsets are not
//! inside: the key of the blob gives the first one, the others follow it.

use std::sync::Arc;

use crate::streams::batch_builder::mark;
use crate::streams::{Column, HeaderColumns, StreamError};

const VERSION: u8 = 1;
const KEYS_MAY_LACK: u8 = 1;
const VALUES_MAY_LACK: u8 = 2;
const OWN_HEADERS: u8 = 4;
const NUMBERED: u8 = 8;
const ONE_TIMESTAMP: u8 = 16;

/// Header that numbers the records of one output.
const ID_HEADER: &[u8] = b"ce_id";

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

/// A stored segment, read in place.
pub struct Segment<'a> {
    rows: usize,
    timestamps: &'a [u8],
    keys: Rows<'a>,
    values: Rows<'a>,
    common_headers: Vec<(&'a [u8], &'a [u8])>,
    ids: Option<(&'a [u8], &'a [u8])>,
    header_ends: &'a [u8],
    header_names: Rows<'a>,
    header_values: Rows<'a>,
}

impl<'a> Segment<'a> {
    /// Checks a blob and finds its columns.
    ///
    /// # Errors
    /// [`StreamError::Damaged`] where the checksum or the layout is wrong, or a later version wrote it.
    pub fn parse(blob: &'a [u8]) -> Result<Self, StreamError> {
        parse(blob).ok_or_else(|| {
            StreamError::Damaged(
                "a block of records has a wrong checksum or an unknown layout; restore the file from a copy".to_owned(),
            )
        })
    }

    /// Number of records.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Timestamp of a record.
    pub fn timestamp_ms(&self, row: usize) -> i64 {
        let at = if self.timestamps.len() == 8 { 0 } else { row };
        self.timestamps.as_chunks().0.get(at).map_or(-1, |bytes| i64::from_le_bytes(*bytes))
    }

    /// Key of a record.
    pub fn key(&self, row: usize) -> Option<&'a [u8]> {
        self.keys.get(row)
    }

    /// Value of a record.
    pub fn value(&self, row: usize) -> Option<&'a [u8]> {
        self.values.get(row)
    }

    /// The header text that numbers a record, written into `space`.
    pub fn id<'s>(&self, row: usize, space: &'s mut Vec<u8>) -> Option<(&'static [u8], &'s [u8])> {
        let (prefix, numbers) = self.ids?;
        space.clear();
        space.extend_from_slice(prefix);
        space.extend_from_slice(u32_at(numbers, row).to_string().as_bytes());
        Some((ID_HEADER, space.as_slice()))
    }

    /// Headers of a record without the one that numbers it: its own, then those that all share.
    pub fn headers(&self, row: usize) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let start = if row == 0 { 0 } else { u32_at(self.header_ends, row - 1) as usize };
        let end = (u32_at(self.header_ends, row) as usize).min(self.header_names.ends.len() / 4);
        let own = (start..end).filter_map(|h| Some((self.header_names.get(h)?, self.header_values.get(h)?)));
        own.chain(self.common_headers.iter().copied())
    }
}

/// A column of a stored segment.
#[derive(Default)]
struct Rows<'a> {
    present: &'a [u8],
    ends: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Rows<'a> {
    fn get(&self, row: usize) -> Option<&'a [u8]> {
        if self.present.get(row) == Some(&0) {
            return None;
        }
        let start = if row == 0 { 0 } else { u32_at(self.ends, row - 1) as usize };
        self.bytes.get(start..u32_at(self.ends, row) as usize)
    }
}

/// Number `i` of a list; 0 beyond its end.
fn u32_at(list: &[u8], i: usize) -> u32 {
    list.as_chunks().0.get(i).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn parse(blob: &[u8]) -> Option<Segment<'_>> {
    let mut rest = blob;
    if u32_from(&mut rest)? != crc32fast::hash(rest) || take(&mut rest, 1)? != [VERSION] {
        return None;
    }
    let flags = *take(&mut rest, 1)?.first()?;
    let rows = u32_from(&mut rest)? as usize;
    let stamps = if flags & ONE_TIMESTAMP != 0 { rows.min(1) } else { rows };
    let timestamps = take(&mut rest, stamps.checked_mul(8)?)?;
    let keys = column_from(&mut rest, rows, flags & KEYS_MAY_LACK != 0)?;
    let values = column_from(&mut rest, rows, flags & VALUES_MAY_LACK != 0)?;
    let mut common_headers = Vec::new();
    for _ in 0..u32_from(&mut rest)? {
        common_headers.push((bytes_from(&mut rest)?, bytes_from(&mut rest)?));
    }
    let ids = match flags & NUMBERED {
        0 => None,
        _ => Some((bytes_from(&mut rest)?, take(&mut rest, rows.checked_mul(4)?)?)),
    };
    let mut segment = Segment {
        rows,
        timestamps,
        keys,
        values,
        common_headers,
        ids,
        header_ends: &[],
        header_names: Rows::default(),
        header_values: Rows::default(),
    };
    if flags & OWN_HEADERS != 0 {
        segment.header_ends = take(&mut rest, rows.checked_mul(4)?)?;
        let headers = u32_at(segment.header_ends, rows.checked_sub(1)?) as usize;
        segment.header_names = column_from(&mut rest, headers, false)?;
        segment.header_values = column_from(&mut rest, headers, false)?;
    }
    rest.is_empty().then_some(segment)
}

fn take<'a>(rest: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(size)?;
    *rest = left;
    Some(taken)
}

fn u32_from(rest: &mut &[u8]) -> Option<u32> {
    take(rest, 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn bytes_from<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let size = u32_from(rest)? as usize;
    take(rest, size)
}

fn column_from<'a>(rest: &mut &'a [u8], rows: usize, may_lack: bool) -> Option<Rows<'a>> {
    let present = take(rest, if may_lack { rows } else { 0 })?;
    let ends = take(rest, rows.checked_mul(4)?)?;
    let size = rows.checked_sub(1).map_or(0, |last| u32_at(ends, last) as usize);
    Some(Rows { present, ends, bytes: take(rest, size)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let common: Arc<[(String, Vec<u8>)]> = Arc::from([("shared".to_owned(), b"s".to_vec())]);
        let mut writer = SegmentWriter::new(common, Some("id-".to_owned()));
        writer.push(5, Some(b"k"), Some(b"value"), [(&b"own"[..], &b"\0\xff"[..])].into_iter(), 4);
        writer.push(6, None, None, std::iter::empty(), 9);
        writer.encode()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let blob = sample();
        let segment = Segment::parse(&blob).unwrap();
        assert_eq!(segment.rows(), 2);
        assert_eq!([segment.timestamp_ms(0), segment.timestamp_ms(1)], [5, 6]);
        assert_eq!([segment.key(0), segment.key(1)], [Some(&b"k"[..]), None]);
        assert_eq!([segment.value(0), segment.value(1)], [Some(&b"value"[..]), None]);
        let headers: Vec<_> = segment.headers(0).collect();
        assert_eq!(headers, [(&b"own"[..], &b"\0\xff"[..]), (b"shared", b"s")]);
        assert_eq!(segment.headers(1).count(), 1);
        let mut space = Vec::new();
        assert_eq!(segment.id(1, &mut space), Some((&b"ce_id"[..], &b"id-9"[..])));
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_noticed() {
        let blob = sample();
        for at in 0..blob.len() {
            let mut flipped = blob.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(Segment::parse(&flipped).is_err(), "bit in byte {at}");
            assert!(Segment::parse(&blob[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn nonsense_behind_a_right_checksum_is_no_panic() {
        let blob = sample();
        for at in 4..blob.len() {
            for byte in [0, 0x7f, 0xff] {
                let mut wrong = blob.clone();
                wrong[at] = byte;
                let checksum = crc32fast::hash(&wrong[4..]);
                wrong[..4].copy_from_slice(&checksum.to_le_bytes());
                if let Ok(segment) = Segment::parse(&wrong) {
                    for row in 0..segment.rows().min(3) {
                        let _ = (segment.key(row), segment.value(row), segment.headers(row).count());
                    }
                }
            }
        }
    }
}
