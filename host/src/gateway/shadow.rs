//! `/v1/plugins/{reference}/shadow`: a version beside the one before it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use wasmill_registry::{NameError, Reference};

use super::extract::{Body, Path};
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::problem::{Problem, ProblemKind};
use crate::shadow::{LAST_MAX, ShadowReport, shadow};

/// One at a time: each takes a minute of a processor at most, and what works goes first.
static TURN: Semaphore = Semaphore::const_new(1);

/// How much both versions are given.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShadowRequest {
    /// The last so many calls of a tool, or records of an agent.
    #[schemars(range(min = 1, max = LAST_MAX))]
    pub last: u32,
}

pub(super) fn routes() -> Routes {
    Routes::new().post(
        "/v1/plugins/{reference}/shadow",
        "Give a version what the one before it got last, without any effect, and compare",
        compare,
    )
}

async fn compare(
    State(gateway): State<SharedGateway>,
    Path(reference): Path<String>,
    Body(request): Body<ShadowRequest>,
) -> Result<Json<ShadowReport>, Problem> {
    let reference: Reference = reference.parse().map_err(|error: NameError| Problem::from(error))?;
    let _turn = TURN.try_acquire().map_err(|_| {
        let message = "another shadow run is under way on this host";
        Problem::new(ProblemKind::Limit, "shadow.busy", message, "Try again in a minute.")
    })?;
    Ok(Json(shadow(&gateway.host().await?.catalog, &reference, request.last).await?))
}
