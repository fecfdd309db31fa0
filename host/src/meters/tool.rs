//! Calls of one tool.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::{Distribution, Histogram};
use crate::problem::ProblemKind;

/// Counts the calls of one tool, all versions together.
#[derive(Debug, Default)]
pub struct ToolMeter {
    duration: Histogram,
    errors: [AtomicU64; ProblemKind::ALL.len()],
}

impl ToolMeter {
    /// A call has ended, well or with an error of this kind.
    pub fn called(&self, took: Duration, error: Option<ProblemKind>) {
        self.duration.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        let place = error.and_then(|kind| ProblemKind::ALL.iter().position(|known| *known == kind));
        if let Some(counter) = place.and_then(|place| self.errors.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// As it stands.
    pub fn figures(&self, tool: &str) -> ToolFigures {
        let errors =
            ProblemKind::ALL.iter().zip(&self.errors).map(|(kind, count)| (kind, count.load(Ordering::Relaxed)));
        ToolFigures {
            tool: tool.to_owned(),
            errors: errors
                .filter(|(_, count)| *count > 0)
                .map(|(kind, count)| (kind.word().to_owned(), count))
                .collect(),
            duration: self.duration.distribution(),
        }
    }
}

/// Calls of one tool since the host started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ToolFigures {
    /// Name, without version.
    pub tool: String,
    /// Calls that failed, by the kind of the error; kinds that there were none of are left out.
    pub errors: BTreeMap<String, u64>,
    /// How long calls took; their count is that of all calls.
    pub duration: Distribution,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_counts_and_errors_count_by_kind() {
        let meter = ToolMeter::default();
        meter.called(Duration::from_micros(20), None);
        meter.called(Duration::from_micros(30), Some(ProblemKind::Limit));
        meter.called(Duration::from_micros(40), Some(ProblemKind::Limit));
        let figures = meter.figures("t");
        assert_eq!((figures.duration.count(), figures.duration.sum_micros), (3, 90));
        assert_eq!(figures.errors, BTreeMap::from([("limit".to_owned(), 2)]));
    }
}
