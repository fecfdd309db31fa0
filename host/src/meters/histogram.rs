//! How long things take: counts in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Upper bounds of all buckets but the last, which has none; microseconds. From a batch's work to a backlog of minutes.
pub const BOUNDS_MICROS: [u64; 19] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

const BUCKETS: usize = BOUNDS_MICROS.len() + 1;

/// Counts durations.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum_micros: AtomicU64,
}

impl Histogram {
    /// Counts one duration, in microseconds.
    pub fn observe(&self, micros: u64) {
        self.observe_all(std::iter::once(micros));
    }

    /// Counts many. Neighbours are mostly of one bucket, and the shared counters are touched once a bucket.
    pub fn observe_all(&self, all_micros: impl IntoIterator<Item = u64>) {
        let (mut counts, mut sum, mut last) = ([0u64; BUCKETS], 0u64, 0);
        for micros in all_micros {
            if !is_in(last, micros) {
                last = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
            }
            counts[last] += 1;
            sum = sum.saturating_add(micros);
        }
        for (total, count) in self.counts.iter().zip(counts).filter(|(_, count)| *count > 0) {
            total.fetch_add(count, Ordering::Relaxed);
        }
        self.sum_micros.fetch_add(sum, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn distribution(&self) -> Distribution {
        Distribution {
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum_micros: self.sum_micros.load(Ordering::Relaxed),
        }
    }
}

fn is_in(bucket: usize, micros: u64) -> bool {
    let above = bucket == 0 || BOUNDS_MICROS[bucket - 1] < micros;
    above && BOUNDS_MICROS.get(bucket).is_none_or(|bound| micros <= *bound)
}

/// Durations, counted by [`BOUNDS_MICROS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Distribution {
    /// One count a bucket; those above the last bound come last.
    pub counts: Vec<u64>,
    /// All together, microseconds.
    pub sum_micros: u64,
}

impl Distribution {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What came after an earlier reading of the same counters; all of it where they began anew in between.
    pub fn since(&self, earlier: &Self) -> Self {
        let began_anew = self.counts.len() != earlier.counts.len()
            || self.counts.iter().zip(&earlier.counts).any(|(now, before)| now < before);
        if began_anew {
            return self.clone();
        }
        Self {
            counts: self.counts.iter().zip(&earlier.counts).map(|(now, before)| now - before).collect(),
            sum_micros: self.sum_micros.saturating_sub(earlier.sum_micros),
        }
    }

    /// The duration that the share `q` (0 to 1) of all stays below, microseconds: as exact as the buckets, evenly spread
    /// inside one. Above the last bound it is that bound. None where there are none.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = q.clamp(0.0, 1.0) * count as f64;
        let mut below = 0u64;
        for (bucket, in_bucket) in self.counts.iter().enumerate().filter(|(_, in_bucket)| **in_bucket > 0) {
            let reached = below + in_bucket;
            if reached as f64 >= wanted {
                let low = bucket.checked_sub(1).and_then(|b| BOUNDS_MICROS.get(b)).copied().unwrap_or(0);
                let high = BOUNDS_MICROS.get(bucket).copied().unwrap_or(low);
                let share = (wanted - below as f64) / *in_bucket as f64;
                return Some(low + ((high - low) as f64 * share) as u64);
            }
            below = reached;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_first_bucket_whose_bound_it_does_not_pass() {
        let histogram = Histogram::default();
        histogram.observe_all([0, 100, 101, 250, 251, 300_000_000, 300_000_001, 50, u64::MAX / 2]);
        let seen = histogram.distribution();
        assert_eq!((seen.counts[0], seen.counts[1], seen.counts[2]), (3, 2, 1));
        assert_eq!((seen.counts[18], seen.counts[19], seen.count()), (1, 2, 9));
    }

    #[test]
    fn a_quantile_lies_inside_its_bucket() {
        let histogram = Histogram::default();
        assert_eq!(histogram.distribution().quantile(0.5), None);
        histogram.observe_all(std::iter::repeat_n(3_000, 99).chain([2_000_000]));
        let seen = histogram.distribution();
        let half = seen.quantile(0.5).unwrap();
        assert!((2_500..=5_000).contains(&half), "{half}");
        let most = seen.quantile(0.999).unwrap();
        assert!((1_000_000..=2_500_000).contains(&most), "{most}");
        histogram.observe_all(std::iter::repeat_n(u64::from(u32::MAX), 1_000_000));
        assert_eq!(histogram.distribution().quantile(0.99), Some(300_000_000), "no bound: the last one");
    }

    #[test]
    fn between_two_readings_only_what_is_new_counts() {
        let histogram = Histogram::default();
        histogram.observe(10);
        let before = histogram.distribution();
        histogram.observe(1_500);
        let new = histogram.distribution().since(&before);
        assert_eq!((new.count(), new.sum_micros), (1, 1_500));
        // A host that was started again counts from nothing.
        assert_eq!(before.since(&histogram.distribution()), before);
    }
}
