//! `/v1/agents`: agents that agents have started.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::Path;
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::capabilities::agents::Started;
use crate::problem::{Problem, ProblemKind};

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

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/agents/started", "Agents that agents have started", list).delete(
        "/v1/agents/started/{name}",
        "Stop one of them",
        stop,
    )
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<StartedReply>>, Problem> {
    let catalog = &gateway.host().await?.catalog;
    catalog.services().book.catch_up().await?;
    let refused = &catalog.snapshot().refused;
    let reply = |(name, started): (&String, &Started)| {
        let reason = refused.iter().find(|refused| refused.component == *name).map(|refused| refused.reason.clone());
        StartedReply { name: name.clone(), started: started.clone(), reason }
    };
    Ok(Json(catalog.services().book.current().iter().map(reply).collect()))
}

async fn stop(State(gateway): State<SharedGateway>, Path(name): Path<String>) -> Result<Json<String>, Problem> {
    if gateway.host().await?.catalog.services().book.stop(&name).await? {
        return Ok(Json(name));
    }
    let message = format!("no agent has started `{name}`");
    Err(Problem::new(ProblemKind::NotFound, "agents.unknown", message, "See `wasmill agent list`."))
}
