//! Rollbacks: a forge's signature over the word that a version of a tool fails, so that hosts go back to an older one.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::signature::SignatureError;
use crate::trust::{Role, TrustRoots};

/// Media type of a rollback inside an envelope: none of a statement, so that neither can pass for the other.
const PAYLOAD_TYPE: &str = "application/vnd.wasmill.rollback+json";

/// Largest envelope of a rollback, in bytes: a few short texts, as JSON in base64.
pub const ROLLBACK_SIZE_MAX: usize = 16 * 1024;

/// A version that plain names shall not reach. It names nothing that shall be reached instead: that is decided from what
/// may be called at each moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Name of the tool.
    pub name: String,
    /// The version that fails.
    pub version: semver::Version,
    /// SHA-256 of its component.
    pub component: Digest,
    /// What was seen, in one sentence.
    pub reason: String,
    /// When it was decided.
    #[serde(with = "time::serde::rfc3339")]
    pub decided: OffsetDateTime,
}

impl Rollback {
    /// Signs with a forge's key.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        let payload = serde_json::to_vec(self).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }

    /// What an envelope (JSON) says, where a forge's key that counts at `now` has signed it.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn verify(envelope: &[u8], trust: &TrustRoots, now: OffsetDateTime) -> Result<Self, SignatureError> {
        let (size, limit) = (envelope.len(), ROLLBACK_SIZE_MAX);
        if size > limit {
            return Err(SignatureError::TooLarge { file: "the rollback", size, limit });
        }
        let envelope = Envelope::from_json(envelope).map_err(SignatureError::Envelope)?;
        let authentic = trust.verify(&envelope, Role::Forge, now)?;
        if authentic.payload_type != PAYLOAD_TYPE {
            return Err(SignatureError::Statement(format!("its type is not {PAYLOAD_TYPE}")));
        }
        serde_json::from_slice(&authentic.payload).map_err(|error| SignatureError::Statement(error.to_string()))
    }
}
