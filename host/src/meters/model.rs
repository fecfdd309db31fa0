//! What questions to language models took.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counts the questions of one principal.
#[derive(Debug, Default)]
pub struct ModelMeter {
    answers: AtomicU64,
    prompt_tokens: AtomicU64,
    completion_tokens: AtomicU64,
    cost_micros: AtomicU64,
}

impl ModelMeter {
    /// A question was answered.
    pub fn answered(&self, prompt_tokens: u64, completion_tokens: u64, cost_micros: u64) {
        let counts = [
            (&self.answers, 1),
            (&self.prompt_tokens, prompt_tokens),
            (&self.completion_tokens, completion_tokens),
            (&self.cost_micros, cost_micros),
        ];
        for (count, more) in counts {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// As it stands.
    pub fn figures(&self, principal: &str) -> ModelFigures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ModelFigures {
            principal: principal.to_owned(),
            answers: read(&self.answers),
            prompt_tokens: read(&self.prompt_tokens),
            completion_tokens: read(&self.completion_tokens),
            cost_micros: read(&self.cost_micros),
        }
    }
}

/// Questions of one principal to language models since the host started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelFigures {
    /// Who asked.
    pub principal: String,
    /// Questions that were answered.
    pub answers: u64,
    /// Tokens of the questions.
    pub prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
    /// What they cost, millionths of the currency's unit.
    pub cost_micros: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_add_up() {
        let meter = ModelMeter::default();
        meter.answered(9, 12, 30);
        meter.answered(1, 2, 3);
        let figures = meter.figures("agent:a");
        assert_eq!((figures.answers, figures.prompt_tokens, figures.completion_tokens), (2, 10, 14));
        assert_eq!(figures.cost_micros, 33);
    }
}
