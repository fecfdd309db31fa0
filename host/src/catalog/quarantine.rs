//! Which components must not run, because an admin has warned of them or of what they are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;
use wasmill_registry::{Digest, Kind, Registry, TrustRoots, Verified};

use super::error::CatalogError;
use super::explain::verified_candidates;
use super::grants::{Candidate, Candidates};
use crate::advisories::{Advisories, Ingredients, Part, Touched};

/// A component that an advisory touches.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// The component.
    pub verified: Arc<Verified>,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// By what.
    pub touched: Touched,
}

impl Quarantined {
    /// `name@version`.
    pub fn component(&self) -> String {
        let manifest = self.verified.manifest();
        format!("{}@{}", manifest.name, manifest.version)
    }

    /// Why it is not loaded.
    pub fn refusal(&self) -> CatalogError {
        CatalogError::Quarantined { component: self.component(), touched: Box::new(self.touched.clone()) }
    }
}

/// All that is installed and must not run, verified anew.
///
/// # Errors
/// Where the registry can't be read.
pub fn quarantined(
    registry: &Registry,
    trust: &TrustRoots,
    advisories: &Advisories,
    now: OffsetDateTime,
) -> Result<Vec<Quarantined>, CatalogError> {
    if advisories.in_force().next().is_none() {
        return Ok(Vec::new());
    }
    let mut candidates = verified_candidates(registry, trust, now)?;
    quarantine(&mut candidates, advisories);
    Ok(all(&candidates).filter_map(Candidate::quarantined).collect())
}

/// Marks every candidate that an advisory touches.
pub(crate) fn quarantine(candidates: &mut Candidates, advisories: &Advisories) {
    if advisories.in_force().next().is_none() {
        return;
    }
    // A script's statement may not name its engine, an installed one is known.
    let engines: BTreeMap<Digest, Part> = all(candidates).filter_map(engine).collect();
    for candidate in candidates.values_mut().flat_map(BTreeMap::values_mut) {
        candidate.quarantine = touched(&candidate.verified, &engines, advisories);
    }
}

/// What touches one component; `engines` are those that are installed.
fn touched(verified: &Verified, engines: &BTreeMap<Digest, Part>, advisories: &Advisories) -> Option<Touched> {
    let mut of = Ingredients::of(verified);
    if let Some(script) = &verified.manifest().script {
        of.engine = engines.get(&script.engine).cloned().or(of.engine);
    }
    advisories.against(&of)
}

fn all(candidates: &Candidates) -> impl Iterator<Item = &Candidate> {
    candidates.values().flat_map(BTreeMap::values)
}

fn engine(candidate: &Candidate) -> Option<(Digest, Part)> {
    let manifest = candidate.verified.manifest();
    let part = || Part { name: manifest.name.clone(), version: Some(manifest.version.clone()) };
    (manifest.kind == Kind::Engine).then(|| (candidate.verified.digest(), part()))
}

impl Candidate {
    /// Whether it may run, as far as advisories go.
    ///
    /// # Errors
    /// [`CatalogError::Quarantined`].
    pub(super) fn free(&self) -> Result<(), CatalogError> {
        self.quarantined().map_or(Ok(()), |quarantined| Err(quarantined.refusal()))
    }

    /// It, where it may not.
    pub(super) fn quarantined(&self) -> Option<Quarantined> {
        let touched = self.quarantine.clone()?;
        Some(Quarantined { verified: self.verified.clone(), maker: self.maker.clone(), touched })
    }
}
