//! `/v1/approvals`: what needs an admin's approval, and admins' decisions.
//!
//! An approval comes in signed: no admin's key ever reaches a host.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use wasmill_registry::Registry;

use super::asker::Asker;
use super::extract::{Body, Path};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use super::text::{Base64, coded};
use crate::approvals::{Case, CaseDetail, Desk, DeskParts};
use crate::permissions::Principal;
use crate::problem::Problem;

/// A signed approval.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The DSSE envelope, base64.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub envelope: Vec<u8>,
}

/// A refusal.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DenyRequest {
    /// Why, for whoever asks later.
    pub reason: String,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/approvals", "What needs an admin's approval, and what admins decided", list)
        .post("/v1/approvals", "Bring in a signed approval", grant)
        .get("/v1/approvals/{reference}", "All that an admin should see before signing", show)
        .post("/v1/approvals/{reference}/deny", "Refuse", deny)
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<Case>>, Problem> {
    Ok(Json(desk(&gateway).await?.list(&gateway.home().trust()?).await?))
}

async fn show(
    State(gateway): State<SharedGateway>,
    Path(reference): Path<String>,
) -> Result<Json<CaseDetail>, Problem> {
    Ok(Json(desk(&gateway).await?.show(&reference, &gateway.home().trust()?).await?))
}

async fn grant(
    State(gateway): State<SharedGateway>,
    asker: Asker,
    Body(request): Body<GrantRequest>,
) -> Result<Json<Case>, Problem> {
    let case = desk(&gateway).await?.grant(&request.envelope, &gateway.home().trust()?, &who(&asker)).await?;
    take_effect(&gateway).await;
    Ok(Json(case))
}

async fn deny(
    State(gateway): State<SharedGateway>,
    asker: Asker,
    Path(reference): Path<String>,
    Body(request): Body<DenyRequest>,
) -> Result<Json<Case>, Problem> {
    let trust = gateway.home().trust()?;
    let case = desk(&gateway).await?.deny(&reference, &request.reason, &trust, &who(&asker)).await?;
    take_effect(&gateway).await;
    Ok(Json(case))
}

async fn desk(gateway: &Gateway) -> Result<Desk, Problem> {
    Ok(Desk::new(DeskParts {
        registry: Registry::open(gateway.registry().folder())?,
        permissions: gateway.home().permissions_file(),
        store: gateway.store().await?.clone(),
    }))
}

/// A host at work decides anew within seconds; this one does it now.
async fn take_effect(gateway: &Gateway) {
    if let Some(host) = gateway.host_at_work()
        && let Err(error) = host.catalog.refresh().await
    {
        tracing::error!(code = error.code(), "the decision is kept and not yet in effect: {error}");
    }
}

fn who(asker: &Asker) -> Principal {
    Principal::client(&asker.0)
}
