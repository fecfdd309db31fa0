//! One stored blob: the records that one commit put into one partition, as columns.
//!
//! Layout, little-endian: CRC-32 of the rest; version; flags; number of rows; timestamps (one, or one per row); keys;
//! values; headers that all rows share; prefix and numbers of `ce_id`; headers of single rows. A column is its ends
//! (`u32` each) and its bytes, with one presence byte per row in front where a row may be absent. Offsets are not
//! inside: the key of the blob gives the first one, the others follow it.

mod writer;

use crate::streams::StreamError;

pub use writer::SegmentWriter;

const VERSION: u8 = 1;
const KEYS_MAY_LACK: u8 = 1;
const VALUES_MAY_LACK: u8 = 2;
const OWN_HEADERS: u8 = 4;
const NUMBERED: u8 = 8;
const ONE_TIMESTAMP: u8 = 16;

/// Header that numbers the records of one output.
const ID_HEADER: &[u8] = b"ce_id";

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
    use std::sync::Arc;

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
