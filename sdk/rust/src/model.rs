//! Asks a language model, where one is configured and `model` is granted.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::model;

pub use model::{Answer, Message, Request, Role};

/// True where a model is configured and this component may ask it. Never an error: a component can do without.
pub fn available() -> bool {
    model::available()
}

/// Asks the host's default model one thing.
///
/// # Errors
/// `denied` without `model`; `unavailable` where none is configured or it does not answer.
pub fn ask(question: impl Into<String>) -> Result<Answer, Error> {
    complete(&Request {
        model: None,
        messages: vec![Message { role: Role::User, content: question.into() }],
        max_tokens: None,
        temperature_milli: None,
    })
}

/// Continues a conversation of at most 256 messages and 1 MiB together.
///
/// # Errors
/// As [`ask`].
pub fn complete(request: &Request) -> Result<Answer, Error> {
    model::complete(request)
}
