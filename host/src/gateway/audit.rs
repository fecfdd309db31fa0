//! `/v1/audit`: who tried what, and whether that is what hosts wrote.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::extract::Params;
use super::state::SharedGateway;
use crate::audit::{AuditReport, Survey};
use crate::problem::Problem;
use crate::store::{AUDIT_LISTED_MAX, AuditFilter, AuditRow};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    principal: Option<String>,
    #[serde(default = "limit_default")]
    limit: u32,
}

fn limit_default() -> u32 {
    100
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyParams {
    chain: Option<String>,
}

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/audit", get(list)).route("/v1/audit/verify", get(verify))
}

async fn list(
    State(gateway): State<SharedGateway>,
    Params(params): Params<ListParams>,
) -> Result<Json<Vec<AuditRow>>, Problem> {
    let filter = AuditFilter { principal: params.principal, limit: params.limit.min(AUDIT_LISTED_MAX) };
    Ok(Json(gateway.store().await?.audit(&filter).await?))
}

async fn verify(
    State(gateway): State<SharedGateway>,
    Params(params): Params<VerifyParams>,
) -> Result<Json<AuditReport>, Problem> {
    let survey = Survey {
        store: gateway.store().await?,
        trust: &gateway.home().trust()?,
        file: &gateway.home().audit_file(),
        // A broker that is away must not keep anybody from looking at the database.
        streams: gateway.streams().await.cloned(),
    };
    Ok(Json(survey.report(params.chain.as_deref()).await?))
}
