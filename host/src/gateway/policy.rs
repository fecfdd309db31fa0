//! `/v1/permissions/share` and `/v1/permissions/policy`: a policy for every host on the same database, and for this one.
//!
//! It comes in signed: no admin's key ever reaches a host.

use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use wasmill_registry::{Digest, POLICY_SIZE_MAX, VerifiedPolicy};

use super::asker::Asker;
use super::details::Refusal;
use super::etag::{IfMatch, Tagged};
use super::extract::{Body, blocking};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use super::text::{Base64, coded};
use crate::host::policy::check;
use crate::permissions::{Matrix, Principal};
use crate::problem::{Problem, ProblemKind};
use crate::store::AuditEntry;

/// Largest request, in bytes: the largest policy in base64, and room for the rest.
const REQUEST_SIZE_MAX: usize = POLICY_SIZE_MAX / 3 * 4 + 64 * 1024;

/// A signed policy.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// The DSSE envelope, base64.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub envelope: Vec<u8>,
}

/// What goes to every host.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ShareReply {
    /// Its serial.
    pub serial: u64,
    /// Revision of its matrix.
    pub policy: String,
    /// Names of the admins that signed.
    pub signers: Vec<String>,
}

/// The files that decide here who may do what, as they are: what an admin would sign anew.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyReply {
    /// Of the policy that was taken last; 0 where none was. One that is signed has a larger one.
    pub serial: u64,
    /// `permissions.toml`.
    pub permissions: String,
    /// `trust.toml`.
    pub trust: String,
}

/// Held while a policy is saved, so that of two that began with the same one only one is.
static SAVING: Mutex<()> = Mutex::new(());

pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/v1/permissions/share", "Bring in a signed policy for all hosts on this database", share)
        .get("/v1/permissions/policy", "The files that decide who may do what", policy)
        .put("/v1/permissions/policy", "Put a signed policy in the place of the one that was seen", save)
        .body_limit(REQUEST_SIZE_MAX)
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
    publish(&gateway, &verified, &envelope).await?;
    Ok(Json(reply(&verified)?))
}

/// Gives a policy to every host on the database, this one too.
async fn publish(gateway: &Gateway, verified: &VerifiedPolicy, envelope: &[u8]) -> Result<(), Problem> {
    let serial = i64::try_from(verified.policy().serial).unwrap_or(i64::MAX);
    Ok(gateway.store().await?.add_policy(serial, &String::from_utf8_lossy(envelope)).await?)
}

fn reply(verified: &VerifiedPolicy) -> Result<ShareReply, Problem> {
    let policy = verified.policy();
    Ok(ShareReply {
        serial: policy.serial,
        policy: Matrix::parse(&policy.permissions)?.revision().to_string(),
        signers: verified.signers().iter().map(|signer| signer.name.clone()).collect(),
    })
}

async fn policy(State(gateway): State<SharedGateway>) -> Result<Tagged<PolicyReply>, Problem> {
    let reply = blocking(move || current(&gateway)).await?;
    Ok(Tagged { tag: tag(&reply), body: reply })
}

fn current(gateway: &Gateway) -> Result<PolicyReply, Problem> {
    let (permissions, trust) = gateway.home().policy_files()?;
    Ok(PolicyReply { serial: gateway.home().policy_serial()?, permissions, trust })
}

/// Of both files: whoever saves has seen them as they are.
fn tag(policy: &PolicyReply) -> String {
    let both = format!("{}\0{}", policy.permissions, policy.trust);
    format!("\"{}\"", Digest::of(both.as_bytes()))
}

/// Puts a matrix that an admin has signed in the place of the one that they saw.
async fn save(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    IfMatch(seen): IfMatch,
    Body(request): Body<ShareRequest>,
) -> Result<Json<ShareReply>, Refusal> {
    let ShareRequest { envelope } = request;
    let (at, signed) = (gateway.clone(), envelope.clone());
    let is_shared = gateway.config().store.url.is_some();
    let saved = match is_shared && others_have_newer(&gateway).await? {
        true => None,
        false => blocking(move || replace(&at, &signed, &seen)).await?,
    };
    let Some(verified) = saved else {
        let message = "permissions.toml or trust.toml is another one by now";
        let next = "Look at it again, then decide.";
        return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "policy.changed", message, next));
    };
    if is_shared {
        publish(&gateway, &verified, &envelope).await?;
    }
    let reply = reply(&verified)?;
    let detail = format!("{}, signed by {}", reply.policy, reply.signers.join(", "));
    let entry = AuditEntry::now(Principal::client(&client).as_str(), "save permissions", "allowed", detail);
    gateway.host().await?.audit.record(entry);
    Ok(Json(reply))
}

/// True where the database has a policy that this home has not taken yet: who saves here has not seen it.
async fn others_have_newer(gateway: &Gateway) -> Result<bool, Problem> {
    let at = gateway.home().clone();
    let serial = blocking(move || Ok(at.policy_serial()?)).await?;
    let newer = gateway.store().await?.policies_after(i64::try_from(serial).unwrap_or(i64::MAX), 1).await?;
    Ok(!newer.is_empty())
}

/// None where the files are not those that were seen.
fn replace(gateway: &Gateway, envelope: &[u8], seen: &str) -> Result<Option<VerifiedPolicy>, Problem> {
    // Nothing lies behind it that could be half done.
    let _saving = SAVING.lock().unwrap_or_else(PoisonError::into_inner);
    let verified = check(envelope, &gateway.home().trust()?)?;
    let (policy, now) = (verified.policy(), current(gateway)?);
    if tag(&now) != seen {
        return Ok(None);
    }
    let wrong = |message: &str| Err(Problem::invalid("policy.invalid", message, "Sign it again."));
    if policy.serial <= now.serial {
        return wrong("its serial is not larger than that of the policy in force");
    }
    if policy.trust != now.trust {
        return wrong("it changes trust.toml too: that is done on the host, with `wasmill permission share`");
    }
    gateway.home().set_policy(policy.serial, &policy.permissions, &policy.trust)?;
    Ok(Some(verified))
}
