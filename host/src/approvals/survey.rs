//! Which components need an approval, and where each stands: worked out from the files, as a catalog would.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;
use wasmill_registry::{Claim, Registry, TrustRoots, Verified};

use super::case::{Case, CaseState};
use super::error::ApprovalError;
use crate::catalog::{Approvals, Candidate, Deciding, Signed, verified_candidates};
use crate::permissions::{Grant, Matrix};
use crate::store::{ApprovalRow, ComponentRow, ComponentStatus};

/// A case, and the component that it is about.
pub(super) struct Surveyed {
    pub case: Case,
    pub verified: Arc<Verified>,
}

/// What a survey looks at.
pub(super) struct Survey<'a> {
    pub registry: &'a Registry,
    pub trust: &'a TrustRoots,
    pub matrix: &'a Matrix,
    pub approvals: &'a [ApprovalRow],
    pub decisions: &'a [ComponentRow],
    pub now: OffsetDateTime,
}

impl Survey<'_> {
    /// All cases, sorted by name and version. A component that can't be verified, or whose maker can't be found, asks
    /// for nothing that could be approved and is left out: the list of plugins says what is wrong with it.
    pub fn cases(&self) -> Result<Vec<Surveyed>, ApprovalError> {
        let candidates = verified_candidates(self.registry, self.trust, self.now)?;
        let approvals = Approvals::verify(self.approvals, self.trust, self.now);
        let deciding = Deciding { candidates: &candidates, matrix: self.matrix, approvals: &approvals, now: self.now };
        let mut cases = Vec::new();
        for candidate in candidates.values().flat_map(BTreeMap::values) {
            let Ok(grant) = deciding.grant(candidate) else { continue };
            if !grant.privileged().is_empty() {
                cases.push(self.case(candidate, &grant, &approvals));
            }
        }
        Ok(cases)
    }

    fn case(&self, candidate: &Candidate, grant: &Grant, approvals: &Approvals) -> Surveyed {
        let verified = &candidate.verified;
        let manifest = verified.manifest();
        let signed = approvals.signed(verified, grant, self.now);
        let state = match signed.is_enough() {
            true => CaseState::Granted { signers: signed.signers, expires: signed.expires },
            false => self.undecided(verified, signed),
        };
        let case = Case {
            component: candidate.component(),
            kind: manifest.kind,
            description: manifest.description.clone(),
            digest: verified.digest(),
            manifest_digest: verified.manifest_digest(),
            maker: candidate.maker.clone(),
            signer: verified.signer().clone(),
            permissions: grant.effective().clone(),
            risk: grant.risk(),
            privileged: grant.privileged().iter().map(|column| column.to_string()).collect(),
            revision: grant.revision().to_string(),
            state,
        };
        Surveyed { case, verified: verified.clone() }
    }

    fn undecided(&self, verified: &Verified, signed: Signed) -> CaseState {
        let (digest, manifest) = (verified.digest().to_string(), verified.manifest_digest().to_string());
        let decision = self.decisions.iter().find(|row| row.component == digest && row.manifest == manifest);
        match decision.filter(|row| row.status == ComponentStatus::Denied) {
            Some(row) => CaseState::Denied { reason: row.reason.clone(), by: row.changed_by.clone() },
            None => CaseState::Waiting { signers: signed.signers, needed: signed.needed },
        }
    }
}

/// What the forge's statement says; nothing for a published component.
pub(super) fn provenance(verified: &Verified) -> Option<serde_json::Value> {
    match verified.claim() {
        Claim::Published => None,
        // It came out of JSON, so it goes back into it.
        Claim::Forged(provenance) => serde_json::to_value(provenance).ok(),
    }
}
