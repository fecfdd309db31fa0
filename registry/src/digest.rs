//! SHA-256 digests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest of 64 lower-case hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The raw 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As OCI writes it: `sha256:` and the digits.
    pub fn to_oci(self) -> String {
        format!("sha256:{self}")
    }

    /// Reads what [`Digest::to_oci`] wrote.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn from_oci(text: &str) -> Result<Self, DigestError> {
        text.strip_prefix("sha256:").ok_or_else(|| DigestError(shortened(text)))?.parse()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        // One spelling only: a digest is compared as text in places, and becomes a file name.
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(DigestError(shortened(text)));
        }
        let mut raw = [0; 32];
        hex::decode_to_slice(text, &mut raw).map_err(|_| DigestError(shortened(text)))?;
        Ok(Self(raw))
    }
}

/// The text comes from outside and goes into a message.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl schemars::JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "A SHA-256." })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_written_as_the_standard_writes_it() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(Digest::of(b"abc").to_oci(), format!("sha256:{ABC}"));
    }

    #[test]
    fn a_digest_has_one_spelling() {
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        assert!(ABC.to_uppercase().parse::<Digest>().is_err());
        assert!(ABC[1..].parse::<Digest>().is_err());
        assert!(Digest::from_oci(ABC).is_err());
        assert!(Digest::from_oci("sha256:../../../../etc/passwd").is_err());
    }
}
