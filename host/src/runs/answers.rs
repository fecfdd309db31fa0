//! What a journal knows, by what was asked and not by its place: for work that need not ask in the same order.

use std::collections::{BTreeMap, VecDeque};

use super::identity::request_digest;
use crate::store::StepRow;

/// Answers of a journal, those to the same question in their order.
#[derive(Debug, Clone, Default)]
pub struct Answers(pub BTreeMap<String, VecDeque<String>>);

impl Answers {
    /// Those of a run's steps. Steps that are under way have none.
    pub fn of(steps: &[StepRow]) -> Self {
        let mut answers = Self::default();
        for step in steps {
            if let Some(answer) = &step.answer {
                answers.0.entry(format!("{} {}", step.kind, step.digest)).or_default().push_back(answer.clone());
            }
        }
        answers
    }

    /// Under what the answers to a request (JSON) are found.
    pub fn key(kind: &str, request: &str) -> String {
        format!("{kind} {}", request_digest(kind, request))
    }
}
