//! Policies: an admin's signature over who may do what and whose signatures count, for many hosts.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::signature::SignatureError;
use crate::trust::{Role, Signer, TrustRoots};

/// Media type of a policy inside an envelope: none of a statement, so that neither can pass for the other.
const PAYLOAD_TYPE: &str = "application/vnd.wasmill.policy+json";

/// Largest envelope of a policy, in bytes: two files of the largest size, as JSON in base64.
pub const POLICY_SIZE_MAX: usize = 16 * 1024 * 1024;

/// The two files that decide on a host who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Larger than that of every policy before it: an old one never counts again.
    pub serial: u64,
    /// `permissions.toml`.
    pub permissions: String,
    /// `trust.toml`.
    pub trust: String,
}

/// A policy whose signatures were verified. Only [`VerifiedPolicy::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPolicy {
    policy: Policy,
    signers: Vec<Signer>,
}

impl Policy {
    /// Signs with an admin's key.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        let payload = serde_json::to_vec(self).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }
}

impl VerifiedPolicy {
    /// Verifies a policy's envelope (JSON): signed by an admin's key that counts at `now` by the trust roots in force.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn verify(envelope: &[u8], trust: &TrustRoots, now: OffsetDateTime) -> Result<Self, SignatureError> {
        let (size, limit) = (envelope.len(), POLICY_SIZE_MAX);
        if size > limit {
            return Err(SignatureError::TooLarge { file: "the policy", size, limit });
        }
        let envelope = Envelope::from_json(envelope).map_err(SignatureError::Envelope)?;
        let authentic = trust.verify(&envelope, Role::Admin, now)?;
        if authentic.payload_type != PAYLOAD_TYPE {
            return Err(SignatureError::Statement(format!("its type is not {PAYLOAD_TYPE}")));
        }
        let policy = serde_json::from_slice(&authentic.payload);
        let policy = policy.map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Self { policy, signers: authentic.signers })
    }

    /// What was signed.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The admins that signed, each once, at least one.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}
