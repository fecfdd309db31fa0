//! `/v1/audit`: who tried what, and whether that is what hosts wrote.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;

use super::extract::Params;
use super::openapi::Routes;
use super::paging::{Limit, Page, bad_cursor};
use super::state::SharedGateway;
use crate::audit::{AuditReport, Survey};
use crate::problem::Problem;
use crate::store::{AUDIT_LISTED_MAX, AuditFilter, AuditPlace, AuditRow};

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Only those of this one.
    principal: Option<String>,
    /// Most rows.
    #[serde(default)]
    limit: Limit<AUDIT_LISTED_MAX>,
    /// Where to go on: out of the `Link` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyParams {
    /// Only this chain.
    chain: Option<String>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/audit", "Rows of the audit trail, newest first", list).get(
        "/v1/audit/verify",
        "Whether the trail is what hosts wrote; reads all of it",
        verify,
    )
}

async fn list(
    State(gateway): State<SharedGateway>,
    here: Uri,
    Params(params): Params<ListParams>,
) -> Result<Page<AuditRow>, Problem> {
    let after = params.cursor.as_deref().map(place).transpose()?;
    let filter = AuditFilter { principal: params.principal, limit: params.limit.get() + 1, after };
    let rows = gateway.store().await?.audit(&filter).await?;
    let cursor = |row: &AuditRow| format!("{}.{}.{}", row.at_ms, row.seq, row.chain);
    Ok(Page::of(rows, params.limit.items(), &here, cursor))
}

/// The row that a cursor names.
fn place(cursor: &str) -> Result<AuditPlace, Problem> {
    let read = || {
        let mut parts = cursor.splitn(3, '.');
        let at_ms = parts.next()?.parse().ok()?;
        let seq = parts.next()?.parse().ok()?;
        Some(AuditPlace { at_ms, seq, chain: parts.next()?.to_owned() })
    };
    read().ok_or_else(bad_cursor)
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
