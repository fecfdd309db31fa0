//! Counts what the rows of one group have in each place.

use std::collections::BTreeMap;

use super::split::Row;

/// One word in one place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Feature {
    /// Messages that have it.
    pub lines: usize,
    /// Tells which rows have it: equal for two words that come and go together.
    pub support: u64,
}

/// What the rows of a group have in one place.
#[derive(Debug, Default)]
pub struct Column {
    /// By word.
    pub features: BTreeMap<u32, Feature>,
}

impl Column {
    /// The word that all rows have; none where they differ.
    pub fn only(&self) -> Option<u32> {
        (self.features.len() == 1).then(|| self.features.keys().next().copied()).flatten()
    }
}

/// Counts all places of the rows with these indices, which are of one length.
pub fn columns(rows: &[Row], members: &[usize]) -> Vec<Column> {
    let width = members.first().map_or(0, |row| rows[*row].words.len());
    let mut columns: Vec<Column> = (0..width).map(|_| Column::default()).collect();
    for &member in members {
        let row = &rows[member];
        for (column, word) in columns.iter_mut().zip(&row.words) {
            let feature = column.features.entry(*word).or_default();
            feature.lines += row.count;
            feature.support = feature.support.wrapping_add(scatter(member));
        }
    }
    columns
}

/// A well-mixed number for a row, so that sums tell sets of rows apart (SplitMix64).
fn scatter(row: usize) -> u64 {
    let mut z = (row as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
