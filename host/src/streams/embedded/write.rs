//! What one transaction writes.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table, WriteTransaction};

use super::groups::Claim;
use super::pack::Packed;
use super::{failure, tables};
use crate::streams::{StateChange, StreamError, TopicSpec};

/// One commit: all of it, or nothing.
#[derive(Default)]
pub struct Job {
    /// Segments to append, those of one partition in order.
    pub segments: Vec<Packed>,
    /// State changes in order, with the state's name.
    pub state: Option<(String, Vec<StateChange>)>,
    /// Offsets as (topic number, partition, next offset); the group is the claim's.
    pub offsets: Vec<(u32, u32, u64)>,
    /// By what right; none for appends from outside of any group.
    pub claim: Option<Claim>,
}

impl Job {
    /// Bytes of its blobs.
    pub fn size(&self) -> usize {
        self.segments.iter().map(|segment| segment.blob.len()).sum()
    }
}

/// First offset of each segment of one job, in order.
pub type Bases = Vec<u64>;

/// New ends of the partitions that a transaction appended to, by (topic number, partition).
pub type Heads = BTreeMap<(u32, u32), u64>;

/// Writes some jobs, in order.
pub fn jobs<'j>(
    transaction: &WriteTransaction,
    jobs: impl Iterator<Item = &'j Job>,
) -> Result<(Vec<Bases>, Heads), StreamError> {
    let mut heads = Heads::new();
    let mut grown = BTreeMap::<(u32, u32), i64>::new();
    let mut bases = Vec::new();
    let mut segments = transaction.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
    let mut newest = transaction.open_table(tables::NEWEST).map_err(failure::in_use)?;
    let mut offsets = transaction.open_table(tables::OFFSETS).map_err(failure::in_use)?;
    let mut states = transaction.open_table(tables::STATE).map_err(failure::in_use)?;
    for job in jobs {
        let mut firsts = Bases::with_capacity(job.segments.len());
        for segment in &job.segments {
            let place = (segment.topic.id, segment.partition);
            let head = heads.entry(place).or_insert_with(|| segment.topic.head(segment.partition));
            let base = *head;
            let key = (place.0, place.1, base);
            segments.insert(key, segment.blob.as_slice()).map_err(failure::in_use)?;
            let size = grown.entry(place).or_default();
            *size += length(&segment.blob);
            if let Some(record_key) = &segment.key {
                *size -= supersede(&mut segments, &mut newest, place, record_key, base)?;
            }
            *head += u64::from(segment.rows);
            firsts.push(base);
        }
        if let Some(claim) = &job.claim {
            for (topic, partition, next) in &job.offsets {
                offsets.insert((claim.group.as_str(), *topic, *partition), next).map_err(failure::in_use)?;
            }
        }
        if let Some((name, changes)) = &job.state {
            for change in changes {
                let key = (name.as_str(), change.partition, change.key.as_slice());
                match &change.value {
                    Some(value) => states.insert(key, value.as_slice()).map_err(failure::in_use)?,
                    None => states.remove(key).map_err(failure::in_use)?,
                };
            }
        }
        bases.push(firsts);
    }
    let mut stored = transaction.open_table(tables::HEADS).map_err(failure::in_use)?;
    for (place, head) in &heads {
        stored.insert(place, head).map_err(failure::in_use)?;
    }
    let mut sizes = transaction.open_table(tables::SIZES).map_err(failure::in_use)?;
    for (place, more) in grown {
        let size = sizes.get(place).map_err(failure::in_use)?.map_or(0, |size| size.value());
        sizes.insert(place, size.saturating_add_signed(more)).map_err(failure::in_use)?;
    }
    Ok((bases, heads))
}

fn length(blob: &[u8]) -> i64 {
    i64::try_from(blob.len()).unwrap_or(i64::MAX)
}

/// Writes a new topic and returns its number.
pub fn topic(transaction: &WriteTransaction, topic: &TopicSpec, keeps: (u64, u64)) -> Result<u32, StreamError> {
    let mut meta = transaction.open_table(tables::META).map_err(failure::in_use)?;
    let next = meta.get(tables::NEXT_TOPIC).map_err(failure::in_use)?.map_or(0, |number| number.value());
    let id = u32::try_from(next).map_err(|_| StreamError::Failed("there are too many topics".to_owned()))?;
    meta.insert(tables::NEXT_TOPIC, next + 1).map_err(failure::in_use)?;
    let mut topics = transaction.open_table(tables::TOPICS).map_err(failure::in_use)?;
    topics.insert(topic.name.as_str(), (id, topic.partitions, topic.compacted)).map_err(failure::in_use)?;
    bounds(transaction, id, keeps)?;
    Ok(id)
}

/// Writes that a topic has more partitions.
pub fn grow(transaction: &WriteTransaction, id: u32, topic: &TopicSpec) -> Result<(), StreamError> {
    let mut topics = transaction.open_table(tables::TOPICS).map_err(failure::in_use)?;
    topics.insert(topic.name.as_str(), (id, topic.partitions, topic.compacted)).map_err(failure::in_use)?;
    Ok(())
}

/// Writes what a topic keeps.
pub fn bounds(transaction: &WriteTransaction, id: u32, bounds: (u64, u64)) -> Result<(), StreamError> {
    let mut stored = transaction.open_table(tables::BOUNDS).map_err(failure::in_use)?;
    stored.insert(id, bounds).map_err(failure::in_use)?;
    Ok(())
}

/// Removes the record that a newer one with the same key replaces. Gives the bytes that it had.
fn supersede(
    segments: &mut Table<'_, (u32, u32, u64), &'static [u8]>,
    newest: &mut Table<'_, (u32, u32, &'static [u8]), u64>,
    (topic, partition): (u32, u32),
    key: &[u8],
    offset: u64,
) -> Result<i64, StreamError> {
    let before = newest.insert((topic, partition, key), offset).map_err(failure::in_use)?.map(|old| old.value());
    let Some(before) = before else { return Ok(0) };
    let removed = segments.remove((topic, partition, before)).map_err(failure::in_use)?;
    Ok(removed.map_or(0, |blob| length(blob.value())))
}
