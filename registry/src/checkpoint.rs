//! Checkpoints: a host's signature over how far a chain of the audit trail went, and what it was then.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::signature::SignatureError;
use crate::trust::{Role, TrustRoots};

/// Media type of a checkpoint inside an envelope: none of a statement or a policy, so that none can pass for another.
const PAYLOAD_TYPE: &str = "application/vnd.wasmill.audit-checkpoint+json";

/// Largest envelope of a checkpoint, in bytes.
pub const CHECKPOINT_SIZE_MAX: usize = 16 * 1024;

/// What a chain of the audit trail was at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The chain.
    pub chain: String,
    /// Number of its last row.
    pub seq: i64,
    /// Hash of that row, which is made of all rows before it.
    pub hash: Digest,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

impl Checkpoint {
    /// Signs with the forge's key, which is the host's own.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        let payload = serde_json::to_vec(self).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }

    /// Reads what an envelope (JSON) says without believing it: to know which chain it is about.
    ///
    /// # Errors
    /// Where it is no envelope of a checkpoint.
    pub fn peek(envelope: &[u8]) -> Result<Self, SignatureError> {
        let opened = read(envelope)?.open().map_err(SignatureError::Envelope)?;
        parse(&opened.payload_type, &opened.payload)
    }

    /// Verifies a checkpoint's envelope (JSON): signed by a forge's key that is not revoked, and had not expired at the
    /// moment that the checkpoint names. Checkpoints outlive the keys that signed them.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn verify(envelope: &[u8], trust: &TrustRoots) -> Result<Self, SignatureError> {
        let at_ms = i128::from(Self::peek(envelope)?.at_ms);
        let at = OffsetDateTime::from_unix_timestamp_nanos(at_ms * 1_000_000)
            .map_err(|_| SignatureError::Statement("its moment can't be one".to_owned()))?;
        let authentic = trust.verify(&read(envelope)?, Role::Forge, at)?;
        parse(&authentic.payload_type, &authentic.payload)
    }
}

fn read(envelope: &[u8]) -> Result<Envelope, SignatureError> {
    let (size, limit) = (envelope.len(), CHECKPOINT_SIZE_MAX);
    if size > limit {
        return Err(SignatureError::TooLarge { file: "the checkpoint", size, limit });
    }
    Envelope::from_json(envelope).map_err(SignatureError::Envelope)
}

fn parse(payload_type: &str, payload: &[u8]) -> Result<Checkpoint, SignatureError> {
    if payload_type != PAYLOAD_TYPE {
        return Err(SignatureError::Statement(format!("its type is not {PAYLOAD_TYPE}")));
    }
    serde_json::from_slice(payload).map_err(|error| SignatureError::Statement(error.to_string()))
}
