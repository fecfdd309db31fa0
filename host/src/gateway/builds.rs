//! `/v1/builds`: asking the forge, and what it was asked.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::asker::Asker;
use super::extract::{Body, Params};
use super::state::SharedGateway;
use crate::forge::{Outcome, Request};
use crate::problem::{Problem, ProblemKind};
use crate::store::{BuildFilter, BuildRow};

/// Most builds of one list.
const BUILDS_MAX: u32 = 1_000;

/// Which builds to list, newest first.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Which {
    maker: Option<String>,
    name: Option<String>,
    limit: Option<u32>,
}

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/builds", get(list).post(build)).route("/v1/builds/{id}", get(show))
}

async fn build(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Body(request): Body<Request>,
) -> Result<Json<Outcome>, Problem> {
    let host = gateway.host().await?;
    let forge = host.forge.as_ref().ok_or_else(|| {
        let next = "Make one with `wasmill key new forge --role forge`, then start the host again.";
        Problem::new(ProblemKind::Unavailable, "forge.none", "this home has no forge key", next)
    })?;
    let maker = host.client(&client);
    Ok(Json(forge.build(&maker.identity.grant, &request).await.map_err(|error| error.problem())?))
}

async fn list(
    State(gateway): State<SharedGateway>,
    Params(which): Params<Which>,
) -> Result<Json<Vec<BuildRow>>, Problem> {
    let limit = which.limit.unwrap_or(50).min(BUILDS_MAX);
    let filter = BuildFilter { maker: which.maker, name: which.name, limit };
    Ok(Json(gateway.store().await?.builds(&filter).await?))
}

async fn show(State(gateway): State<SharedGateway>, Path(id): Path<String>) -> Result<Json<BuildRow>, Problem> {
    let found = gateway.store().await?.build(&id).await?;
    let unknown = || {
        let next = "See `wasmill forge list`.";
        Problem::new(ProblemKind::NotFound, "forge.unknown", format!("there is no build `{id}`"), next)
    };
    Ok(Json(found.ok_or_else(unknown)?))
}
