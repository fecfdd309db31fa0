//! What of a partition is older or larger than its topic keeps, and goes: whole segments, the oldest first.

use std::sync::atomic::{AtomicU64, Ordering};

use redb::{ReadableTable, Table, WriteTransaction};

use super::catalog::Topic;
use super::segment::Segment;
use super::{failure, tables};
use crate::streams::{Bound, Cleanup, Keeps, StreamError};

/// Most segments that one transaction removes: commits wait meanwhile.
const SEGMENTS_MAX: usize = 1000;
/// How [`Bound::Unlimited`] is stored.
const UNLIMITED: u64 = u64::MAX;

/// A topic's bounds, which may change while it is used.
pub struct Bounds {
    age_ms: AtomicU64,
    bytes: AtomicU64,
}

impl Bounds {
    /// Bounds as they are stored.
    pub fn of((age_ms, bytes): (u64, u64)) -> Self {
        Self { age_ms: age_ms.into(), bytes: bytes.into() }
    }

    /// As they are stored.
    pub fn stored(&self) -> (u64, u64) {
        (self.age_ms.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Takes over others.
    pub fn set(&self, (age_ms, bytes): (u64, u64)) {
        self.age_ms.store(age_ms, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// What a topic keeps by them.
    pub fn keeps(&self, compacted: bool) -> Keeps {
        let (age_ms, bytes) = self.stored();
        let bound = |value| if value == UNLIMITED { Bound::Unlimited } else { Bound::AtMost(value) };
        let cleanup = match (compacted, (age_ms, bytes) == (UNLIMITED, UNLIMITED)) {
            (false, _) => Cleanup::Delete,
            (true, true) => Cleanup::Compact,
            (true, false) => Cleanup::CompactAndDelete,
        };
        Keeps { cleanup: Some(cleanup), retention_ms: Some(bound(age_ms)), retention_bytes: Some(bound(bytes)) }
    }
}

/// Bounds as they are stored, after a change of what is said in it; a topic that nothing was ever said of has none.
pub fn changed((age_ms, bytes): (u64, u64), keeps: &Keeps) -> (u64, u64) {
    if keeps.cleanup == Some(Cleanup::Compact) {
        return FOREVER;
    }
    let of = |bound: Option<Bound>, now: u64| match bound {
        None => now,
        Some(Bound::Unlimited) => UNLIMITED,
        // The largest number stands for no bound, and is none that anybody reaches.
        Some(Bound::AtMost(value)) => value.min(UNLIMITED - 1),
    };
    (of(keeps.retention_ms, age_ms), of(keeps.retention_bytes, bytes))
}

/// Bounds of a topic that keeps everything.
pub const FOREVER: (u64, u64) = (UNLIMITED, UNLIMITED);

/// Whether the oldest segment of a partition goes, as Kafka decides it: by its newest record, and only while at least so
/// many bytes stay.
fn goes((age_ms, bytes): (u64, u64), now_ms: u64, newest_ms: i64, size: u64, whole: u64) -> bool {
    let is_old = age_ms != UNLIMITED && i128::from(newest_ms) + i128::from(age_ms) < i128::from(now_ms);
    let is_much = bytes != UNLIMITED && whole.saturating_sub(size) >= bytes;
    is_old || is_much
}

/// Removes what goes of a topic; false where there may be more.
pub fn sweep(transaction: &WriteTransaction, topic: &Topic, now_ms: u64) -> Result<bool, StreamError> {
    let bounds = topic.bounds.stored();
    if bounds == FOREVER {
        return Ok(true);
    }
    let mut segments = transaction.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
    let mut newest = transaction.open_table(tables::NEWEST).map_err(failure::in_use)?;
    let mut sizes = transaction.open_table(tables::SIZES).map_err(failure::in_use)?;
    let mut left = SEGMENTS_MAX;
    for partition in 0..topic.spec.partitions {
        let place = (topic.id, partition);
        let mut whole = sizes.get(place).map_err(failure::in_use)?.map_or(0, |size| size.value());
        let mut gone: Vec<(u64, Option<Vec<u8>>)> = Vec::new();
        let all = (topic.id, partition, 0)..=(topic.id, partition, u64::MAX);
        for row in segments.range(all).map_err(failure::in_use)?.take(left) {
            let (key, blob) = row.map_err(failure::in_use)?;
            let (offset, blob) = (key.value().2, blob.value());
            let segment = Segment::parse(blob)?;
            let newest_ms = (0..segment.rows()).map(|row| segment.timestamp_ms(row)).max().unwrap_or(-1);
            let size = blob.len() as u64;
            if !goes(bounds, now_ms, newest_ms, size, whole) {
                break;
            }
            whole = whole.saturating_sub(size);
            gone.push((offset, segment.key(0).filter(|_| topic.spec.compacted).map(<[u8]>::to_vec)));
        }
        left -= gone.len();
        remove(&mut segments, &mut newest, &mut sizes, place, &gone, whole)?;
        if left == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes these segments of a partition, each by its offset and, in a compacted topic, its key.
fn remove(
    segments: &mut Table<'_, (u32, u32, u64), &'static [u8]>,
    newest: &mut Table<'_, (u32, u32, &'static [u8]), u64>,
    sizes: &mut Table<'_, (u32, u32), u64>,
    place: (u32, u32),
    gone: &[(u64, Option<Vec<u8>>)],
    whole: u64,
) -> Result<(), StreamError> {
    if gone.is_empty() {
        return Ok(());
    }
    for (offset, key) in gone {
        segments.remove((place.0, place.1, *offset)).map_err(failure::in_use)?;
        if let Some(key) = key {
            newest.remove((place.0, place.1, key.as_slice())).map_err(failure::in_use)?;
        }
    }
    sizes.insert(place, whole).map_err(failure::in_use)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_by_its_newest_record_or_while_enough_stays() {
        let goes = |bounds, newest_ms, whole| goes(bounds, 10_000, newest_ms, 100, whole);
        assert!(!goes(FOREVER, 0, u64::MAX));
        assert!(goes((5_000, UNLIMITED), 4_999, 0) && !goes((5_000, UNLIMITED), 5_000, u64::MAX));
        assert!(goes((UNLIMITED, 300), 9_999, 400) && !goes((UNLIMITED, 300), 0, 399));
        assert!(goes((0, UNLIMITED), i64::MIN, 0) && !goes((0, UNLIMITED), i64::MAX, 0));
    }

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let keeps = Keeps { retention_ms: Some(Bound::AtMost(7)), ..Keeps::default() };
        assert_eq!(changed(FOREVER, &keeps), (7, UNLIMITED));
        assert_eq!(
            changed((1, 2), &Keeps { retention_bytes: Some(Bound::Unlimited), ..Keeps::default() }),
            (1, UNLIMITED)
        );
        assert_ne!(changed(FOREVER, &Keeps { retention_ms: Some(Bound::AtMost(u64::MAX)), ..keeps }), FOREVER);
        let bounds = Bounds::of(FOREVER);
        assert_eq!(bounds.keeps(true).cleanup, Some(Cleanup::Compact));
        bounds.set((7, UNLIMITED));
        let keeps = bounds.keeps(true);
        assert_eq!((keeps.cleanup, keeps.retention_ms), (Some(Cleanup::CompactAndDelete), Some(Bound::AtMost(7))));
    }
}
