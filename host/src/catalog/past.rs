//! Versions of agents that don't run by themselves any more, for runs that began with them.

use std::sync::Arc;

use time::OffsetDateTime;
use wasmill_registry::Kind;

use super::component::Agent;
use super::error::CatalogError;
use super::grants::{Approvals, Deciding};
use super::load::Catalog;
use super::quarantine::quarantine;

impl Catalog {
    /// The version of an agent with this digest, under the grant that it has now.
    ///
    /// # Errors
    /// [`CatalogError::Gone`] where it is not installed or not allowed any more, else why it can't be loaded.
    pub async fn agent_of(&self, name: &str, digest: &str) -> Result<Arc<Agent>, CatalogError> {
        if let Some(current) = self.snapshot().agents.get(name).filter(|agent| agent.identity.digest == digest) {
            return Ok(current.clone());
        }
        let gone = |reason: String| CatalogError::Gone { name: name.to_owned(), digest: digest.to_owned(), reason };
        let config = self.config();
        let trust = self.trust_now()?;
        let now = OffsetDateTime::now_utc();
        let mut candidates = super::verified_candidates(self.registry(), &trust, now).map_err(CatalogError::Layout)?;
        quarantine(&mut candidates, &self.advisories()?);
        let approvals = Approvals::verify(&config.store.approvals().await?, &trust, now);
        let matrix = self.matrix().current();
        let deciding = Deciding { candidates: &candidates, matrix: &matrix, approvals: &approvals, now };
        let versions = candidates.get(name).into_iter().flat_map(|versions| versions.values());
        let found = versions
            .filter(|candidate| candidate.verified.manifest().kind == Kind::Agent)
            .find(|candidate| candidate.verified.digest().to_string() == digest)
            .ok_or_else(|| gone("it is not installed, or its signature does not count any more".into()))?;
        found.free()?;
        let grant = deciding.grant(found)?;
        if grant.awaits_approval() {
            return Err(gone("it waits for an admin's approval".into()));
        }
        let manifest = found.verified.manifest();
        self.load_agent(found.verified.component(), manifest, grant, self.settings(manifest)).map(Arc::new)
    }
}
