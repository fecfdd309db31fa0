//! Why a signed thing is not believed.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::digest::Digest;
use crate::keys::KeyId;
use crate::manifest::ManifestError;
use crate::trust::Role;

/// Why a signed thing is not believed. Nothing of it may be used after any of these.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The envelope itself cannot be read.
    #[error("the signature file is not a DSSE envelope: {0}")]
    Envelope(String),
    /// The payload is not the statement it should be.
    #[error("the signed statement is not usable: {0}")]
    Statement(String),
    /// No trust root knows the key.
    #[error("it is signed by key {0}, which is not in trust.toml")]
    UnknownKey(String),
    /// The key was revoked.
    #[error("it is signed by key {id} ({name}), which is revoked")]
    RevokedKey {
        /// The key.
        id: KeyId,
        /// Its name in the trust roots.
        name: String,
    },
    /// The key's time is over.
    #[error("it is signed by key {id} ({name}), which expired on {}", .expired.format(&Rfc3339).unwrap_or_default())]
    ExpiredKey {
        /// The key.
        id: KeyId,
        /// Its name in the trust roots.
        name: String,
        /// When it expired.
        expired: OffsetDateTime,
    },
    /// The key is trusted, but not for this.
    #[error("it is signed by key {id} ({name}), which is not trusted as {role}")]
    WrongRole {
        /// The key.
        id: KeyId,
        /// Its name in the trust roots.
        name: String,
        /// The role that would be needed.
        role: Role,
    },
    /// The key is right and the signature is not over these bytes.
    #[error("the signature of key {id} ({name}) is not over this statement: one of them was changed")]
    BadSignature {
        /// The key.
        id: KeyId,
        /// Its name in the trust roots.
        name: String,
    },
    /// A file is not the one that was signed.
    #[error("{file} has digest {found}, but {signed} was signed: it was changed after signing")]
    Mismatch {
        /// Which file.
        file: &'static str,
        /// Digest that was signed.
        signed: Digest,
        /// Digest of the file.
        found: Digest,
    },
    /// A file exceeds its limit.
    #[error("{file} has {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Which file.
        file: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The name doesn't fit the role of the signer.
    #[error(
        "`{name}` can't be signed as {role}: a forged component has its maker and a dot in front of its name, others have no dot"
    )]
    NameOfOther {
        /// Name in the manifest.
        name: String,
        /// Role of the signer.
        role: Role,
    },
    /// An approval whose time is over.
    #[error("the approval expired on {}", .0.format(&Rfc3339).unwrap_or_default())]
    ExpiredApproval(OffsetDateTime),
    /// The manifest is signed and wrong all the same.
    #[error("wasmill.toml: {0}")]
    Manifest(#[from] ManifestError),
}

impl SignatureError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "signature.envelope",
            Self::Statement(_) => "signature.statement",
            Self::UnknownKey(_) => "signature.unknown-key",
            Self::RevokedKey { .. } => "signature.revoked-key",
            Self::ExpiredKey { .. } => "signature.expired-key",
            Self::WrongRole { .. } => "signature.wrong-role",
            Self::BadSignature { .. } => "signature.bad",
            Self::Mismatch { .. } => "signature.mismatch",
            Self::TooLarge { .. } => "component.too-large",
            Self::NameOfOther { .. } => "signature.name",
            Self::ExpiredApproval(_) => "approval.expired",
            Self::Manifest(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Envelope(_) | Self::Statement(_) | Self::BadSignature { .. } | Self::Mismatch { .. } => {
                "Get the component again from its publisher, or sign it again with `wasmill plugin sign` if you changed it.".into()
            }
            Self::UnknownKey(_) => "If you trust its owner, add the key to trust.toml; otherwise don't use the component.".into(),
            Self::RevokedKey { .. } | Self::ExpiredKey { .. } => {
                "Sign again with a key that is valid, or get a version that is signed with one.".into()
            }
            Self::WrongRole { id, role, .. } => {
                format!("Sign with a key that is trusted as {role}, or add \"{role}\" to the roles of key {id} in trust.toml.")
            }
            Self::TooLarge { .. } => "Make it smaller: build with `--release`, strip debug information.".into(),
            Self::NameOfOther { .. } => "Change the name in wasmill.toml.".into(),
            Self::ExpiredApproval(_) => "Ask an admin to grant it again with `wasmill approval grant`.".into(),
            Self::Manifest(error) => error.next(),
        }
    }
}
