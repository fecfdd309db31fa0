//! Components: signing them, and believing them.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::manifest::{MANIFEST_SIZE_MAX, Manifest};
use crate::names::is_forged_name;
use crate::provenance::Provenance;
use crate::signature::SignatureError;
use crate::statement::{COMPONENT_PREDICATE, COMPONENT_SUBJECT, MANIFEST_SUBJECT, PROVENANCE_PREDICATE, Statement};
use crate::trust::{Role, Signer, TrustRoots};

/// Largest component, in bytes.
pub const COMPONENT_SIZE_MAX: usize = 32 * 1024 * 1024;
/// Largest envelope, in bytes.
pub const ENVELOPE_SIZE_MAX: usize = 1024 * 1024;
/// Largest source of a forged component, in bytes.
pub const SOURCE_SIZE_MAX: usize = 256 * 1024;

/// What the signer says of a component.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// "I publish this."
    Published,
    /// "I made this, from that source."
    Forged(Provenance),
}

impl Claim {
    /// The role that may say so.
    pub fn role(&self) -> Role {
        match self {
            Self::Published => Role::Publisher,
            Self::Forged(_) => Role::Forge,
        }
    }
}

/// The files of a component as they were found. Nothing about them is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The component.
    pub component: Vec<u8>,
    /// Its `wasmill.toml`.
    pub manifest: Vec<u8>,
    /// The DSSE envelope, JSON.
    pub envelope: Vec<u8>,
    /// The source of a forged component.
    pub source: Option<Vec<u8>>,
}

/// A component whose signature was verified against the trust roots. Nothing else makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    bundle: Arc<Bundle>,
    digest: Digest,
    manifest_digest: Digest,
    manifest: Arc<Manifest>,
    claim: Arc<Claim>,
    signer: Signer,
}

/// Signs a component with its manifest.
///
/// # Errors
/// Where the result could never be verified: a manifest that is wrong, sizes over their limits, a name that doesn't
/// belong to the claim's role.
pub fn sign(component: &[u8], manifest: &[u8], claim: &Claim, key: &SecretKey) -> Result<Envelope, SignatureError> {
    check_size("component.wasm", component.len(), COMPONENT_SIZE_MAX)?;
    let parsed = Manifest::parse(manifest)?;
    check_name(&parsed.name, claim.role())?;
    check_script(component, &parsed)?;
    let (predicate_type, predicate) = match claim {
        Claim::Published => (COMPONENT_PREDICATE, serde_json::json!({})),
        Claim::Forged(provenance) => {
            let predicate = serde_json::to_value(provenance);
            (PROVENANCE_PREDICATE, predicate.map_err(|error| SignatureError::Statement(error.to_string()))?)
        }
    };
    Statement::new(Digest::of(component), Digest::of(manifest), predicate_type, predicate).sign(key)
}

impl Bundle {
    /// Verifies everything: sizes, signature, signer's key and role at `now`, digests of component, manifest and
    /// source, the manifest itself, and that the name belongs to the role.
    ///
    /// # Errors
    /// The first thing that is not right; nothing of the bundle may be used then.
    pub fn verify(self, trust: &TrustRoots, now: OffsetDateTime) -> Result<Verified, SignatureError> {
        check_size(COMPONENT_SUBJECT, self.component.len(), COMPONENT_SIZE_MAX)?;
        check_size(MANIFEST_SUBJECT, self.manifest.len(), MANIFEST_SIZE_MAX)?;
        check_size("the envelope", self.envelope.len(), ENVELOPE_SIZE_MAX)?;

        let envelope = Envelope::from_json(&self.envelope).map_err(SignatureError::Envelope)?;
        // What is said decides who may say it; the signature is checked for exactly that role.
        let claim = claim_of(Statement::peek(&envelope)?)?;
        let authentic = trust.verify(&envelope, claim.role(), now)?;
        let statement = Statement::from_authentic(&authentic)?;

        let digest = check_digest(COMPONENT_SUBJECT, &self.component, statement.component())?;
        let manifest_digest = check_digest(MANIFEST_SUBJECT, &self.manifest, statement.manifest())?;
        check_source(self.source.as_deref(), &claim)?;
        let manifest = Manifest::parse(&self.manifest)?;
        check_name(&manifest.name, claim.role())?;
        check_script(&self.component, &manifest)?;

        let Some(signer) = authentic.signers.into_iter().next() else {
            return Err(SignatureError::Envelope("nobody signed it".into()));
        };
        Ok(Verified {
            bundle: Arc::new(self),
            digest,
            manifest_digest,
            manifest: Arc::new(manifest),
            claim: Arc::new(claim),
            signer,
        })
    }
}

fn claim_of(statement: Statement) -> Result<Claim, SignatureError> {
    match statement.predicate_type.as_str() {
        COMPONENT_PREDICATE => Ok(Claim::Published),
        PROVENANCE_PREDICATE => serde_json::from_value(statement.predicate)
            .map(Claim::Forged)
            .map_err(|error| SignatureError::Statement(format!("its provenance: {error}"))),
        other => {
            let other: String = other.chars().take(80).collect();
            Err(SignatureError::Statement(format!("a component's predicate is not `{other}`")))
        }
    }
}

fn check_size(file: &'static str, size: usize, limit: usize) -> Result<(), SignatureError> {
    if size > limit { Err(SignatureError::TooLarge { file, size, limit }) } else { Ok(()) }
}

fn check_digest(file: &'static str, bytes: &[u8], signed: Digest) -> Result<Digest, SignatureError> {
    let found = Digest::of(bytes);
    if found == signed { Ok(found) } else { Err(SignatureError::Mismatch { file, signed, found }) }
}

/// An admin judges a forged component by its source, so the source must be the one that was built.
fn check_source(source: Option<&[u8]>, claim: &Claim) -> Result<(), SignatureError> {
    let Some(source) = source else { return Ok(()) };
    check_size("the source", source.len(), SOURCE_SIZE_MAX)?;
    let signed = match claim {
        Claim::Published => None,
        Claim::Forged(provenance) => provenance.source(),
    };
    match signed {
        Some(signed) => check_digest("the source", source, signed).map(|_| ()),
        None => Err(SignatureError::Statement("it comes with a source that the statement does not name".into())),
    }
}

/// A script is a source, and as large as a source may be.
fn check_script(component: &[u8], manifest: &Manifest) -> Result<(), SignatureError> {
    let max = if manifest.script.is_some() { SOURCE_SIZE_MAX } else { COMPONENT_SIZE_MAX };
    check_size("the script", component.len(), max)
}

/// A publisher cannot pass a component off as forged by somebody, nor the forge take a published one's name.
fn check_name(name: &str, role: Role) -> Result<(), SignatureError> {
    if is_forged_name(name) == (role == Role::Forge) {
        Ok(())
    } else {
        Err(SignatureError::NameOfOther { name: name.to_owned(), role })
    }
}

impl Verified {
    /// SHA-256 of the component.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// SHA-256 of the manifest.
    pub fn manifest_digest(&self) -> Digest {
        self.manifest_digest
    }

    /// The component's bytes.
    pub fn component(&self) -> &[u8] {
        &self.bundle.component
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The source, where it is a script, or is forged and the source came along.
    pub fn source(&self) -> Option<&[u8]> {
        // A script is its own source.
        let script = self.manifest.script.as_ref().map(|_| self.component());
        script.or(self.bundle.source.as_deref())
    }

    /// What the signer says of it.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Who signed it, and in which role.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// All files as they were verified.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}
