//! Records, one by one and as columns.

/// One byte string per row: row `i` is `bytes[ends[i-1]..ends[i]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// All rows, one after the other.
    pub bytes: Vec<u8>,
    /// Where each row ends, counted from the start of `bytes`.
    pub ends: Vec<u32>,
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a row.
    pub fn push(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        // A batch's bytes are bounded far below 4 GiB by `Membership::batch_bytes_max`.
        self.ends.push(self.bytes.len() as u32);
    }

    /// Row `i`; an empty slice where the column has no such row or contradicts itself.
    pub fn row(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends.get(i - 1).copied().unwrap_or(0) as usize };
        let end = self.ends.get(i).copied().unwrap_or(0) as usize;
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// True where `ends` never decreases and ends at the end of `bytes`: what a guest sends must pass this.
    pub fn is_consistent(&self) -> bool {
        self.ends.is_sorted() && self.ends.last().copied().unwrap_or(0) as usize == self.bytes.len()
    }
}

/// Headers of all records of a batch, one row per header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderColumns {
    /// Number of headers of records 0 to `i` together.
    pub ends: Vec<u32>,
    /// Names, UTF-8.
    pub names: Column,
    /// Values.
    pub values: Column,
}

impl HeaderColumns {
    /// Name and value of each header of record `i`.
    pub fn of(&self, i: usize) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let start = if i == 0 { 0 } else { self.ends.get(i - 1).copied().unwrap_or(0) as usize };
        let end = self.ends.get(i).copied().unwrap_or(0) as usize;
        (start..end).map(|h| (self.names.row(h), self.values.row(h)))
    }
}

/// Records of one topic partition in offset order, as columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset of each record; increasing, with gaps where transactions or compaction leave them.
    pub offsets: Vec<u64>,
    /// Milliseconds since the epoch; -1 where there is none.
    pub timestamps_ms: Vec<i64>,
    /// Keys; an empty row where there is none.
    pub keys: Column,
    /// One byte per record, 0 where it has no key; empty: all have one.
    pub key_present: Vec<u8>,
    /// Values; an empty row where there is none.
    pub values: Column,
    /// One byte per record, 0 for a tombstone; empty: all have a value.
    pub value_present: Vec<u8>,
    /// Headers; none where no record has any.
    pub headers: Option<HeaderColumns>,
}

impl Batch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// True without records.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Key of record `i`.
    pub fn key(&self, i: usize) -> Option<&[u8]> {
        present(&self.key_present, i).then(|| self.keys.row(i))
    }

    /// Value of record `i`; none for a tombstone.
    pub fn value(&self, i: usize) -> Option<&[u8]> {
        present(&self.value_present, i).then(|| self.values.row(i))
    }
}

/// True where a presence list says that row `i` is there; an empty list says so of every row.
pub fn present(list: &[u8], i: usize) -> bool {
    list.get(i).is_none_or(|&p| p != 0)
}

/// One record, as it is sent from outside of a worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Partition; none: by key.
    pub partition: Option<u32>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; none: a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in order; a name may occur more than once.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since the epoch; none: now.
    pub timestamp_ms: Option<i64>,
}
