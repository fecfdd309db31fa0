//! A conversation in MCP over the home's socket, for `wasmill mcp`: both its ends.
//!
//! The connection changes its protocol: after that each line is a message, as on a program's standard input and output.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use wasmill_registry::check_component_name;

use super::server::McpServer;
use crate::gateway::{Client, SharedGateway};
use crate::problem::{Problem, ProblemKind};

/// What the connection changes to.
const PROTOCOL: &str = "mcp";

/// The host's end, beside the routes of the gateway: `/v1/mcp/{client}`.
pub fn routes(gateway: SharedGateway) -> Router {
    Router::new().route("/v1/mcp/{client}", get(converse)).with_state(gateway)
}

/// The command's end: connects standard input and output with a running host, until one of them ends.
///
/// # Errors
/// The host's own problem; `host.gone` where it stopped answering.
pub async fn relay(host: &reqwest::Client, client: &str) -> Result<(), Problem> {
    let stream = Client::upgrade(host, &format!("/v1/mcp/{client}"), PROTOCOL).await?;
    let (mut from_host, mut to_host) = tokio::io::split(stream);
    let (mut input, mut output) = (tokio::io::stdin(), tokio::io::stdout());
    let talked = tokio::select! {
        talked = tokio::io::copy(&mut input, &mut to_host) => talked,
        talked = tokio::io::copy(&mut from_host, &mut output) => talked,
    };
    let next = "See the host's log; start it again with `wasmill up`.";
    talked.map(drop).map_err(|error| Problem::new(ProblemKind::Unavailable, "host.gone", error, next))
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
