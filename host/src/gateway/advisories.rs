//! `/v1/advisories`: what admins warned of, and what it touches here.
//!
//! An advisory, and the end of one, come in signed: no admin's key ever reaches a host.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use wasmill_registry::{About, Advisory, Says, Severity};

use super::asker::Asker;
use super::extract::{Body, blocking};
use super::openapi::Routes;
use super::state::{Gateway, SharedGateway};
use super::text::{Base64, coded};
use crate::advisories::{Admitted, Advisories, admit};
use crate::approvals::APPROVALS_CHAIN;
use crate::catalog::quarantined;
use crate::host::advisories::number;
use crate::permissions::Principal;
use crate::problem::{Problem, ProblemKind};
use crate::store::AuditEntry;

/// An admin's signed word.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdviseRequest {
    /// The DSSE envelope, base64.
    #[serde(with = "coded")]
    #[schemars(with = "Base64")]
    pub envelope: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AdviseReply {
    /// What it is called.
    pub id: String,
    /// False where it ends the advisory.
    pub in_force: bool,
    /// Names of the admins that signed.
    pub signers: Vec<String>,
    /// Components of this home that it touches, as `name@version`.
    pub touched: Vec<String>,
}

/// An advisory in force.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AdvisoryReply {
    /// What it is called.
    pub id: String,
    /// Its serial.
    pub serial: u64,
    /// What it touches.
    pub about: About,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub reason: String,
    /// Whether generated tools are built again.
    pub rebuild: bool,
    /// Components of this home that it touches.
    pub touched: Vec<TouchedReply>,
}

/// A component that must not run.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TouchedReply {
    /// `name@version`.
    pub component: String,
    /// What the advisory has to do with it.
    pub because: String,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/advisories", "What admins warned of, and what it touches here", list).post(
        "/v1/advisories",
        "Bring in an admin's signed warning, or the end of one",
        advise,
    )
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<AdvisoryReply>>, Problem> {
    Ok(Json(blocking(move || known(&gateway)).await?))
}

async fn advise(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Body(request): Body<AdviseRequest>,
) -> Result<Json<AdviseReply>, Problem> {
    let (at, signed) = (gateway.clone(), request.envelope.clone());
    let (verified, admitted) =
        blocking(move || admit(&at.home().advisories_file(), &signed, &at.home().trust()?, OffsetDateTime::now_utc()))
            .await?;
    let Advisory { id, serial, .. } = verified.advisory();
    if admitted == Admitted::Known {
        let message = format!("a word about {id} is in force that is as new or newer");
        let next = "See `wasmill advisory list`; sign it again.";
        return Err(Problem::new(ProblemKind::Conflict, "advisory.stale", message, next));
    }
    let store = gateway.store().await?;
    store.add_advisory(id, number(*serial), &String::from_utf8_lossy(&request.envelope)).await?;
    let signers: Vec<String> = verified.signers().iter().map(|signer| signer.name.clone()).collect();
    let in_force = matches!(verified.advisory().says, Says::Quarantine { .. });
    let (word, who) = (if in_force { "add" } else { "end" }, Principal::client(&client).to_string());
    let detail = format!("signed by {}: {}", signers.join(", "), verified.advisory().reason);
    let entry = AuditEntry::now(who, format!("{word} advisory {id}"), "allowed", detail);
    store.append_audit(APPROVALS_CHAIN, &[entry]).await?;
    take_effect(&gateway).await;
    let at = gateway.clone();
    let all = blocking(move || known(&at)).await?;
    let touched = all.into_iter().filter(|advisory| advisory.id == *id).flat_map(|advisory| advisory.touched);
    let touched = touched.map(|touched| touched.component).collect();
    Ok(Json(AdviseReply { id: id.clone(), in_force, signers, touched }))
}

/// The advisories of a home, with what is installed and must not run.
fn known(gateway: &Gateway) -> Result<Vec<AdvisoryReply>, Problem> {
    let home = gateway.home();
    let advisories = Advisories::read(&home.advisories_file())?;
    let touched = quarantined(gateway.registry(), &home.trust()?, &advisories, OffsetDateTime::now_utc())?;
    let reply = |advisory: &Advisory| {
        let Says::Quarantine { about, severity, rebuild } = &advisory.says else { return None };
        let own = touched.iter().filter(|of| of.touched.id == advisory.id);
        let own = own.map(|of| TouchedReply { component: of.component(), because: of.touched.because.clone() });
        Some(AdvisoryReply {
            id: advisory.id.clone(),
            serial: advisory.serial,
            about: about.clone(),
            severity: *severity,
            reason: advisory.reason.clone(),
            rebuild: *rebuild,
            touched: own.collect(),
        })
    };
    Ok(advisories.in_force().filter_map(|kept| reply(&kept.advisory)).collect())
}

/// A host at work looks at the file within a second; this one does it now.
async fn take_effect(gateway: &Gateway) {
    if let Some(host) = gateway.host_at_work()
        && let Err(error) = host.catalog.refresh().await
    {
        tracing::error!(code = error.code(), "the advisory is kept and not yet in effect: {error}");
    }
}
