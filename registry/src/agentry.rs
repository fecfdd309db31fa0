//! Plugin indexes of Agentry: `{"plugins": [{name, url, sha256, sig?}]}`, an entry signed with Ed25519 over the text
//! `name|url|sha256`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::digest::Digest;
use crate::keys::PublicKey;

/// Largest index, in bytes.
pub const AGENTRY_INDEX_SIZE_MAX: usize = 1024 * 1024;
/// Most plugins of an index.
const PLUGINS_MAX: usize = 1000;
/// Most characters of a name and of an address.
const NAME_CHARS_MAX: usize = 128;
const URL_CHARS_MAX: usize = 2048;

/// Why an index is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentryError {
    /// It is none.
    #[error("it is no plugin index of Agentry: {0}")]
    Index(String),
    /// The key is none.
    #[error("`{0}` is no public key: 64 hexadecimal digits")]
    Key(String),
}

impl AgentryError {
    /// A stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Index(_) => "agentry.index",
            Self::Key(_) => "agentry.key",
        }
    }
}

/// The public key of an index, as Agentry writes it: hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentryKey(PublicKey);

impl std::str::FromStr for AgentryKey {
    type Err = AgentryError;

    fn from_str(text: &str) -> Result<Self, AgentryError> {
        let wrong = || AgentryError::Key(text.chars().take(80).collect());
        let bytes = hex::decode(text).map_err(|_| wrong())?;
        STANDARD.encode(bytes).parse().map(Self).map_err(|_| wrong())
    }
}

/// What an entry's signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is this key's, over exactly this name, address and digest.
    Signed,
    /// There is none.
    Unsigned,
    /// There is one, and it is not this key's over this.
    Wrong,
}

/// One plugin of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentryPlugin {
    /// Name; what it may contain is Agentry's affair: it is no path and no name of ours.
    pub name: String,
    /// Where its archive is.
    pub url: String,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    signature: Option<String>,
}

/// A whole index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentryIndex {
    /// Its plugins, in its order.
    pub plugins: Vec<AgentryPlugin>,
}

#[derive(Deserialize)]
struct File {
    plugins: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    url: String,
    sha256: String,
    #[serde(default)]
    sig: Option<String>,
}

impl AgentryIndex {
    /// Reads an index.
    ///
    /// # Errors
    /// [`AgentryError::Index`] with what is wrong; nothing of it is used then.
    pub fn parse(bytes: &[u8]) -> Result<Self, AgentryError> {
        let wrong = |reason: String| AgentryError::Index(reason);
        if bytes.len() > AGENTRY_INDEX_SIZE_MAX {
            return Err(wrong(format!("it has more than {AGENTRY_INDEX_SIZE_MAX} bytes")));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if file.plugins.len() > PLUGINS_MAX {
            return Err(wrong(format!("it has more than {PLUGINS_MAX} plugins")));
        }
        let plugins = file.plugins.into_iter().enumerate().map(|(number, row)| {
            let at = |reason: &str| wrong(format!("plugin {}: {reason}", number + 1));
            let Row { name, url, sha256, sig } = row;
            // The signed text is put together with `|`: with one in a name, two plugins could have the same.
            if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains('|') {
                return Err(at("a name has 1 to 128 characters, and no `|`"));
            }
            if url.is_empty() || url.chars().count() > URL_CHARS_MAX || url.contains('|') {
                return Err(at("an address has 1 to 2,048 characters, and no `|`"));
            }
            let sha256 = sha256.parse().map_err(|_| at("its digest is not 64 lower-case hexadecimal digits"))?;
            Ok(AgentryPlugin { name, url, sha256, signature: sig })
        });
        Ok(Self { plugins: plugins.collect::<Result<_, _>>()? })
    }
}

impl AgentryPlugin {
    /// What its signature is worth by a key.
    pub fn standing(&self, key: &AgentryKey) -> Standing {
        let Some(signature) = &self.signature else { return Standing::Unsigned };
        let message = format!("{}|{}|{}", self.name, self.url, self.sha256);
        match hex::decode(signature) {
            Ok(signature) if key.0.verifies(message.as_bytes(), &signature) => Standing::Signed,
            _ => Standing::Wrong,
        }
    }
}
