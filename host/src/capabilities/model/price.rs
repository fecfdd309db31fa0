//! What tokens cost, and how many a question may take before anybody knows.

use serde::{Deserialize, Serialize};
use wasmill_registry::Money;

/// Tokens that prices are for.
const PER: u128 = 1_000_000;
/// Bytes of text that are taken for one token, before the service says what it was.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens that are taken for what surrounds each message.
const TOKENS_PER_MESSAGE: usize = 4;

/// What a million tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of questions.
    pub input: Money,
    /// Of answers.
    pub output: Money,
}

/// Tokens of one question and its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the question.
    pub prompt: u64,
    /// Of the answer.
    pub completion: u64,
}

impl Tokens {
    /// What a question of so many bytes may take: its own tokens are guessed, those of the answer are the most that it may
    /// have.
    pub fn estimate(bytes: usize, messages: usize, answer_max: u32) -> Self {
        let prompt = bytes.div_ceil(BYTES_PER_TOKEN).saturating_add(messages.saturating_mul(TOKENS_PER_MESSAGE));
        Self { prompt: u64::try_from(prompt).unwrap_or(u64::MAX), completion: answer_max.into() }
    }

    /// All of them.
    pub fn total(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// What they cost, rounded up to a millionth; nothing where nobody says a price.
    pub fn cost(self, price: Option<Price>) -> Money {
        let Some(Price { input, output }) = price else { return Money::default() };
        let of = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.micros());
        let cost = of(self.prompt, input).saturating_add(of(self.completion, output)).div_ceil(PER);
        Money::from_micros(u64::try_from(cost).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_of_a_million_tokens_and_is_rounded_up() {
        let price = Some(Price { input: "0.15".parse().unwrap(), output: "0.60".parse().unwrap() });
        let cost = |prompt, completion| Tokens { prompt, completion }.cost(price).to_string();
        assert_eq!(cost(1_000_000, 1_000_000), "0.75");
        assert_eq!(cost(9, 12), "0.000009", "8.55 millionths");
        assert_eq!(cost(1, 0), "0.000001");
        assert_eq!(cost(0, 0), "0.00");
        assert_eq!(Tokens { prompt: u64::MAX, completion: u64::MAX }.cost(None), Money::default());
    }

    #[test]
    fn an_estimate_has_the_whole_answer_in_it() {
        let estimate = Tokens::estimate(13, 2, 100);
        assert_eq!((estimate.prompt, estimate.completion, estimate.total()), (12, 100, 112));
    }
}
