//! Where admins' decisions come in.

use std::path::PathBuf;

use time::OffsetDateTime;
use wasmill_registry::{Registry, TrustRoots, VerifiedApproval};

use super::case::{Case, CaseDetail, CaseState};
use super::error::ApprovalError;
use super::survey::{Survey, Surveyed, provenance};
use crate::permissions::{Matrix, Principal};
use crate::runtime::Imports;
use crate::store::{AuditEntry, ComponentRow, ComponentStatus, Store};

/// Chain of the audit trail for decisions: they are rare, so all hosts share it.
pub const APPROVALS_CHAIN: &str = "approvals";

/// What a desk works on.
pub struct DeskParts {
    /// Installed components.
    pub registry: Registry,
    /// File of the permission matrix.
    pub permissions: PathBuf,
    /// Approvals and decisions.
    pub store: Store,
}

/// Lists what needs an approval, and takes decisions. Trust roots are given with each request: they are read anew each
/// time, so that a revoked key stops counting at once.
pub struct Desk(DeskParts);

impl Desk {
    /// A desk.
    pub fn new(parts: DeskParts) -> Self {
        Self(parts)
    }

    /// Everything that needs an approval, sorted by name and version.
    ///
    /// # Errors
    /// Where registry, matrix or database can't be read.
    pub async fn list(&self, trust: &TrustRoots) -> Result<Vec<Case>, ApprovalError> {
        Ok(self.survey(trust).await?.into_iter().map(|surveyed| surveyed.case).collect())
    }

    /// One case with all that there is to judge it by. `reference` is `name` or `name@version`; a name alone means the
    /// one version that waits, or the only one.
    ///
    /// # Errors
    /// [`ApprovalError::Unknown`], [`ApprovalError::Ambiguous`], or as [`Desk::list`].
    pub async fn show(&self, reference: &str, trust: &TrustRoots) -> Result<CaseDetail, ApprovalError> {
        let Surveyed { case, verified } = self.find(reference, trust).await?;
        // What can't be read as a component imports nothing that anybody could give it.
        let imports = Imports::of(verified.component()).map(|found| found.imports).unwrap_or_default();
        Ok(CaseDetail {
            case,
            imports: imports.iter().map(|import| import.as_str().to_owned()).collect(),
            source: verified.source().map(|source| String::from_utf8_lossy(source).into_owned()),
            provenance: provenance(&verified),
        })
    }

    /// Takes an admin's approval. It must be signed by a key that counts now, for a component that is here, and for
    /// exactly the permissions that this component would have now.
    ///
    /// # Errors
    /// [`ApprovalError::Signature`], [`ApprovalError::NotHere`], [`ApprovalError::Stale`], or as [`Desk::list`].
    pub async fn grant(&self, envelope: &[u8], trust: &TrustRoots, by: &Principal) -> Result<Case, ApprovalError> {
        let granted = self.grant_unless_refused(envelope, trust, by).await;
        if let Err(
            error @ (ApprovalError::Signature(_) | ApprovalError::NotHere { .. } | ApprovalError::Stale { .. }),
        ) = &granted
        {
            self.audit(by, "approve", "failed", &format!("{}: {error}", error.code())).await?;
        }
        granted
    }

    async fn grant_unless_refused(
        &self,
        envelope: &[u8],
        trust: &TrustRoots,
        by: &Principal,
    ) -> Result<Case, ApprovalError> {
        let now = OffsetDateTime::now_utc();
        let verified = VerifiedApproval::verify(envelope, trust, now)?;
        let approval = verified.approval();
        let component = approval.component.to_string();
        let surveyed = self.survey(trust).await?.into_iter().map(|surveyed| surveyed.case);
        let found =
            surveyed.into_iter().find(|c| c.digest == approval.component && c.manifest_digest == approval.manifest);
        let Some(case) = found else { return Err(ApprovalError::NotHere { component }) };
        if !verified.covers(case.digest, case.manifest_digest, &case.permissions, now) {
            return Err(ApprovalError::Stale { component: case.component });
        }
        if verified.signers().iter().all(|signer| signer.id == case.signer.id) {
            return Err(ApprovalError::Own { component: case.component });
        }
        let text = String::from_utf8_lossy(envelope);
        self.0.store.add_approval(&component, &approval.manifest.to_string(), &case.component, &text).await?;
        let case = self.find(&case.component, trust).await?.case;
        if matches!(case.state, CaseState::Granted { .. }) {
            self.0.store.set_component(&decision(&case, ComponentStatus::Active, "", by)).await?;
        }
        let signers: Vec<String> = verified.signers().iter().map(|s| format!("{} ({})", s.name, s.id)).collect();
        self.audit(by, &format!("approve {}", case.component), "allowed", &signers.join(", ")).await?;
        Ok(case)
    }

    /// Says no: withdraws the approvals that are kept for this component, and remembers why.
    ///
    /// # Errors
    /// As [`Desk::show`].
    pub async fn deny(
        &self,
        reference: &str,
        reason: &str,
        trust: &TrustRoots,
        by: &Principal,
    ) -> Result<Case, ApprovalError> {
        let mut case = self.find(reference, trust).await?.case;
        let store = &self.0.store;
        store.set_component(&decision(&case, ComponentStatus::Denied, reason, by)).await?;
        store.remove_approvals(&case.digest.to_string(), &case.manifest_digest.to_string()).await?;
        self.audit(by, &format!("approve {}", case.component), "denied", reason).await?;
        case.state = CaseState::Denied { reason: reason.to_owned(), by: by.to_string() };
        Ok(case)
    }

    async fn survey(&self, trust: &TrustRoots) -> Result<Vec<Surveyed>, ApprovalError> {
        let Self(DeskParts { registry, permissions, store }) = self;
        let (approvals, decisions) = (store.approvals().await?, store.components().await?);
        let matrix = Matrix::load(permissions)?;
        let (approvals, decisions) = (approvals.as_slice(), decisions.as_slice());
        Survey { registry, trust, matrix: &matrix, approvals, decisions, now: OffsetDateTime::now_utc() }.cases()
    }

    async fn find(&self, reference: &str, trust: &TrustRoots) -> Result<Surveyed, ApprovalError> {
        let mut found = self.survey(trust).await?;
        found.retain(|surveyed| surveyed.case.is(reference));
        let waits = |surveyed: &Surveyed| matches!(surveyed.case.state, CaseState::Waiting { .. });
        if found.iter().filter(|surveyed| waits(surveyed)).count() == 1 {
            found.retain(waits);
        }
        match found.len() {
            0 => Err(ApprovalError::Unknown(reference.to_owned())),
            1 => Ok(found.remove(0)),
            count => Err(ApprovalError::Ambiguous { name: reference.to_owned(), count }),
        }
    }

    async fn audit(&self, by: &Principal, action: &str, decision: &str, detail: &str) -> Result<(), ApprovalError> {
        let entry = AuditEntry::now(by.as_str(), action, decision, detail);
        Ok(self.0.store.append_audit(APPROVALS_CHAIN, &[entry]).await?)
    }
}

fn decision(case: &Case, status: ComponentStatus, reason: &str, by: &Principal) -> ComponentRow {
    let (name, version) = case.component.split_once('@').unwrap_or((&case.component, ""));
    ComponentRow {
        component: case.digest.to_string(),
        manifest: case.manifest_digest.to_string(),
        name: name.to_owned(),
        version: version.to_owned(),
        maker: case.maker.clone(),
        status,
        reason: reason.to_owned(),
        changed_by: by.to_string(),
        changed_ms: 0,
    }
}
