//! `/v1/status` and `/v1/agents`: what a host is doing.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::openapi::Routes;
use super::state::SharedGateway;
use crate::agents::AgentStatus;
use crate::catalog::{Refused, Waiting};
use crate::conversations::{Conversations, ConversationsStatus};
use crate::permissions::MatrixStatus;
use crate::problem::Problem;
use crate::tool_topics::{ToolTopics, ToolTopicsStatus};

/// What a host is doing.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct StatusReply {
    /// Version of the host.
    version: &'static str,
    /// Agents at work.
    agents: Vec<AgentStatus>,
    /// Topics on which tools can be called.
    tool_topics: Vec<ToolTopicsStatus>,
    /// Conversations of clients with agents; none where the host has none.
    conversations: Option<ConversationsStatus>,
    /// Callable tools, `name@version`.
    tools: Vec<String>,
    /// Components that wait for an admin.
    waiting: Vec<Waiting>,
    /// Components that can't be loaded.
    refused: Vec<Refused>,
    /// The matrix in force.
    permissions: MatrixStatus,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/status", "What the host is doing", status).get("/v1/agents", "Agents at work", agents)
}

async fn status(State(gateway): State<SharedGateway>) -> Result<Json<StatusReply>, Problem> {
    let host = gateway.host().await?;
    let snapshot = host.catalog.snapshot();
    Ok(Json(StatusReply {
        version: env!("CARGO_PKG_VERSION"),
        agents: host.supervisor.status(),
        tool_topics: host.tool_topics.iter().map(ToolTopics::status).collect(),
        conversations: host.conversations.as_ref().map(Conversations::status),
        tools: snapshot.tools.values().flat_map(|v| v.values()).map(|t| t.identity.component.to_string()).collect(),
        waiting: snapshot.waiting.clone(),
        refused: snapshot.refused.clone(),
        permissions: host.catalog.matrix().status(),
    }))
}

async fn agents(State(gateway): State<SharedGateway>) -> Result<Json<Vec<AgentStatus>>, Problem> {
    Ok(Json(gateway.host().await?.supervisor.status()))
}
