//! `/v1/dlq`: dead letters and their way back.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::extract::{Body, Params};
use super::state::SharedGateway;
use crate::agents::{DeadLetter, Redriven, list, list_all, redrive};
use crate::problem::Problem;

/// Most letters of one answer, and records of one redrive.
const LETTERS_MAX: usize = 1000;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    #[serde(default = "max_default")]
    max: usize,
}

fn max_default() -> usize {
    100
}

/// How much to send again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedriveRequest {
    /// Most records.
    pub max: usize,
}

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new()
        .route("/v1/dlq", get(all))
        .route("/v1/dlq/{topic}", get(of_topic))
        .route("/v1/dlq/{topic}/redrive", post(send_again))
}

async fn all(
    State(gateway): State<SharedGateway>,
    Params(params): Params<ListParams>,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    Ok(Json(list_all(gateway.streams().await?, params.max.min(LETTERS_MAX)).await?))
}

async fn of_topic(
    State(gateway): State<SharedGateway>,
    Path(topic): Path<String>,
    Params(params): Params<ListParams>,
) -> Result<Json<Vec<DeadLetter>>, Problem> {
    Ok(Json(list(gateway.streams().await?, &topic, params.max.min(LETTERS_MAX)).await?))
}

async fn send_again(
    State(gateway): State<SharedGateway>,
    Path(topic): Path<String>,
    Body(request): Body<RedriveRequest>,
) -> Result<Json<Redriven>, Problem> {
    Ok(Json(redrive(gateway.streams().await?, &topic, request.max.min(LETTERS_MAX)).await?))
}
