//! `/v1/mcp/{client}`: a conversation in MCP over the home's socket, for `wasmill mcp`.
//!
//! The connection changes its protocol: after that each line is a message, as on a program's standard input and output.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use wasmill_registry::check_component_name;

use super::state::SharedGateway;
use crate::mcp::McpServer;
use crate::problem::Problem;

/// What the connection changes to.
pub(super) const PROTOCOL: &str = "mcp";

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/mcp/{client}", get(converse))
}

async fn converse(
    State(gateway): State<SharedGateway>,
    Path(client): Path<String>,
    mut request: Request,
) -> Result<Response, Problem> {
    check_component_name(&client)?;
    if request.headers().get(header::UPGRADE).is_none_or(|protocol| protocol != PROTOCOL) {
        let next = "Use `wasmill mcp`, or the port that `mcp.listen` of host.toml names.";
        return Err(Problem::invalid("mcp.upgrade", format!("this is for `Upgrade: {PROTOCOL}`"), next));
    }
    let server = McpServer::new(gateway.host().await?.clone(), client);
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let talked = match upgraded.await {
            Ok(stream) => server.converse(tokio::io::split(TokioIo::new(stream))).await,
            Err(error) => Err(Problem::invalid("mcp.upgrade", error, "")),
        };
        if let Err(problem) = talked {
            tracing::debug!(code = problem.code, "{}", problem.message);
        }
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, PROTOCOL)];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}
