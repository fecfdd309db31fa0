//! DSSE envelopes (Dead Simple Signing Envelope, version 1): a payload with its type, and signatures over both.
//!
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::keys::SecretKey;

/// Most signatures that one envelope may carry.
pub const SIGNATURES_MAX: usize = 16;

/// A payload with its type and signatures, as JSON. Proves nothing until it is verified, see [`crate::TrustRoots`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The payload in base64.
    payload: String,
    /// Media type of the payload.
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// At least one, by different keys.
    signatures: Vec<SignatureEntry>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SignatureEntry {
    /// Which key it claims to be of; the specification lets it be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    /// The signature in base64.
    sig: String,
}

/// An envelope, decoded: what was signed, and by whom as it claims.
pub(crate) struct Opened {
    /// Media type of the payload.
    pub payload_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// What the signatures are over.
    pub signed: Vec<u8>,
    /// Claimed key and signature of each entry.
    pub signatures: Vec<(Option<String>, Vec<u8>)>,
}

/// The bytes that a signature is over: the pre-authentication encoding of type and payload.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {} {} ", payload_type.len(), payload_type, payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload_type: &str, payload: &[u8], key: &SecretKey) -> Self {
        let mut envelope =
            Self { payload: STANDARD.encode(payload), payload_type: payload_type.to_owned(), signatures: Vec::new() };
        envelope.push_signature(payload, key);
        envelope
    }

    fn push_signature(&mut self, payload: &[u8], key: &SecretKey) {
        let signature = key.sign(&pre_authentication_encoding(&self.payload_type, payload));
        self.signatures
            .push(SignatureEntry { keyid: Some(key.public().id().to_string()), sig: STANDARD.encode(signature) });
    }

    /// Reads an envelope from JSON.
    ///
    /// # Errors
    /// With the reason, for a person.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Writes the envelope as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings only: nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Decodes everything. Nothing is proved by it.
    pub(crate) fn open(&self) -> Result<Opened, String> {
        if self.signatures.is_empty() || self.signatures.len() > SIGNATURES_MAX {
            return Err(format!("it has {} signatures, not 1 to {SIGNATURES_MAX}", self.signatures.len()));
        }
        let payload = decode(&self.payload).ok_or("its payload is not base64")?;
        let signatures = self
            .signatures
            .iter()
            .map(|entry| Some((entry.keyid.clone().filter(|id| !id.is_empty()), decode(&entry.sig)?)))
            .collect::<Option<Vec<_>>>()
            .ok_or("a signature is not base64")?;
        let signed = pre_authentication_encoding(&self.payload_type, &payload);
        Ok(Opened { payload_type: self.payload_type.clone(), payload, signed, signatures })
    }
}

/// The specification has a verifier accept both alphabets.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_of_the_specification() {
        assert_eq!(
            pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pre_authentication_encoding("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn lengths_count_bytes_and_not_characters() {
        assert_eq!(pre_authentication_encoding("ä", "ö".as_bytes()), "DSSEv1 2 ä 2 ö".as_bytes());
    }

    #[test]
    fn both_alphabets_of_base64_are_read() {
        let payload = [0xfb, 0xff, 0xbf];
        let mut envelope = Envelope::sign("t", &payload, &SecretKey::from_seed([1; 32]));
        assert_eq!(envelope.payload, "+/+/");
        envelope.payload = "-_-_".into();
        assert_eq!(envelope.open().unwrap().payload, payload);
    }

    #[test]
    fn an_envelope_survives_json() {
        let envelope = Envelope::sign("t", b"payload", &SecretKey::from_seed([1; 32]));
        assert_eq!(Envelope::from_json(&envelope.to_json()), Ok(envelope));
    }

    #[test]
    fn envelopes_without_or_with_too_many_signatures_are_refused() {
        let mut envelope = Envelope::sign("t", b"payload", &SecretKey::from_seed([1; 32]));
        let entry = envelope.signatures.remove(0);
        assert!(envelope.open().is_err());
        envelope.signatures = vec![entry; SIGNATURES_MAX + 1];
        assert!(envelope.open().is_err());
    }
}
