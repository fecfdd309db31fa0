//! `/v1/settings` and `/v1/secrets`: what the console has to know of a host, and credentials that go in and never out.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::extract::{Path, Quiet};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use crate::permissions::Principal;
use crate::problem::{Problem, ProblemKind};
use crate::store::AuditEntry;
use crate::vault::{SecretState, VaultError};

/// Largest request, in bytes.
const REQUEST_SIZE_MAX: usize = 64 * 1024;

/// Settings that are nobody's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SettingsReply {
    /// Where a trace can be seen: `{trace}` stands for its id. None where host.toml says nothing.
    pub trace_url: Option<String>,
    /// The language model; none where there is none.
    pub model: Option<ModelReply>,
}

/// The language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelReply {
    /// Where it is, without user and password.
    pub url: String,
    /// Its name.
    pub model: String,
    /// Name of the secret that holds its API key.
    pub api_key_secret: Option<String>,
}

/// A credential that is entered.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRequest {
    /// Name.
    pub name: String,
    /// Value: one line.
    pub value: String,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/settings", "Settings that are nobody's secret", settings)
        .get("/v1/secrets", "Which secrets there are; never their values", list)
        .post("/v1/secrets", "Enter a secret", set)
        .delete("/v1/secrets/{name}", "Remove an entered secret", remove)
        .body_limit(REQUEST_SIZE_MAX)
}

async fn settings(State(gateway): State<SharedGateway>) -> Json<SettingsReply> {
    let config = gateway.config();
    let model = config.model.as_ref().map(|model| ModelReply {
        url: without_user(&model.url),
        model: model.model.clone(),
        api_key_secret: model.api_key_secret.clone(),
    });
    Json(SettingsReply { trace_url: config.console.trace_url.clone(), model })
}

/// A URL as people may see it. What can't be read as one is not shown.
fn without_user(url: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(url) else { return String::new() };
    // These fail for addresses that have no such parts at all.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.to_string()
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<SecretState>>, Problem> {
    Ok(Json(gateway.host().await?.vault.list().await?))
}

async fn set(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Quiet(request): Quiet<SecretRequest>,
) -> Result<Json<SecretState>, Problem> {
    let by = Principal::client(&client);
    let done = gateway.host().await?.vault.set(&request.name, &request.value, by.as_str()).await;
    audit(&gateway, &by, "set", &request.name, done.as_ref().err()).await?;
    done?;
    let all = gateway.host().await?.vault.list().await?;
    let found = all.into_iter().find(|secret| secret.name == request.name);
    found.map(Json).ok_or_else(|| unknown(&request.name))
}

async fn remove(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path(name): Path<String>,
) -> Result<Json<String>, Problem> {
    let by = Principal::client(&client);
    let done = gateway.host().await?.vault.remove(&name).await;
    audit(&gateway, &by, "remove", &name, done.as_ref().err()).await?;
    if done? { Ok(Json(name)) } else { Err(unknown(&name)) }
}

fn unknown(name: &str) -> Problem {
    let message = format!("no secret `{}` was entered", name.escape_default());
    Problem::new(ProblemKind::NotFound, "secret.unknown", message, "See `wasmill secret list`.")
}

/// A name that can't be one may be a value in the wrong place: it is not written down.
async fn audit(
    gateway: &Gateway,
    by: &Principal,
    verb: &str,
    name: &str,
    error: Option<&VaultError>,
) -> Result<(), Problem> {
    let action = match error {
        Some(VaultError::Name(_)) => format!("{verb} secret"),
        _ => format!("{verb} secret {name}"),
    };
    let (decision, detail) = error.map_or(("allowed", ""), |error| ("failed", error.code()));
    gateway.host().await?.audit.record(AuditEntry::now(by.as_str(), action, decision, detail));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_a_secret() {
        assert_eq!(without_user("https://me:planted@h/v1?key=planted"), "https://h/v1");
        assert_eq!(without_user("no url planted"), "");
    }
}
