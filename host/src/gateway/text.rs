//! Bytes in JSON: text where they are text, base64 where they are not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Any bytes. In JSON a string where they are UTF-8, else `{"base64": "…"}`; both are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// UTF-8.
    Plain(String),
    /// Anything else.
    Coded {
        /// The bytes in base64.
        #[serde(with = "coded")]
        #[schemars(with = "Base64")]
        base64: Vec<u8>,
    },
}

impl Text {
    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Plain(text) => text.into_bytes(),
            Self::Coded { base64 } => base64,
        }
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Coded { base64: error.into_bytes() }, Self::Plain)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Coded { base64 } => write!(f, "base64:{}", STANDARD.encode(base64)),
        }
    }
}

/// What the schema says of bytes in base64.
pub(super) struct Base64;

impl schemars::JsonSchema for Base64 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Base64".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "byte", "contentEncoding": "base64" })
    }
}

/// Base64 in a JSON string.
pub(super) mod coded {
    use super::*;

    pub fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(|_| serde::de::Error::custom("it is not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_readable_and_bytes_stay_whole() {
        for (bytes, json) in [(&b"h\xc3\xa4"[..], "\"h\u{e4}\""), (b"\xff\0", r#"{"base64":"/wA="}"#)] {
            assert_eq!(serde_json::to_string(&Text::from(bytes)).unwrap(), json);
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().into_bytes(), bytes);
        }
        assert!(serde_json::from_str::<Text>(r#"{"base64":"?"}"#).is_err());
    }
}
