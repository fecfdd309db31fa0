//! `/v1/dlq`: dead letters and their way back.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Params, Path};
use super::openapi::Routes;
use super::paging::Limit;
use super::state::SharedGateway;
use crate::agents::{DeadLetter, Redriven, list, list_all, redrive};
use crate::problem::Problem;

/// Most letters of one answer.
const LETTERS_MAX: u32 = 1000;
/// Most records of one redrive.
const REDRIVEN_MAX: usize = 1000;

#[derive(Debug, Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Most letters.
    #[serde(default)]
    limit: Limit<LETTERS_MAX>,
}

/// How much to send again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveRequest {
    /// Most records, at most 1,000.
    pub max: usize,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/dlq", "Dead letters of all topics", all)
        .get("/v1/dlq/{topic}", "Dead letters of a topic", of_topic)
        .post("/v1/dlq/{topic}/redrive", "Send dead letters again", send_again)
}

async fn all(
    State(gateway): State<SharedGateway>,
    Params(params): Params<ListParams>,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    Ok(Json(list_all(gateway.streams().await?, params.limit.items()).await?))
}

async fn of_topic(
    State(gateway): State<SharedGateway>,
    Path(topic): Path<String>,
    Params(params): Params<ListParams>,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    Ok(Json(list(gateway.streams().await?, &topic, params.limit.items()).await?))
}

async fn send_again(
    State(gateway): State<SharedGateway>,
    Path(topic): Path<String>,
    Body(request): Body<RedriveRequest>,
) -> Result<Json<Redriven>, Problem> {
    Ok(Json(redrive(gateway.streams().await?, &topic, request.max.min(REDRIVEN_MAX)).await?))
}
