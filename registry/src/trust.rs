//! Trust roots: whose signatures count, for what, and how long (`trust.toml`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::document::{DocumentError, line_of, parse_document};
use crate::dsse::{Envelope, SIGNATURES_MAX};
use crate::keys::{KeyId, PublicKey};
use crate::permissions::{COLUMNS, RISK_CLASSES};
use crate::signature::SignatureError;

/// What a key's signature may vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Signs components that people publish.
    Publisher,
    /// Signs components that this forge made.
    Forge,
    /// Signs approvals.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "publisher",
            Self::Forge => "forge",
            Self::Admin => "admin",
        })
    }
}

/// One key that is trusted for something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// First 16 hexadecimal digits of the public key's SHA-256.
    pub id: KeyId,
    /// Whose it is, for people.
    pub name: String,
    /// The public key, base64.
    pub public: PublicKey,
    /// What its signatures may vouch for.
    pub roles: Vec<Role>,
    /// From this moment on none of its signatures count, old ones neither.
    #[serde(default, deserialize_with = "moment")]
    pub expires: Option<OffsetDateTime>,
    /// None of its signatures count, whenever they were made.
    #[serde(default)]
    pub revoked: bool,
}

/// Reads a TOML date-time with its offset.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let text = toml::value::Datetime::deserialize(deserializer)?.to_string();
    OffsetDateTime::parse(&text, &Rfc3339)
        .map(Some)
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a full date-time like 2030-01-31T12:00:00Z")))
}

/// All trusted keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustRoots {
    keys: Vec<TrustedKey>,
    thresholds: BTreeMap<String, usize>,
}

/// Stands for all columns that no threshold names.
const ALL_COLUMNS: &str = "*";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<TrustedKey>,
    /// How many admins have to sign, by column or risk class.
    #[serde(default)]
    thresholds: BTreeMap<String, usize>,
}

/// Who signed, after verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signer {
    /// The key.
    pub id: KeyId,
    /// Its name in the trust roots.
    pub name: String,
    /// The role that it signed in.
    pub role: Role,
}

/// A payload whose signature has been verified. Only [`TrustRoots::verify`] makes one.
#[derive(Debug)]
pub(crate) struct Authentic {
    pub payload_type: String,
    pub payload: Vec<u8>,
    /// At least one, each key once.
    pub signers: Vec<Signer>,
}

impl TrustRoots {
    /// Reads `trust.toml`.
    ///
    /// # Errors
    /// With the line: unknown keys, an id that is not its public key's, a key that is listed twice, a key without role.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let File { key: keys, thresholds } = parse_document(text)?;
        for (i, key) in keys.iter().enumerate() {
            let at = |field: &str, message: String| {
                Err(DocumentError { line: line_of(text, &["key", &i.to_string(), field]), message })
            };
            if key.id != key.public.id() {
                return at("id", format!("the id of this public key is `{}`", key.public.id()));
            }
            if keys[..i].iter().any(|other| other.id == key.id) {
                // Two entries could contradict each other in role or revocation.
                return at("id", format!("key `{}` is listed twice", key.id));
            }
            if key.roles.is_empty() {
                return at("roles", "a key without role is trusted for nothing; remove it or name a role".into());
            }
        }
        for (column, &threshold) in &thresholds {
            let at = |message: String| Err(DocumentError { line: line_of(text, &["thresholds", column]), message });
            // A word that is mistyped would silently ask for nobody.
            let is_known = COLUMNS.contains(&column.as_str()) || RISK_CLASSES.contains(&column.as_str());
            if column != ALL_COLUMNS && !is_known {
                return at(format!(
                    "`{column}` is no column of the matrix and no risk class; `*` stands for all columns"
                ));
            }
            if !(1..=SIGNATURES_MAX).contains(&threshold) {
                return at(format!("a threshold is 1 to {SIGNATURES_MAX} admins"));
            }
        }
        Ok(Self { keys, thresholds })
    }

    /// How many different admins have to approve something that touches these columns and has these risk classes: the most
    /// that any of them asks for. A class that no threshold names asks for nothing.
    pub fn threshold<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a str>,
        classes: impl IntoIterator<Item = &'a str>,
    ) -> usize {
        let all = self.thresholds.get(ALL_COLUMNS).copied().unwrap_or(1);
        let of_columns = columns.into_iter().map(|column| self.thresholds.get(column).copied().unwrap_or(all)).max();
        let of_classes = classes.into_iter().filter_map(|class| self.thresholds.get(class).copied()).max();
        of_columns.unwrap_or(all).max(of_classes.unwrap_or(1))
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// Verifies an envelope for a role at a moment.
    ///
    /// One signature of a key that is trusted for `role` is enough. All others are looked at too, so that the answer
    /// names every signer; those that don't count are left out.
    pub(crate) fn verify(
        &self,
        envelope: &Envelope,
        role: Role,
        now: OffsetDateTime,
    ) -> Result<Authentic, SignatureError> {
        let opened = envelope.open().map_err(SignatureError::Envelope)?;
        let mut signers: Vec<Signer> = Vec::new();
        let mut refusal = None;
        for (claimed, signature) in &opened.signatures {
            match self.check(claimed.as_deref(), &opened.signed, signature, role, now) {
                Ok(key) if signers.iter().any(|signer| signer.id == key.id) => {}
                Ok(key) => signers.push(Signer { id: key.id.clone(), name: key.name.clone(), role }),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match (signers.is_empty(), refusal) {
            (true, Some(error)) => Err(error),
            _ => Ok(Authentic { payload_type: opened.payload_type, payload: opened.payload, signers }),
        }
    }

    /// Finds the key of one signature and says whether it counts.
    fn check(
        &self,
        claimed: Option<&str>,
        signed: &[u8],
        signature: &[u8],
        role: Role,
        now: OffsetDateTime,
    ) -> Result<&TrustedKey, SignatureError> {
        let key = match claimed {
            Some(id) => self
                .keys
                .iter()
                .find(|key| key.id.as_str() == id)
                .ok_or_else(|| SignatureError::UnknownKey(id.chars().take(80).collect()))?,
            // The id is a hint that may be absent: then whoever it verifies with has signed.
            None => self
                .keys
                .iter()
                .find(|key| key.public.verifies(signed, signature))
                .ok_or_else(|| SignatureError::UnknownKey("(none named)".into()))?,
        };
        let (id, name) = (key.id.clone(), key.name.clone());
        if key.revoked {
            return Err(SignatureError::RevokedKey { id, name });
        }
        if let Some(expired) = key.expires.filter(|&expires| expires <= now) {
            return Err(SignatureError::ExpiredKey { id, name, expired });
        }
        if !key.roles.contains(&role) {
            return Err(SignatureError::WrongRole { id, name, role });
        }
        if !key.public.verifies(signed, signature) {
            return Err(SignatureError::BadSignature { id, name });
        }
        Ok(key)
    }
}

/// The lines that trust a key, to be added at the end of `trust.toml`.
pub fn trust_entry(name: &str, public: &PublicKey, roles: &[Role], expires: Option<OffsetDateTime>) -> String {
    let roles = roles.iter().map(|role| format!("\"{role}\"")).collect::<Vec<_>>().join(", ");
    let name = toml::Value::from(name);
    let mut text =
        format!("[[key]]\nid = \"{}\"\nname = {name}\npublic = \"{public}\"\nroles = [{roles}]\n", public.id());
    if let Some(expires) = expires.and_then(|moment| moment.format(&Rfc3339).ok()) {
        text.push_str(&format!("expires = {expires}\n"));
    }
    text
}
