//! The grant of anybody by name, for explanations: worked out as for loading, without loading anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;
use wasmill_registry::{LayoutError, Permissions, Registry, TrustRoots};

use super::error::CatalogError;
use super::grants::{Approvals, Candidate, Candidates, Deciding};
use crate::permissions::{Grant, Matrix, Principal};
use crate::store::ApprovalRow;

/// A grant, and the component that it belongs to.
pub struct GrantOf {
    /// `name@version` of the newest installed version; none for a client, and for what is not installed.
    pub component: Option<String>,
    /// What its manifest asks for; none where there is no component.
    pub wanted: Option<Permissions>,
    /// The grant. Without a component it is what the rows alone say.
    pub grant: Grant,
}

/// Works out the grant of a principal.
///
/// # Errors
/// Where the registry can't be read, or nobody can say for whom the component was made.
pub fn grant_of(
    principal: &Principal,
    registry: &Registry,
    trust: &TrustRoots,
    matrix: &Matrix,
    approvals: &[ApprovalRow],
    now: OffsetDateTime,
) -> Result<GrantOf, CatalogError> {
    Deciders::read(registry, trust, approvals, now)?.grant_of(principal, matrix)
}

/// What decides besides the matrix, at one moment: what is installed, and what is approved.
pub struct Deciders {
    candidates: Candidates,
    approvals: Approvals,
    now: OffsetDateTime,
}

impl Deciders {
    /// Reads and verifies all of it.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn read(
        registry: &Registry,
        trust: &TrustRoots,
        approvals: &[ApprovalRow],
        now: OffsetDateTime,
    ) -> Result<Self, CatalogError> {
        let candidates = verified_candidates(registry, trust, now)?;
        Ok(Self { candidates, approvals: Approvals::verify(approvals, trust, now), now })
    }

    /// Works out the grant of a principal by a matrix.
    ///
    /// # Errors
    /// Where nobody can say for whom a component was made.
    pub fn grant_of(&self, principal: &Principal, matrix: &Matrix) -> Result<GrantOf, CatalogError> {
        let Self { candidates, approvals, now } = self;
        let deciding = Deciding { candidates, matrix, approvals, now: *now };
        let newest = candidates.get(principal.name()).and_then(|versions| versions.values().next_back());
        match newest.filter(|candidate| candidate.principal() == *principal) {
            Some(candidate) => Ok(GrantOf {
                component: Some(candidate.component()),
                wanted: Some(candidate.verified.manifest().permissions.clone()),
                grant: deciding.grant(candidate)?,
            }),
            None => Ok(GrantOf { component: None, wanted: None, grant: matrix.grant(principal, None, None, None) }),
        }
    }
}

/// All installed components that verify now. What doesn't is left out: the list of plugins says what is wrong with it.
pub(crate) fn verified_candidates(
    registry: &Registry,
    trust: &TrustRoots,
    now: OffsetDateTime,
) -> Result<Candidates, LayoutError> {
    let mut candidates: Candidates = BTreeMap::new();
    for entry in registry.list()? {
        if let Ok(verified) = registry.load(&entry, trust, now) {
            let candidate = Candidate::new(Arc::new(verified));
            candidates.entry(entry.name).or_default().insert(entry.version, candidate);
        }
    }
    Ok(candidates)
}
