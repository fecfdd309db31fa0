//! `/v1/tools`: listing and calling tools, as the client `cli`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asker::Asker;
use super::extract::{Body, Path};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use crate::capabilities::{Invocation, ToolCalls};
use crate::catalog::{RolledBack, Snapshot, Tool};
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};

/// A callable tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ToolReply {
    /// Name without version.
    pub name: String,
    /// Version that a call by plain name reaches.
    pub version: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// One sentence on what it is for.
    pub description: String,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// Its functions.
    pub functions: Vec<FunctionReply>,
    /// Versions of it that fail, and that a call by plain name therefore doesn't reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rolled_back: Vec<RolledBack>,
}

/// One function of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FunctionReply {
    /// Name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Value,
    /// JSON Schema of the result.
    pub output_schema: Value,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// Function.
    pub function: String,
    /// Arguments: an object.
    pub arguments: Value,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CallReply {
    /// The result.
    pub result: Value,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/tools", "Callable tools, in the versions that their plain names reach", list)
        .get("/v1/tools/{tool}", "One tool", show)
        .post("/v1/tools/{tool}/calls", "Call a function of a tool", call)
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<ToolReply>>, Problem> {
    let snapshot = host(&gateway).await?.catalog.snapshot();
    Ok(Json(snapshot.current_tools().map(|tool| reply(tool, &snapshot)).collect()))
}

async fn show(State(gateway): State<SharedGateway>, Path(tool): Path<String>) -> Result<Json<ToolReply>, Problem> {
    let snapshot = host(&gateway).await?.catalog.snapshot();
    let found = snapshot.tool(&tool).ok_or_else(|| {
        let next = "See `wasmill tool list`, and `wasmill plugin list` for what waits or was refused.";
        Problem::new(ProblemKind::NotFound, "tool.unknown", format!("there is no callable tool `{tool}`"), next)
    })?;
    Ok(Json(reply(found, &snapshot)))
}

async fn call(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path(tool): Path<String>,
    Body(request): Body<CallRequest>,
) -> Result<Json<CallReply>, Problem> {
    let host = host(&gateway).await?;
    let caller = host.client(&client);
    let CallRequest { function, arguments } = request;
    let invocation = Invocation { tool, function, arguments: arguments.to_string() };
    let answer = host.toolbox.call(&caller, invocation).await?;
    let result = serde_json::from_str(&answer);
    Ok(Json(CallReply { result: result.map_err(|e| Problem::invalid("tool.answer", e.to_string(), ""))? }))
}

/// The host, with the tools of other MCP servers.
async fn host(gateway: &Gateway) -> Result<&Arc<Host>, Problem> {
    let host = gateway.host().await?;
    host.meet_mcp_servers().await?;
    Ok(host)
}

fn reply(tool: &Tool, snapshot: &Snapshot) -> ToolReply {
    let schema = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let functions = tool.functions.iter().map(|f| FunctionReply {
        name: f.function.name.clone(),
        description: f.function.description.clone(),
        input_schema: schema(&f.function.input_schema),
        output_schema: schema(&f.function.output_schema),
    });
    ToolReply {
        name: tool.manifest.name.clone(),
        version: tool.manifest.version.to_string(),
        digest: tool.identity.digest.clone(),
        description: tool.manifest.description.clone(),
        maker: tool.maker.clone(),
        functions: functions.collect(),
        rolled_back: snapshot
            .rolled_back
            .get(&tool.manifest.name)
            .into_iter()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect(),
    }
}
