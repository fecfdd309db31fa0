//! Doing the steps of a plan.

use super::plan::{Plan, Refusal};
use crate::problem::{Problem, ProblemKind};
use crate::streams::{SharedStreams, StreamError};

/// What can go wrong on the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It was not begun.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It stopped at a step.
    #[error("step {step} of {steps}, {text}: {error}")]
    Stopped {
        /// The step, from 1. Those before it are done.
        step: usize,
        /// All steps.
        steps: usize,
        /// What it was.
        text: String,
        /// Why.
        error: StreamError,
    },
}

/// Does the steps in their order, and stops at the first that fails: what is done stays, and the next plan has the rest.
/// The plan must have been checked.
///
/// # Errors
/// [`ApplyError::Stopped`]
pub async fn apply(streams: &SharedStreams, plan: &Plan) -> Result<(), ApplyError> {
    for (index, step) in plan.steps.iter().enumerate() {
        tracing::info!(topic = step.change.topic(), "topic plan {}: {}", plan.id, step.text);
        streams.change_topic(&step.change).await.map_err(|error| ApplyError::Stopped {
            step: index + 1,
            steps: plan.steps.len(),
            text: step.text.clone(),
            error,
        })?;
    }
    Ok(())
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Refused(Refusal::Changed { .. }) => {
                let next = "See the new steps with `wasmill topic plan`.";
                Self::new(ProblemKind::Conflict, "topic.plan-changed", message, next)
            }
            ApplyError::Refused(Refusal::Blocked(blocked)) => {
                Self::new(ProblemKind::Conflict, "topic.blocked", message, blocked.next)
            }
            ApplyError::Refused(Refusal::Risky(_, risk)) => {
                let next = format!("Say `{}` to take that; nothing was done.", risk.kind.flag());
                Self::invalid("topic.risk", message, next)
            }
            ApplyError::Stopped { step, error, .. } => {
                let problem = Self::from(error);
                let next =
                    format!("{} Steps before {step} are done; `wasmill topic plan` shows the rest.", problem.next);
                Self { message, next: next.trim_start().to_owned(), ..problem }
            }
        }
    }
}
