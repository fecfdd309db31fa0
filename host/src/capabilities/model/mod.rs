//! `model`: asking a language model.
//!
//! A question is held against the permission, the limit by the minute and the budgets of the day, then asked; what it
//! took is written down. A journal's answer is none of this: it was paid for when it was asked.

mod account;
mod client;
mod price;
mod spans;

pub use account::Account;
pub use client::{ModelClient, ModelConfig};
pub use price::Price;

use std::time::{Duration, Instant};

use self::client::Asked;
use self::price::Tokens;
use super::ask::Terms;
use super::errors;
use super::guest::{Guest, Identity, check, count};
use super::services::Services;
use crate::permissions::{Action, Rate};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::model::{Answer, Host, Request};

/// Most messages of one question.
const MESSAGES_MAX: usize = 256;
/// Longest name of a model, bytes.
const NAME_SIZE_MAX: usize = 256;
/// Most bytes of all messages together.
const MESSAGES_SIZE_MAX: usize = 1024 * 1024;

/// Longest part of the time left that stays to the component, so that it can do without an answer.
const RESERVE_MAX: Duration = Duration::from_secs(2);

impl Host for Guest {
    fn available(&mut self) -> bool {
        self.reading("model", |guest| {
            let configured = guest.services().model.as_ref();
            configured.is_some_and(|m| guest.identity().grant.check(Action::Model(&m.config().model)).is_allowed())
        })
    }

    async fn complete(&mut self, request: Request) -> Result<Answer, Error> {
        let place = self.place();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let (request, shown) = (&request, shown(&request));
        let traceparent = self.context().traceparent.clone();
        let call = move |terms: Terms| async move {
            let default = services.model.as_ref().map(|m| m.config().model.as_str());
            let model = request.model.as_deref().or(default).unwrap_or("default");
            check_model(&identity, &services, model)?;
            let mut span = services.telemetry.below(&traceparent, || spans::about(model));
            let answer = complete(&identity, &services, model, request, terms).await;
            spans::end(&mut span, &answer);
            answer
        };
        self.ask(place, "model", request, shown, call).await
    }
}

fn check_model(identity: &Identity, services: &Services, model: &str) -> Result<(), Error> {
    if model.len() > NAME_SIZE_MAX {
        return Err(errors::invalid(
            "model.name",
            format!("the name of the model has {} bytes, over the limit of {NAME_SIZE_MAX}", model.len()),
            "ask for one that there is",
        ));
    }
    check(identity, services, Action::Model(model))
}

async fn complete(
    identity: &Identity,
    services: &Services,
    model: &str,
    request: &Request,
    terms: Terms,
) -> Result<Answer, Error> {
    services.leave()?;
    let client = services.model.as_ref().ok_or_else(|| {
        errors::unavailable("model.none", "no model is configured", "add a [model] section to host.toml")
    })?;
    let size: usize = request.messages.iter().map(|m| m.content.len()).sum();
    if request.messages.len() > MESSAGES_MAX || size > MESSAGES_SIZE_MAX {
        return Err(errors::invalid(
            "model.question",
            format!(
                "{} messages with {size} bytes; at most {MESSAGES_MAX} and {MESSAGES_SIZE_MAX}",
                request.messages.len()
            ),
            "ask with less",
        ));
    }
    count(identity, services, Rate::ModelCalls, 1)?;
    let estimate = Tokens::estimate(size, request.messages.len(), client.answer_max(request));
    let price = client.config().prices.get(model).copied();
    let reserved = services.account.reserve(&identity.grant, model, price, estimate).await?;
    let left = terms.deadline.saturating_duration_since(Instant::now());
    let asked = client.complete(model, request, left - (left / 10).min(RESERVE_MAX), terms.key.as_deref()).await;
    match asked {
        Asked::Answered(answer) => {
            let said = Tokens { prompt: answer.prompt_tokens, completion: answer.completion_tokens };
            // A service that doesn't say what it took is taken at its most.
            let took = if said == Tokens::default() { estimate } else { said };
            let meter = services.meters.models.get(identity.principal.as_str());
            meter.answered(took.prompt, took.completion, took.cost(price).micros());
            reserved.settle(took).await;
            Ok(answer)
        }
        Asked::Refused(error) => {
            reserved.release().await;
            Err(error)
        }
        Asked::Lost(error) => Err(error),
    }
}

/// The last message, which is what a question is about.
fn shown(request: &Request) -> String {
    request.messages.last().map(|message| message.content.clone()).unwrap_or_default()
}
