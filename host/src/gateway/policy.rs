//! `/v1/permissions/share`: a policy for every host on the same database.
//!
//! It comes in signed: no admin's key ever reaches a host.

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use wasmill_registry::POLICY_SIZE_MAX;

use super::extract::{Body, blocking};
use super::state::SharedGateway;
use super::text::coded;
use crate::host::policy::check;
use crate::permissions::Matrix;
use crate::problem::{Problem, ProblemKind};

/// Largest request, in bytes: the largest policy in base64, and room for the rest.
const REQUEST_SIZE_MAX: usize = POLICY_SIZE_MAX / 3 * 4 + 64 * 1024;

/// A signed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// The DSSE envelope, base64.
    #[serde(with = "coded")]
    pub envelope: Vec<u8>,
}

/// What goes to every host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShareReply {
    /// Its serial.
    pub serial: u64,
    /// Revision of its matrix.
    pub policy: String,
    /// Names of the admins that signed.
    pub signers: Vec<String>,
}

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/permissions/share", post(share)).layer(DefaultBodyLimit::max(REQUEST_SIZE_MAX))
}

async fn share(
    State(gateway): State<SharedGateway>,
    Body(request): Body<ShareRequest>,
) -> Result<Json<ShareReply>, Problem> {
    if gateway.config().store.url.is_none() {
        let message = "no other host can see this home's database";
        let next = "Name a PostgreSQL as `url` under `[store]` in host.toml, the same on every host.";
        return Err(Problem::new(ProblemKind::Conflict, "policy.alone", message, next));
    }
    let ShareRequest { envelope } = request;
    let (at, signed) = (gateway.clone(), envelope.clone());
    let verified = blocking(move || check(&signed, &at.home().trust()?)).await?;
    let policy = verified.policy();
    let serial = i64::try_from(policy.serial).unwrap_or(i64::MAX);
    gateway.store().await?.add_policy(serial, &String::from_utf8_lossy(&envelope)).await?;
    Ok(Json(ShareReply {
        serial: policy.serial,
        policy: Matrix::parse(&policy.permissions)?.revision().to_string(),
        signers: verified.signers().iter().map(|signer| signer.name.clone()).collect(),
    }))
}
