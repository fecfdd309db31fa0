//! What a run came to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fed::Fed;
use super::judge::Verdict;
use super::plan::Fault;

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed that decided about the faults.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Records that went in: that the input topic holds.
    pub inputs: u64,
    /// Acknowledged records that the input topic doesn't hold. Brokers and producers answer for these three.
    pub inputs_lost: u64,
    /// Records that the input topic holds once more.
    pub inputs_doubled: u64,
    /// Records of the input topic before which a later one of the same key stands.
    pub inputs_out_of_order: u64,
    /// Inputs without an output.
    pub lost: u64,
    /// Outputs beyond the first of their input.
    pub duplicates: u64,
    /// Outputs before which a later one of the same key came.
    pub out_of_order: u64,
    /// Outputs with a wrong count.
    pub wrong_counts: u64,
    /// Outputs of no input.
    pub unasked: u64,
    /// Whether the hosts answered everything in the end.
    pub drained: bool,
    /// How often partitions went to other hosts, at least.
    pub rebalances: u64,
    /// How often a host dropped its work because its partitions were somebody else's already.
    pub fenced: u64,
    /// How often each kind of fault struck.
    pub faults: BTreeMap<&'static str, u64>,
    /// Some of what is wrong, in words.
    pub examples: Vec<String>,
    /// Some of the lines that hosts logged as errors.
    pub errors: Vec<String>,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            seconds: 0,
            inputs: 0,
            inputs_lost: 0,
            inputs_doubled: 0,
            inputs_out_of_order: 0,
            lost: 0,
            duplicates: 0,
            out_of_order: 0,
            wrong_counts: 0,
            unasked: 0,
            drained: false,
            rebalances: 0,
            fenced: 0,
            faults: BTreeMap::new(),
            examples: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Counts a fault.
    pub(super) fn count(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }

    /// How often a kind of fault struck.
    #[must_use]
    pub fn times(&self, fault: Fault) -> u64 {
        self.faults.get(fault.name()).copied().unwrap_or(0)
    }

    /// Takes over how the input topic is.
    pub(super) fn fed(&mut self, fed: &Fed) {
        self.inputs_lost = fed.lost;
        self.inputs_doubled = fed.doubled;
        self.inputs_out_of_order = fed.out_of_order;
    }

    /// Takes a verdict over.
    pub(super) fn judged(&mut self, verdict: Verdict) {
        self.inputs = verdict.inputs;
        self.lost = verdict.lost;
        self.duplicates = verdict.duplicates;
        self.out_of_order = verdict.out_of_order;
        self.wrong_counts = verdict.wrong_counts;
        self.unasked = verdict.unasked;
        self.examples = verdict.examples;
    }

    /// Whether everything that must hold of hosts was seen to hold: all answered, each once, in order, with the right count; and
    /// partitions really changed hands.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let wrong = self.lost + self.duplicates + self.out_of_order + self.wrong_counts + self.unasked;
        self.drained && wrong == 0 && self.inputs > 0 && self.rebalances > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean() -> Report {
        Report { inputs: 1, drained: true, rebalances: 1, ..Report::new(1) }
    }

    #[test]
    fn a_run_without_records_or_rebalances_is_not_clean() {
        assert!(clean().is_clean());
        assert!(!Report { inputs: 0, ..clean() }.is_clean());
        assert!(!Report { rebalances: 0, ..clean() }.is_clean());
        assert!(!Report { drained: false, ..clean() }.is_clean());
    }

    #[test]
    fn anything_wrong_is_not_clean() {
        for wrong in [
            Report { lost: 1, ..clean() },
            Report { duplicates: 1, ..clean() },
            Report { out_of_order: 1, ..clean() },
            Report { wrong_counts: 1, ..clean() },
            Report { unasked: 1, ..clean() },
        ] {
            assert!(!wrong.is_clean(), "{wrong:?}");
        }
    }
}
