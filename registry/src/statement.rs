//! in-toto statements, version 1: what a signature says about which files.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::signature::SignatureError;
use crate::trust::Authentic;

/// Media type of a statement inside an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Predicate of a component that somebody published.
pub const COMPONENT_PREDICATE: &str = "urn:wasmill:component:v1";
/// Predicate of a component that the forge made: SLSA provenance, version 1.
pub const PROVENANCE_PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// Predicate of an approval.
pub const APPROVAL_PREDICATE: &str = "urn:wasmill:approval:v1";

/// Name of the component among the subjects.
pub const COMPONENT_SUBJECT: &str = "component.wasm";
/// Name of the manifest among the subjects.
pub const MANIFEST_SUBJECT: &str = "wasmill.toml";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A statement about one component and its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    /// What kind of thing is said.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    #[serde(default)]
    pub predicate: serde_json::Value,
}

/// A file that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: DigestSet,
}

/// Digests of one file. Others than SHA-256 are read over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DigestSet {
    pub sha256: Digest,
}

impl Statement {
    /// A statement about a component and its manifest.
    pub(crate) fn new(component: Digest, manifest: Digest, predicate_type: &str, predicate: serde_json::Value) -> Self {
        let subject = |name: &str, sha256| Subject { name: name.to_owned(), digest: DigestSet { sha256 } };
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![subject(COMPONENT_SUBJECT, component), subject(MANIFEST_SUBJECT, manifest)],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    pub(crate) fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        let payload = serde_json::to_vec(self).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }

    /// Reads the statement out of an envelope without believing it: to know which role must have signed.
    pub(crate) fn peek(envelope: &Envelope) -> Result<Self, SignatureError> {
        let opened = envelope.open().map_err(SignatureError::Envelope)?;
        Self::from_payload(&opened.payload_type, &opened.payload)
    }

    pub(crate) fn from_authentic(authentic: &Authentic) -> Result<Self, SignatureError> {
        Self::from_payload(&authentic.payload_type, &authentic.payload)
    }

    fn from_payload(payload_type: &str, payload: &[u8]) -> Result<Self, SignatureError> {
        let refused = |reason: String| Err(SignatureError::Statement(reason));
        if payload_type != PAYLOAD_TYPE {
            return refused(format!("its type is not {PAYLOAD_TYPE}"));
        }
        let statement: Self =
            serde_json::from_slice(payload).map_err(|error| SignatureError::Statement(error.to_string()))?;
        if statement.statement_type != STATEMENT_TYPE {
            return refused(format!("it is not an in-toto statement of type {STATEMENT_TYPE}"));
        }
        let names: Vec<&str> = statement.subject.iter().map(|subject| subject.name.as_str()).collect();
        if names != [COMPONENT_SUBJECT, MANIFEST_SUBJECT] {
            return refused(format!("its subjects are not {COMPONENT_SUBJECT} and {MANIFEST_SUBJECT}, in this order"));
        }
        Ok(statement)
    }

    /// Digest of the component that it is about.
    pub fn component(&self) -> Digest {
        self.subject[0].digest.sha256
    }

    /// Digest of the manifest that it is about.
    pub fn manifest(&self) -> Digest {
        self.subject[1].digest.sha256
    }
}
