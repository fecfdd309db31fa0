//! Asking over the OpenAI chat-completions protocol.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::errors;
use super::super::http::IDEMPOTENCY_KEY;
use super::super::services::Secrets;
use super::price::Price;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::model::{Answer, Request, Role};

/// Largest answer that is read, bytes.
const ANSWER_SIZE_MAX: usize = 4 * 1024 * 1024;

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
    /// What amounts of money are in, for people: `EUR`. A label, nothing is converted.
    #[serde(default)]
    pub currency: String,
    /// What tokens cost, by the name that a model is asked by.
    #[serde(default)]
    pub prices: BTreeMap<String, Price>,
}

impl ModelConfig {
    /// A model behind this address, that wants no key and costs nothing.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            api_key_secret: None,
            max_tokens: default_max_tokens(),
            currency: String::new(),
            prices: BTreeMap::new(),
        }
    }
}

fn default_max_tokens() -> u32 {
    4096
}

/// What became of a question.
pub(super) enum Asked {
    /// It is answered.
    Answered(Answer),
    /// The service did not take it: nothing was used.
    Refused(Error),
    /// It was sent, and no answer can be read: the service may have worked on it all the same.
    Lost(Error),
}

/// Asks the configured model.
#[derive(Clone)]
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

    /// The settings.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Most tokens that an answer to this question may have.
    pub(super) fn answer_max(&self, request: &Request) -> u32 {
        request.max_tokens.unwrap_or(self.config.max_tokens)
    }

    pub(super) async fn complete(&self, model: &str, request: &Request, within: Duration, key: Option<&str>) -> Asked {
        let body = ChatRequest {
            model,
            messages: request
                .messages
                .iter()
                .map(|m| ChatMessage { role: role(m.role), content: &m.content })
                .collect(),
            max_tokens: self.answer_max(request),
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
        let response = match post.send().await {
            Ok(response) => response,
            Err(error) => {
                let refused = error.is_connect() || error.is_builder();
                let error = no_answer(&error.without_url().to_string());
                return if refused { Asked::Refused(error) } else { Asked::Lost(error) };
            }
        };
        let is_success = response.status().is_success();
        match read(model, response, api_key.as_deref()).await {
            Ok(answer) => Asked::Answered(answer),
            Err(error) if is_success => Asked::Lost(error),
            Err(error) => Asked::Refused(error),
        }
    }
}

async fn read(model: &str, response: reqwest::Response, api_key: Option<&str>) -> Result<Answer, Error> {
    let status = response.status();
    let body = read_bounded(response).await?;
    if !status.is_success() {
        let text = without_key(&String::from_utf8_lossy(&body), api_key);
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
