//! Approvals: an admin's signature over a component, its manifest and the permissions that it may have.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::component::ENVELOPE_SIZE_MAX;
use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::permissions::Permissions;
use crate::signature::SignatureError;
use crate::statement::{APPROVAL_PREDICATE, Statement};
use crate::trust::{Role, Signer, TrustRoots};

/// What an admin approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the component.
    pub component: Digest,
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Exactly what it may have.
    pub permissions: Permissions,
    /// From this moment on the approval counts for nothing; none: until it is withdrawn.
    pub expires: Option<OffsetDateTime>,
    /// Revision of the permission matrix that the admin looked at.
    pub revision: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    permissions: Permissions,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    expires: Option<OffsetDateTime>,
    revision: String,
}

/// An approval whose signatures were verified. Only [`VerifiedApproval::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedApproval {
    approval: Approval,
    signers: Vec<Signer>,
}

impl Approval {
    /// Signs with an admin's key.
    ///
    /// # Errors
    /// Where the expiry cannot be written (a year beyond 9999).
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        let predicate = Predicate {
            permissions: self.permissions.clone().normalized(),
            expires: self.expires,
            revision: self.revision.clone(),
        };
        let predicate =
            serde_json::to_value(predicate).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Statement::new(self.component, self.manifest, APPROVAL_PREDICATE, predicate).sign(key)
    }
}

impl VerifiedApproval {
    /// Verifies an approval's envelope (JSON): signed by an admin's key that counts at `now`, and not expired.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn verify(envelope: &[u8], trust: &TrustRoots, now: OffsetDateTime) -> Result<Self, SignatureError> {
        let (size, limit) = (envelope.len(), ENVELOPE_SIZE_MAX);
        if size > limit {
            return Err(SignatureError::TooLarge { file: "the approval", size, limit });
        }
        let envelope = Envelope::from_json(envelope).map_err(SignatureError::Envelope)?;
        let authentic = trust.verify(&envelope, Role::Admin, now)?;
        let statement = Statement::from_authentic(&authentic)?;
        if statement.predicate_type != APPROVAL_PREDICATE {
            return Err(SignatureError::Statement(format!("an approval's predicate is {APPROVAL_PREDICATE}")));
        }
        let (component, manifest) = (statement.component(), statement.manifest());
        let Predicate { permissions, expires, revision } = serde_json::from_value(statement.predicate)
            .map_err(|error| SignatureError::Statement(error.to_string()))?;
        if let Some(expired) = expires.filter(|&expires| expires <= now) {
            return Err(SignatureError::ExpiredApproval(expired));
        }
        let approval = Approval { component, manifest, permissions, expires, revision };
        Ok(Self { approval, signers: authentic.signers })
    }

    /// What was approved.
    pub fn approval(&self) -> &Approval {
        &self.approval
    }

    /// The admins that signed, each once, at least one.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// True where it approves exactly these permissions for exactly this component with this manifest, at `now`.
    pub fn covers(&self, component: Digest, manifest: Digest, permissions: &Permissions, now: OffsetDateTime) -> bool {
        self.approval.component == component
            && self.approval.manifest == manifest
            && self.approval.expires.is_none_or(|expires| expires > now)
            && self.approval.permissions.clone().normalized() == permissions.clone().normalized()
    }
}
