//! Why a turn of a run ends before the agent has answered.

use crate::problem::{Problem, ProblemKind};
use crate::store::StoreError;

/// Why a turn ends.
#[derive(Debug)]
pub enum Stop {
    /// Others wait: it goes on behind them.
    Yield,
    /// Somebody else decides: another host has claimed the run, or an admin has stopped it.
    Taken,
    /// It does other things than its journal says.
    Diverged(Divergence),
    /// It has reached a limit of all its turns together.
    Limit(Problem),
    /// The journal can't be written or read.
    Store(StoreError),
    /// Nothing may be asked here, and the journal has no answer: it ended while this call was under way.
    Unanswered,
}

/// Where a run does something else than its journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// Number of the step, or of the reading.
    pub at: u64,
    /// What the journal has there.
    pub was: String,
    /// What the run does there.
    pub is: String,
}

impl Divergence {
    /// The same for people.
    pub fn problem(&self, run: &str) -> Problem {
        let Self { at, was, is } = self;
        Problem::new(
            ProblemKind::Conflict,
            "run.diverged",
            format!("run {run} does not repeat itself: at {at} its journal has {was}, now it asks for {is}"),
            format!(
                "let the version that began it go on with `wasmill run pin {run}`, or begin from nothing, which asks \
                 everything again, with `wasmill run restart {run}`"
            ),
        )
    }
}
