//! A version of a component and the one before it, loaded to be compared: also where it waits for an admin.

use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;
use wasmill_registry::{Claim, Kind, Reference, TrustRoots};

use super::component::{Agent, Tool};
use super::error::CatalogError;
use super::grants::{Approvals, Candidate, Deciding};
use super::load::Catalog;
use crate::problem::{Problem, ProblemKind};

/// A version, loaded with everything that it would be allowed once an admin approves.
pub enum Version {
    /// A tool.
    Tool(Arc<Tool>),
    /// An agent.
    Agent(Arc<Agent>),
}

/// Two versions of one component.
pub struct Pair {
    /// The one that works now, or the newest before the other.
    pub current: Version,
    /// The one in question.
    pub candidate: Version,
    /// Examples that their makers gave with them, the candidate's first, JSON.
    pub examples: Vec<Value>,
}

impl Catalog {
    /// The version that `reference` means (the newest where it names none), and what it would take the place of.
    ///
    /// # Errors
    /// Where there is no such version or none before it, one of them can't be loaded, or it is an engine.
    pub async fn pair(&self, reference: &Reference) -> Result<Pair, Problem> {
        let config = self.config();
        let trust = self.trust_now()?;
        let now = OffsetDateTime::now_utc();
        let candidates = super::verified_candidates(self.registry(), &trust, now).map_err(CatalogError::Layout)?;
        let approvals = Approvals::verify(&config.store.approvals().await?, &trust, now);
        let matrix = self.matrix().current();
        let deciding = Deciding { candidates: &candidates, matrix: &matrix, approvals: &approvals, now };
        let missing = |code: &str, message: String| {
            Problem::new(ProblemKind::NotFound, code, message, "See `wasmill plugin list`.")
        };
        let versions = candidates.get(&reference.name);
        let found = versions.and_then(|versions| match &reference.version {
            Some(version) => versions.get_key_value(version),
            None => versions.last_key_value(),
        });
        let (number, candidate) = found.ok_or_else(|| {
            missing(
                "component.unknown",
                format!("there is no component `{reference}`, or its signature does not count"),
            )
        })?;
        let kind = candidate.verified.manifest().kind;
        let snapshot = self.snapshot();
        let reached = snapshot.tool(&reference.name).map(|tool| &tool.manifest.version);
        let is_before = |other: &Candidate| {
            let manifest = other.verified.manifest();
            manifest.version < *number && manifest.kind == kind && other.maker == candidate.maker
        };
        let before = versions.into_iter().flat_map(|all| all.values()).filter(|other| is_before(other));
        let before = before.max_by_key(|other| {
            let version = &other.verified.manifest().version;
            (kind == Kind::Tool && reached == Some(version), version)
        });
        let before = before.ok_or_else(|| {
            missing(
                "shadow.alone",
                format!("there is no version of `{}` before {number} to compare with", reference.name),
            )
        })?;
        Ok(Pair {
            current: self.version(before, &deciding).await?,
            candidate: self.version(candidate, &deciding).await?,
            examples: [candidate, before].into_iter().flat_map(examples).collect(),
        })
    }

    async fn version(&self, candidate: &Candidate, deciding: &Deciding<'_>) -> Result<Version, Problem> {
        let grant = deciding.grant(candidate)?.approved();
        let (verified, manifest) = (&candidate.verified, candidate.verified.manifest());
        let settings = self.settings(manifest);
        match manifest.kind {
            Kind::Tool => {
                let (maker, snapshot) = (candidate.maker.clone(), self.snapshot());
                let (component, engines) = (verified.component(), &snapshot.engines);
                let tool = self.load_tool(component, manifest, grant, maker, settings, engines).await?;
                Ok(Version::Tool(Arc::new(tool)))
            }
            Kind::Agent => {
                Ok(Version::Agent(Arc::new(self.load_agent(verified.component(), manifest, grant, settings)?)))
            }
            Kind::Engine => {
                let message = format!("{} is an engine: it does nothing by itself", candidate.component());
                Err(Problem::invalid("shadow.engine", message, "Compare the tools that it runs."))
            }
        }
    }

    /// The trust roots as they are now.
    pub(super) fn trust_now(&self) -> Result<TrustRoots, CatalogError> {
        let path = &self.config().trust;
        let wrong = |reason: String| CatalogError::Trust { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        TrustRoots::parse(&text).map_err(|error| wrong(error.to_string()))
    }
}

fn examples(candidate: &Candidate) -> Vec<Value> {
    let Claim::Forged(provenance) = candidate.verified.claim() else { return Vec::new() };
    provenance.build_definition.external_parameters["examples"].as_array().cloned().unwrap_or_default()
}
