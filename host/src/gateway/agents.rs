//! `/v1/agents`: agents that agents and clients have started.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::extract::{Body, Path};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use crate::capabilities::agents::{self, Started};
use crate::capabilities::problem;
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::bindings::agents::AgentSpec;
use crate::store::AuditEntry;

/// A started agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StartedReply {
    /// Its name.
    pub name: String,
    /// How it was started.
    #[serde(flatten)]
    pub started: Started,
    /// Why it can't work on this host; none where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An agent that a client wants to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// Its name below the client's: `night` of client `ops` is `ops.night`.
    pub name: String,
    /// Name of an installed agent.
    pub component: String,
    /// Topics that it reads, instead of those of its manifest.
    pub reads: Vec<String>,
    /// What it gets from `config`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// An agent that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StartReply {
    /// Its full name.
    pub name: String,
    /// False where exactly this was at work already.
    pub is_new: bool,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/agents/started", "Agents that agents and clients have started", list)
        .post("/v1/agents/started", "Start an agent below one's own name", start)
        .delete("/v1/agents/started/{name}", "Stop one of them", stop)
}

async fn start(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Body(request): Body<StartRequest>,
) -> Result<Json<StartReply>, Problem> {
    Ok(Json(started_by(gateway.host().await?, &client, request).await?))
}

/// Starts an agent for a client, by the client's rows.
pub(super) async fn started_by(host: &Host, client: &str, request: StartRequest) -> Result<StartReply, Problem> {
    let caller = host.client(client);
    let StartRequest { name, component, reads, settings } = request;
    let wanted = AgentSpec { name, component, reads, settings: settings.into_iter().collect() };
    let action = format!("start {} as {}", wanted.component, wanted.name);
    let done = agents::start(&caller.identity, host.catalog.services(), wanted).await;
    let (name, is_new) = done.map_err(|error| problem(&error))?;
    let detail = if is_new { name.clone() } else { format!("{name} is at work already") };
    host.audit.record(AuditEntry::now(caller.identity.principal.as_str(), action, "allowed", detail));
    Ok(StartReply { name, is_new })
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<StartedReply>>, Problem> {
    Ok(Json(all_started(&gateway).await?))
}

/// All that were started, by name.
pub(super) async fn all_started(gateway: &Gateway) -> Result<Vec<StartedReply>, Problem> {
    let catalog = &gateway.host().await?.catalog;
    catalog.services().book.catch_up().await?;
    let refused = &catalog.snapshot().refused;
    let reply = |(name, started): (&String, &Started)| {
        let reason = refused.iter().find(|refused| refused.component == *name).map(|refused| refused.reason.clone());
        StartedReply { name: name.clone(), started: started.clone(), reason }
    };
    Ok(catalog.services().book.current().iter().map(reply).collect())
}

/// Stops one that a client has started, by the last part of its name. False where there is none.
pub(super) async fn stopped_by(host: &Host, client: &str, name: &str) -> Result<bool, Problem> {
    let identity = host.client(client).identity;
    let stopped = agents::stop(&identity, host.catalog.services(), name).await.map_err(|error| problem(&error))?;
    if stopped {
        host.audit.record(AuditEntry::now(identity.principal.as_str(), format!("stop {name}"), "allowed", ""));
    }
    Ok(stopped)
}

async fn stop(State(gateway): State<SharedGateway>, Path(name): Path<String>) -> Result<Json<String>, Problem> {
    if gateway.host().await?.catalog.services().book.stop(&name).await? {
        return Ok(Json(name));
    }
    let message = format!("no agent has started `{name}`");
    Err(Problem::new(ProblemKind::NotFound, "agents.unknown", message, "See `wasmill agent list`."))
}
