//! `/v1/permissions`: the matrix as it is in the home, and what it means for somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::extract::{Body, blocking};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use crate::catalog::grant_of;
use crate::permissions::{Action, Column, Decision, Explanation, Grid, Matrix, Principal, VetoStatus};
use crate::problem::Problem;

/// Whom to explain, and for which action.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// `agent:NAME`, `tool:NAME`, `client:NAME`.
    pub principal: String,
    /// A column of the matrix, to ask about one action.
    pub column: Option<Column>,
    /// What the action is about; `METHOD HOST` for `http`, nothing for `state` and `clock`.
    pub name: Option<String>,
}

/// An explanation.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExplainReply {
    /// `name@version` of the newest installed version; none for a client, and for what is not installed.
    pub component: Option<String>,
    /// What it may do and why.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The answer about one action, where one was asked about.
    pub answer: Option<Answer>,
}

/// The answer about one action.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Answer {
    /// May it?
    pub allowed: bool,
    /// Who may or may not do what, and which row says so or would have to change.
    pub text: String,
}

/// The matrix in force.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MatrixReply {
    /// Its rows.
    #[serde(flatten)]
    pub grid: Grid,
    /// Why the file as it is now is not in force, where a running host refused it.
    pub rejected: Option<String>,
    /// The policy that may deny what the rows allow, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veto: Option<VetoStatus>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/permissions", "The matrix in force", matrix).post(
        "/v1/permissions/explain",
        "What somebody may do, and why",
        explain,
    )
}

async fn matrix(State(gateway): State<SharedGateway>) -> Result<Json<MatrixReply>, Problem> {
    let rejected = gateway.host_at_work().and_then(|host| host.catalog.matrix().status().rejected);
    let matrix = in_force(&gateway).await?;
    let veto = matrix.veto().map(|veto| veto.status());
    Ok(Json(MatrixReply { grid: matrix.grid(), rejected, veto }))
}

/// The matrix that a running host follows, else the file's: under a veto that of a host which can ask it.
pub(super) async fn in_force(gateway: &SharedGateway) -> Result<Arc<Matrix>, Problem> {
    if gateway.config().veto.file.is_some() {
        gateway.host().await?;
    }
    match gateway.host_at_work() {
        Some(host) => Ok(host.catalog.matrix().current()),
        None => {
            let gateway = gateway.clone();
            blocking(move || load(&gateway)).await
        }
    }
}

fn load(gateway: &Gateway) -> Result<Arc<Matrix>, Problem> {
    let matrix = Matrix::load(&gateway.home().permissions_file())?;
    Ok(Arc::new(matrix.with_host_limits(gateway.config().limits.component.clone())))
}

async fn explain(
    State(gateway): State<SharedGateway>,
    Body(request): Body<ExplainRequest>,
) -> Result<Json<ExplainReply>, Problem> {
    let principal: Principal = request.principal.parse()?;
    let approvals = gateway.store().await?.approvals().await?;
    let matrix = in_force(&gateway).await?;
    let reply = blocking(move || {
        let (trust, now) = (gateway.home().trust()?, OffsetDateTime::now_utc());
        let found = grant_of(&principal, gateway.registry(), &trust, &matrix, &approvals, now)?;
        let action = request.column.map(|column| Action::parse(column, request.name.as_deref())).transpose();
        let action = action.map_err(|message| Problem::invalid("permission.action", message, ""))?;
        let answer = action.map(|action| answer(&matrix, &principal, action, found.grant.check(action)));
        let explanation = matrix.explain(&found.grant, found.wanted.as_ref());
        Ok(ExplainReply { component: found.component, explanation, answer })
    });
    Ok(Json(reply.await?))
}

fn answer(matrix: &Matrix, principal: &Principal, action: Action<'_>, decision: Decision) -> Answer {
    match decision {
        Decision::Allowed { line } => {
            let row = matrix.rows().iter().find(|row| row.line == line);
            let pattern = row.map(|row| row.principal.text()).unwrap_or_default();
            let text = format!(
                "{principal} may {action}: the row for {pattern:?} in permissions.toml (line {line}) allows it"
            );
            Answer { allowed: true, text }
        }
        Decision::Denied(denial) => Answer { allowed: false, text: denial.to_string() },
    }
}
