//! A question to a model as a span, by OpenTelemetry's conventions for generative models.

use super::super::errors;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::model::Answer;
use crate::telemetry::{About, Span, SpanKind};

/// What is asked.
pub(super) fn about(model: &str) -> About {
    About::new(format!("chat {model}"), SpanKind::Client)
        .with("gen_ai.operation.name", "chat")
        .with("gen_ai.request.model", model.to_owned())
}

/// What came of it.
pub(super) fn end(span: &mut Span, answer: &Result<Answer, Error>) {
    let tokens = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    match answer {
        Ok(answer) => {
            span.set("gen_ai.response.model", answer.model.clone());
            span.set("gen_ai.usage.input_tokens", tokens(answer.prompt_tokens));
            span.set("gen_ai.usage.output_tokens", tokens(answer.completion_tokens));
        }
        Err(error) => span.fail(&errors::problem(error).code),
    }
}
