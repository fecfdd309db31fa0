//! `/v1/permissions/what-if`: what another matrix would have decided otherwise.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::extract::{Body, blocking};
use super::openapi::Routes;
use super::permissions::in_force;
use super::state::SharedGateway;
use crate::catalog::Deciders;
use crate::meters::{FlowFigures, FlowKind};
use crate::permissions::{Action, Attempt, Change, FILE_BYTES_MAX, Matrix, Principal, Tried, attempt_of, changes};
use crate::problem::{Problem, ProblemKind};
use crate::store::{AUDIT_LISTED_MAX, AuditRow, now_ms};

/// How far back decisions are looked at, in milliseconds: a day.
const BACK_MS: i64 = 24 * 60 * 60 * 1000;

/// A matrix that is not in force.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhatIfRequest {
    /// The text of a `permissions.toml`.
    permissions: String,
}

/// What it would change.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct WhatIfReply {
    /// Revision in force.
    revision: String,
    /// Revision of the other one.
    other_revision: String,
    /// Decisions that would be others.
    changes: Vec<Change>,
    /// Different things that were tried and decided once more.
    judged: usize,
    /// Rows of the trail of the last day that no column of the matrix decides about.
    others: usize,
    /// True where the last day has more rows than are looked at.
    is_cut: bool,
}

pub(super) fn routes() -> Routes {
    let size = usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX).saturating_mul(2);
    Routes::new()
        .post("/v1/permissions/what-if", "What another matrix would have decided otherwise", what_if)
        .body_limit(size)
}

async fn what_if(
    State(gateway): State<SharedGateway>,
    Body(request): Body<WhatIfRequest>,
) -> Result<Json<WhatIfReply>, Problem> {
    if request.permissions.len() as u64 > FILE_BYTES_MAX {
        let message = format!("a matrix has at most {FILE_BYTES_MAX} bytes");
        return Err(Problem::new(ProblemKind::Limit, "matrix.too-large", message, "Use fewer rows."));
    }
    let other = Matrix::parse(&request.permissions)?.with_host_limits(gateway.config().limits.component.clone());
    let store = gateway.store().await?;
    let rows = store.audit_since(now_ms().saturating_sub(BACK_MS), AUDIT_LISTED_MAX).await?;
    let approvals = store.approvals().await?;
    // Calls of components that went well are not in the trail: what went over the edges stands for them.
    let flows = gateway.host_at_work().map(|host| host.catalog.services().meters.flows.figures());
    let (tried, others) = tried(&rows, &flows.unwrap_or_default());
    let is_cut = rows.len() >= AUDIT_LISTED_MAX as usize;
    let matrix = in_force(&gateway).await?;
    // The other rows would stand below the same veto.
    let other = other.with_veto(matrix.veto().cloned());
    let reply = blocking(move || {
        let (trust, now) = (gateway.home().trust()?, OffsetDateTime::now_utc());
        let deciders = Deciders::read(gateway.registry(), &trust, &approvals, now)?;
        let principals: BTreeSet<&Principal> = tried.iter().map(|tried| &tried.principal).collect();
        let both = |principal: &Principal| {
            let of = |matrix| Ok::<_, Problem>(deciders.grant_of(principal, matrix)?.grant);
            Ok::<_, Problem>((principal.clone(), (of(&*matrix)?, of(&other)?)))
        };
        let grants = principals.into_iter().map(both).collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(WhatIfReply {
            revision: matrix.revision().to_string(),
            other_revision: other.revision().to_string(),
            changes: changes(&tried, &grants),
            judged: tried.len(),
            others,
            is_cut,
        })
    });
    Ok(Json(reply.await?))
}

/// Each thing that was tried once, and how many rows are about nothing of the kind.
fn tried(rows: &[AuditRow], flows: &[FlowFigures]) -> (Vec<Tried>, usize) {
    let mut counts: BTreeMap<(Principal, String), Tried> = BTreeMap::new();
    let mut add = |principal: Principal, attempt: Attempt, count: u64| {
        let key = (principal.clone(), attempt.action().to_string());
        counts.entry(key).or_insert(Tried { principal, attempt, count: 0 }).count += count;
    };
    let mut others = 0;
    for row in rows {
        match (row.principal.parse::<Principal>(), attempt_of(&row.action, &row.decision)) {
            (Ok(principal), Some(attempt)) => add(principal, attempt, 1),
            _ => others += 1,
        }
    }
    for flow in flows {
        // Those of clients are in the trail.
        let Ok(principal) = flow.principal.parse::<Principal>() else { continue };
        if flow.principal.starts_with("client:") {
            continue;
        }
        let action = match flow.kind {
            FlowKind::Reads => Action::TopicRead(&flow.name),
            FlowKind::Writes => Action::TopicWrite(&flow.name),
            FlowKind::Calls => Action::ToolCall(&flow.name),
        };
        add(principal, action.into(), flow.count);
    }
    (counts.into_values().collect(), others)
}
