//! `model`: asking a language model over the OpenAI chat-completions protocol.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ask::Terms;
use super::errors;
use super::guest::{Guest, check};
use super::http::IDEMPOTENCY_KEY;
use super::services::Secrets;
use crate::permissions::Action;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::model::{Answer, Host, Request, Role};
use crate::telemetry::{About, Span, SpanKind};

/// Most messages of one question.
const MESSAGES_MAX: usize = 256;
/// Most bytes of all messages together.
const MESSAGES_SIZE_MAX: usize = 1024 * 1024;
/// Largest answer that is read, bytes.
const ANSWER_SIZE_MAX: usize = 4 * 1024 * 1024;

/// Longest part of the time left that stays to the component, so that it can do without an answer.
const RESERVE_MAX: Duration = Duration::from_secs(2);

/// Where the model is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Base URL of an OpenAI-compatible service, up to and including `/v1`.
    pub url: String,
    /// Name of the default model.
    pub model: String,
    /// Name of the secret that holds the API key; none where the service wants none.
    #[serde(default)]
    pub api_key_secret: Option<String>,
    /// Tokens of an answer where the question doesn't say.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: u32,
}

fn default_max_tokens() -> u32 {
    4096
}

/// Asks the configured model.
pub struct ModelClient {
    http: reqwest::Client,
    config: ModelConfig,
    secrets: Secrets,
}

impl ModelClient {
    /// A client; the API key is looked up for each question, so that another one counts at once.
    pub fn new(http: reqwest::Client, config: ModelConfig, secrets: Secrets) -> Self {
        Self { http, config, secrets }
    }

    async fn complete(
        &self,
        model: &str,
        request: &Request,
        within: Duration,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        let body = ChatRequest {
            model,
            messages: request
                .messages
                .iter()
                .map(|m| ChatMessage { role: role(m.role), content: &m.content })
                .collect(),
            max_tokens: request.max_tokens.unwrap_or(self.config.max_tokens),
            temperature: request.temperature_milli.map(|t| f64::from(t.min(2000)) / 1000.0),
        };
        let url = format!("{}/chat/completions", self.config.url.trim_end_matches('/'));
        let mut post = self.http.post(url).timeout(within).json(&body);
        let api_key = self.config.api_key_secret.as_deref().and_then(|name| self.secrets.get(name));
        if let Some(key) = &api_key {
            post = post.bearer_auth(key);
        }
        if let Some(key) = key {
            post = post.header(IDEMPOTENCY_KEY, key);
        }
        let response = post.send().await.map_err(|e| no_answer(&e.without_url().to_string()))?;
        let status = response.status();
        let body = read_bounded(response).await?;
        if !status.is_success() {
            let text = without_key(&String::from_utf8_lossy(&body), api_key.as_deref());
            let text: String = text.chars().take(500).collect();
            return Err(no_answer(&format!("status {status}: {text}")));
        }
        let answer: ChatResponse =
            serde_json::from_slice(&body).map_err(|e| no_answer(&format!("unreadable answer: {e}")))?;
        let choice = answer.choices.into_iter().next().ok_or_else(|| no_answer("an answer without choices"))?;
        let usage = answer.usage.unwrap_or_default();
        Ok(Answer {
            content: choice.message.content.unwrap_or_default(),
            model: answer.model.unwrap_or_else(|| model.to_owned()),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        })
    }
}

/// What a service says without the key, which some repeat when they refuse it.
fn without_key(text: &str, api_key: Option<&str>) -> String {
    match api_key {
        Some(key) if !key.is_empty() => text.replace(key, "[the key]"),
        _ => text.to_owned(),
    }
}

async fn read_bounded(mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| no_answer(&e.without_url().to_string()))? {
        if body.len() + chunk.len() > ANSWER_SIZE_MAX {
            return Err(no_answer(&format!("an answer of over {ANSWER_SIZE_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn no_answer(reason: &str) -> Error {
    errors::unavailable(
        "model.unavailable",
        format!("the model did not answer: {reason}"),
        "check [model] in host.toml",
    )
}

impl Host for Guest {
    fn available(&mut self) -> bool {
        self.reading("model", |guest| {
            let configured = guest.services().model.as_ref();
            configured.is_some_and(|m| guest.identity().grant.check(Action::Model(&m.config.model)).is_allowed())
        })
    }

    async fn complete(&mut self, request: Request) -> Result<Answer, Error> {
        let place = self.place();
        let (identity, services) = (self.identity().clone(), self.services().clone());
        let (request, shown) = (&request, shown(&request));
        let traceparent = self.context().traceparent.clone();
        let call = move |terms: Terms| async move {
            let default = services.model.as_ref().map(|m| m.config.model.as_str());
            let model = request.model.as_deref().or(default).unwrap_or("default").to_owned();
            check(&identity, &services, Action::Model(&model))?;
            let mut span = services.telemetry.below(&traceparent, || about(&model));
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
            let left = terms.deadline.saturating_duration_since(Instant::now());
            let within = left - (left / 10).min(RESERVE_MAX);
            let answer = client.complete(&model, request, within, terms.key.as_deref()).await;
            end(&mut span, &answer);
            answer
        };
        self.ask(place, "model", request, shown, call).await
    }
}

/// A question, by OpenTelemetry's conventions for generative models.
fn about(model: &str) -> About {
    About::new(format!("chat {model}"), SpanKind::Client)
        .with("gen_ai.operation.name", "chat")
        .with("gen_ai.request.model", model.to_owned())
}

fn end(span: &mut Span, answer: &Result<Answer, Error>) {
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

/// The last message, which is what a question is about.
fn shown(request: &Request) -> String {
    request.messages.last().map(|message| message.content.clone()).unwrap_or_default()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

#[derive(Serialize)]
struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
}

#[derive(Serialize)]
struct ChatMessage<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
struct ChatResponse {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: ChoiceMessage,
}

#[derive(Deserialize)]
struct ChoiceMessage {
    content: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}
