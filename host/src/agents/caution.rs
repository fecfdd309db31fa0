//! What to do when the log refuses a round of work because of a record in it, as one without a key for a compacted topic.
//!
//! The agent has succeeded, so only trying tells which of its records it is: rounds become half as large until one row is
//! left, which is set aside; then they grow again. Decides only; the worker does it.

use super::batch::head;
use crate::problem::Problem;
use crate::streams::Batch;

/// How carefully a worker goes on.
#[derive(Debug, Default)]
pub struct Caution {
    /// Most rows of the next round; none: as many as a poll gives.
    rows_max: Option<usize>,
    condemned: Option<Condemned>,
}

/// A row whose work was refused when it was tried alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condemned {
    topic: String,
    partition: u32,
    offset: u64,
    /// What the log said.
    pub problem: Problem,
}

impl Caution {
    /// The rows of a poll that the next round works on.
    pub fn limit(&self, batches: Vec<Batch>) -> Vec<Batch> {
        let Some(mut left) = self.rows_max else { return batches };
        let mut limited = Vec::new();
        for batch in batches {
            let batch = head(batch, left);
            left -= batch.len();
            if !batch.is_empty() {
                limited.push(batch);
            }
        }
        limited
    }

    /// Why the first row of a batch must be set aside, where it must.
    pub fn verdict(&self, batch: &Batch) -> Option<&Problem> {
        let condemned = self.condemned.as_ref()?;
        let is_it = condemned.topic == batch.topic
            && condemned.partition == batch.partition
            && batch.offsets.first() == Some(&condemned.offset);
        is_it.then_some(&condemned.problem)
    }

    /// A round with these rows was committed; `rows_most` is what a poll gives at most.
    pub fn committed(&mut self, rows_most: usize) {
        self.condemned = None;
        self.rows_max = self.rows_max.map(|rows| rows * 2).filter(|rows| *rows < rows_most);
    }

    /// The log refused a round that worked on these rows, given as (topic, partition, offset after the last row).
    pub fn refused(&mut self, rows: usize, offsets: &[(String, u32, u64)], problem: &Problem) {
        if rows > 1 {
            self.rows_max = Some(rows / 2);
            return;
        }
        self.rows_max = Some(1);
        self.condemned = offsets.first().map(|(topic, partition, next)| Condemned {
            topic: topic.clone(),
            partition: *partition,
            offset: next.saturating_sub(1),
            problem: problem.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemKind;

    fn batch(partition: u32, offsets: &[u64]) -> Batch {
        let mut batch = Batch { topic: "t".into(), partition, offsets: offsets.to_vec(), ..Batch::default() };
        for _ in offsets {
            batch.keys.push(b"k");
            batch.values.push(b"v");
        }
        batch
    }

    fn problem() -> Problem {
        Problem::new(ProblemKind::Invalid, "record.invalid", "no", "")
    }

    fn offsets(batches: &[Batch]) -> Vec<u64> {
        batches.iter().flat_map(|batch| batch.offsets.clone()).collect()
    }

    /// A log that refuses one record of two partitions: it is found, set aside, and all others are committed.
    #[test]
    fn the_one_record_is_found_and_rounds_grow_again() {
        let mut waiting = vec![batch(0, &[0, 1, 2, 4, 5, 6, 7]), batch(1, &[20, 21])];
        let (mut caution, mut done, mut aside, mut rounds) = (Caution::default(), Vec::new(), Vec::new(), 0);
        while !waiting.is_empty() {
            rounds += 1;
            let round = caution.limit(waiting.clone());
            let condemned = round.first().is_some_and(|first| caution.verdict(first).is_some());
            let rows = offsets(&round);
            if rows.contains(&5) && !condemned {
                let ends: Vec<_> =
                    round.iter().map(|b| (b.topic.clone(), b.partition, b.offsets.last().unwrap() + 1)).collect();
                caution.refused(rows.len(), &ends, &problem());
                continue;
            }
            if condemned {
                aside.extend(rows.clone())
            } else {
                done.extend(rows.clone())
            }
            waiting.iter_mut().for_each(|batch| {
                let rest: Vec<u64> = batch.offsets.iter().copied().filter(|offset| !rows.contains(offset)).collect();
                *batch = self::batch(batch.partition, &rest);
            });
            waiting.retain(|batch| !batch.is_empty());
            caution.committed(9);
        }
        assert_eq!(aside, [5]);
        assert_eq!(done, [0, 1, 2, 4, 6, 7, 20, 21]);
        assert!(rounds < 12, "{rounds}");
    }

    #[test]
    fn a_verdict_is_for_one_record_only() {
        let mut caution = Caution::default();
        caution.refused(1, &[("t".into(), 0, 6)], &problem());
        assert_eq!(caution.verdict(&batch(0, &[5])), Some(&problem()));
        for other in [batch(0, &[6]), batch(1, &[5]), batch(0, &[4, 5])] {
            assert_eq!(caution.verdict(&other), None);
        }
    }
}
