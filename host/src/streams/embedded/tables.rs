//! The tables of `log.redb`: the whole on-disk format beside the blobs of [`super::segment`].

use redb::TableDefinition;

/// Version of the format, and the number that the next topic gets.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// Key in [`META`]: version of the format.
pub const FORMAT: &str = "format";
/// Key in [`META`]: number of the next topic.
pub const NEXT_TOPIC: &str = "next-topic";
/// The format that this code writes. One before it is brought up to it when it is opened.
pub const FORMAT_VERSION: u64 = 2;
/// The one before: without [`SIZES`] and [`BOUNDS`].
pub const FORMAT_WITHOUT_BOUNDS: u64 = 1;

/// Topic name → (number, partitions, compacted). Numbers keep the keys of all other tables short.
pub const TOPICS: TableDefinition<&str, (u32, u32, bool)> = TableDefinition::new("topics");

/// (topic, partition) → offset that the next record gets.
pub const HEADS: TableDefinition<(u32, u32), u64> = TableDefinition::new("heads");

/// (topic, partition) → bytes of its segments.
pub const SIZES: TableDefinition<(u32, u32), u64> = TableDefinition::new("sizes");

/// Topic → how long it keeps a record, in milliseconds, and how much of a partition, in bytes; the largest number: no bound.
pub const BOUNDS: TableDefinition<u32, (u64, u64)> = TableDefinition::new("bounds");

/// (topic, partition, offset of the first record) → segment.
pub const SEGMENTS: TableDefinition<(u32, u32, u64), &[u8]> = TableDefinition::new("segments");

/// (compacted topic, partition, record key) → offset of the newest record with that key.
pub const NEWEST: TableDefinition<(u32, u32, &[u8]), u64> = TableDefinition::new("newest");

/// (group, topic, partition) → committed offset.
pub const OFFSETS: TableDefinition<(&str, u32, u32), u64> = TableDefinition::new("offsets");

/// (state name, partition, key) → value.
pub const STATE: TableDefinition<(&str, u32, &[u8]), &[u8]> = TableDefinition::new("state");
