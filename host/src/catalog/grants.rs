//! Who may do what, worked out for everything that is installed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use semver::Version;
use time::OffsetDateTime;
use wasmill_registry::{Claim, Digest, Kind, Permissions, Signer, TrustRoots, Verified, VerifiedApproval};

use super::error::CatalogError;
use crate::advisories::Touched;
use crate::permissions::{Column, Grant, Matrix, Principal, PrincipalKind, Risk};
use crate::store::ApprovalRow;

/// Deepest chain of makers: a tool forged by a tool forged by …
const MAKERS_MAX: usize = 8;

/// A verified component on its way to being loaded.
pub(crate) struct Candidate {
    /// The component.
    pub verified: Arc<Verified>,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// Why it must not run, where an admin has warned of it.
    pub quarantine: Option<Touched>,
}

impl Candidate {
    /// A candidate; its maker is whom the signed statement of the forge names.
    pub fn new(verified: Arc<Verified>) -> Self {
        let maker = match verified.claim() {
            Claim::Published => None,
            // A statement that names nobody is for a maker that can't be found, not for a publisher.
            Claim::Forged(provenance) => {
                Some(provenance.build_definition.external_parameters["maker"].as_str().unwrap_or_default().to_owned())
            }
        };
        Self { verified, maker, quarantine: None }
    }

    /// `name@version`.
    pub fn component(&self) -> String {
        let manifest = self.verified.manifest();
        format!("{}@{}", manifest.name, manifest.version)
    }

    /// Who it is.
    pub fn principal(&self) -> Principal {
        let manifest = self.verified.manifest();
        match manifest.kind {
            // An engine acts for no one; its name is a tool's as every component's that is no agent.
            Kind::Tool | Kind::Engine => Principal::tool(&manifest.name),
            Kind::Agent => Principal::agent(&manifest.name),
        }
    }
}

/// Candidates by name and version.
pub(crate) type Candidates = BTreeMap<String, BTreeMap<Version, Candidate>>;

/// Everything that grants are made of.
pub(crate) struct Deciding<'a> {
    pub candidates: &'a Candidates,
    pub matrix: &'a Matrix,
    pub approvals: &'a Approvals,
    pub now: OffsetDateTime,
}

/// Approvals whose signatures hold, by component.
pub(crate) struct Approvals {
    of: HashMap<Digest, Vec<VerifiedApproval>>,
    trust: TrustRoots,
}

/// Who has approved exactly what a component would have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The admins, each once; without the one who signed the component itself.
    pub signers: Vec<Signer>,
    /// How many there must be.
    pub needed: usize,
    /// From this moment on there are too few; none: that never comes by itself.
    pub expires: Option<OffsetDateTime>,
}

impl Signed {
    /// True where there are enough.
    pub fn is_enough(&self) -> bool {
        self.signers.len() >= self.needed
    }
}

impl Approvals {
    /// Verifies kept approvals; nothing but the envelope of a row is believed. What doesn't verify doesn't count, and says so in the log.
    pub fn verify(kept: &[ApprovalRow], trust: &TrustRoots, now: OffsetDateTime) -> Self {
        let mut approvals = Self { of: HashMap::new(), trust: trust.clone() };
        for row in kept {
            match VerifiedApproval::verify(row.envelope.as_bytes(), trust, now) {
                Ok(approval) => approvals.of.entry(approval.approval().component).or_default().push(approval),
                Err(error) => {
                    tracing::warn!(approval = row.id, code = error.code(), "an approval does not count: {error}")
                }
            }
        }
        approvals
    }

    /// Who has approved exactly these permissions for exactly this component with its manifest. Nobody approves what they
    /// made: the key that signed the component counts for nothing here.
    pub fn signed(&self, verified: &Verified, grant: &Grant, now: OffsetDateTime) -> Signed {
        let (digest, manifest) = (verified.digest(), verified.manifest_digest());
        let all = self.of.get(&digest).into_iter().flatten();
        let mut until: BTreeMap<&str, (&Signer, Option<OffsetDateTime>)> = BTreeMap::new();
        for approval in all.filter(|a| a.covers(digest, manifest, grant.effective(), now)) {
            let expires = approval.approval().expires;
            for signer in approval.signers().iter().filter(|signer| signer.id != verified.signer().id) {
                let longest = until.entry(signer.id.as_str()).or_insert((signer, expires));
                longest.1 = longest.1.zip(expires).map(|(one, other)| one.max(other));
            }
        }
        let words: Vec<&str> = grant.privileged().iter().map(Column::word).collect();
        let classes = grant.risk().and_below().map(Risk::word);
        let needed = self.trust.threshold(words, classes);
        let mut ends: Vec<Option<OffsetDateTime>> = until.values().map(|(_, expires)| *expires).collect();
        // The longest first: with the last of those that are needed, too few are left.
        ends.sort_by_key(|expires| std::cmp::Reverse((expires.is_none(), *expires)));
        let expires = needed.checked_sub(1).and_then(|last| ends.get(last).copied().flatten());
        Signed { signers: until.into_values().map(|(signer, _)| signer.clone()).collect(), needed, expires }
    }
}

impl Deciding<'_> {
    /// The grant of a component, open in its privileged columns where an admin has approved exactly it.
    ///
    /// # Errors
    /// [`CatalogError::Maker`] where the chain of its makers can't be followed.
    pub fn grant(&self, candidate: &Candidate) -> Result<Grant, CatalogError> {
        self.grant_below(candidate, MAKERS_MAX)
    }

    fn grant_below(&self, candidate: &Candidate, makers_left: usize) -> Result<Grant, CatalogError> {
        let manifest = candidate.verified.manifest();
        let maker = candidate.maker.as_ref().map(|maker| self.maker_grant(maker, makers_left)).transpose()?;
        let wanted = Some(&manifest.permissions);
        let grant = self.matrix.grant(&candidate.principal(), wanted, Some(&manifest.limits), maker.as_ref());
        if grant.awaits_approval() && self.approvals.signed(&candidate.verified, &grant, self.now).is_enough() {
            return Ok(grant.approved());
        }
        Ok(grant)
    }

    /// What a maker may do now. One that is not installed any more, or must not run, may do nothing, and so may what it
    /// made.
    fn maker_grant(&self, maker: &str, makers_left: usize) -> Result<Grant, CatalogError> {
        let principal: Principal = maker.parse().map_err(|e| CatalogError::Maker(format!("{e}")))?;
        let Some(makers_left) = makers_left.checked_sub(1) else {
            return Err(CatalogError::Maker(format!("the chain of makers is longer than {MAKERS_MAX}")));
        };
        if principal.kind() == PrincipalKind::Client {
            return Ok(self.matrix.grant(&principal, None, None, None));
        }
        let installed = self.candidates.get(principal.name()).and_then(|versions| versions.values().next_back());
        let at_work = |candidate: &&Candidate| candidate.principal() == principal && candidate.quarantine.is_none();
        match installed.filter(at_work) {
            Some(candidate) => self.grant_below(candidate, makers_left),
            None => Ok(self.matrix.grant(&principal, Some(&Permissions::default()), None, None)),
        }
    }
}
