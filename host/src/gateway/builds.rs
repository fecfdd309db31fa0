//! `/v1/builds`: asking the forge, and what it was asked.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;

use super::asker::Asker;
use super::extract::{Body, Params, Path};
use super::openapi::Routes;
use super::paging::{Limit, Page};
use super::state::SharedGateway;
use crate::forge::{Outcome, Request};
use crate::problem::{Problem, ProblemKind};
use crate::store::{BuildFilter, BuildRow};

/// Most builds of one list.
const BUILDS_MAX: u32 = 1_000;

/// Which builds to list, newest first.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Which {
    /// Only those for this one, as a principal.
    maker: Option<String>,
    /// Only those of the tool with this full name.
    name: Option<String>,
    /// Most builds.
    limit: Limit<BUILDS_MAX>,
    /// Where to go on: out of the `Link` of the page before.
    cursor: Option<String>,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/builds", "What the forge was asked for, newest first, without sources", list)
        .post("/v1/builds", "Have a tool made of source", build)
        .get("/v1/builds/{id}", "One build with its source", show)
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
    here: Uri,
    Params(which): Params<Which>,
) -> Result<Page<BuildRow>, Problem> {
    let Which { maker, name, limit, cursor } = which;
    let filter = BuildFilter { maker, name, limit: limit.get() + 1, after: cursor };
    let builds = gateway.store().await?.builds(&filter).await?;
    Ok(Page::of(builds, limit.items(), &here, |build| build.id.clone()))
}

async fn show(State(gateway): State<SharedGateway>, Path(id): Path<String>) -> Result<Json<BuildRow>, Problem> {
    let found = gateway.store().await?.build(&id).await?;
    let unknown = || {
        let next = "See `wasmill forge list`.";
        Problem::new(ProblemKind::NotFound, "forge.unknown", format!("there is no build `{id}`"), next)
    };
    Ok(Json(found.ok_or_else(unknown)?))
}
