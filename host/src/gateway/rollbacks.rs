//! `/v1/rollbacks`: versions of tools that fail, and admins' word that one may be reached again.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use wasmill_registry::{NameError, Reference};

use super::asker::Asker;
use super::extract::Path;
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::catalog::RolledBack;
use crate::host::from_home::host_name;
use crate::permissions::Principal;
use crate::problem::{Problem, ProblemKind};
use crate::store::AuditEntry;

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/rollbacks", "Versions of tools that fail, and that plain names therefore don't reach", list)
        .delete("/v1/rollbacks/{reference}", "Let plain names reach a version again", restore)
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<RolledBack>>, Problem> {
    let snapshot = gateway.host().await?.catalog.snapshot();
    Ok(Json(snapshot.rolled_back.values().flat_map(BTreeMap::values).cloned().collect()))
}

async fn restore(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path(reference): Path<String>,
) -> Result<Json<RolledBack>, Problem> {
    let Reference { name, version } = reference.parse().map_err(|error: NameError| Problem::from(error))?;
    let host = gateway.host().await?;
    let snapshot = host.catalog.snapshot();
    let versions = snapshot.rolled_back.get(&name);
    let rolled = version.as_ref().and_then(|version| versions?.get(version)).ok_or_else(|| {
        let message = format!("no version `{reference}` is rolled back");
        Problem::new(
            ProblemKind::NotFound,
            "rollback.unknown",
            message,
            "See `wasmill tool list`, and name NAME@VERSION.",
        )
    })?;
    let by = Principal::client(&client);
    host.store.restore_version(&rolled.tool, &rolled.version, by.as_str()).await?;
    let action = format!("restore {}@{}", rolled.tool, rolled.version);
    let entry = AuditEntry::now(by.as_str(), action, "allowed", format!("it was rolled back: {}", rolled.reason));
    host.store.append_audit(&host_name(), &[entry]).await?;
    host.catalog.refresh().await?;
    Ok(Json(rolled.clone()))
}
