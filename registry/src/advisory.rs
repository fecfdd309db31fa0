//! Advisories: an admin's signature over what must not run any more, and over the end of that.

use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, Version, VersionReq};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::digest::Digest;
use crate::dsse::Envelope;
use crate::keys::SecretKey;
use crate::names::check_component_name;
use crate::signature::SignatureError;
use crate::trust::{Role, Signer, TrustRoots};

/// Media type of an advisory inside an envelope: none of a statement, so that neither can pass for the other.
const PAYLOAD_TYPE: &str = "application/vnd.wasmill.advisory+json";

/// Largest envelope of an advisory, in bytes.
pub const ADVISORY_SIZE_MAX: usize = 16 * 1024;
/// Longest id, characters.
const ID_CHARS_MAX: usize = 64;
/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 500;
/// Longest name of a crate, characters.
const CRATE_CHARS_MAX: usize = 64;

/// What admins say about one id. Of several words the one with the largest serial counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// What it is called, like `RUSTSEC-2026-0001`.
    pub id: String,
    /// Larger than that of every word about this id before it.
    pub serial: u64,
    /// Why, for people.
    pub reason: String,
    /// What is said.
    pub says: Says,
}

/// What an advisory says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Says {
    /// What it touches must not run.
    Quarantine {
        /// What it touches.
        about: About,
        /// How bad it is, for people.
        severity: Severity,
        /// Generated tools that it touches are built again.
        rebuild: bool,
    },
    /// It is over.
    Withdraw,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A nuisance.
    Low,
    /// Harm under rare conditions.
    Medium,
    /// Harm.
    High,
    /// Harm now.
    Critical,
}

/// What an advisory touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum About {
    /// Versions of a component; where it is an engine, all that it runs too.
    Component {
        /// Its name.
        name: String,
        /// Which versions.
        #[schemars(with = "String")]
        versions: VersionReq,
    },
    /// A component, or anything that a statement says went into one: an engine, a compiler, a lock file.
    Digest(Digest),
    /// Versions of a crate that generated tools are linked with.
    Crate {
        /// Its name.
        name: String,
        /// Which versions.
        #[schemars(with = "String")]
        versions: VersionReq,
    },
    /// Versions of a program that generated tools were built with.
    Toolchain {
        /// Which.
        program: Program,
        /// Which versions.
        #[schemars(with = "String")]
        versions: VersionReq,
    },
}

/// A program that builds tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// The compiler.
    Rustc,
    /// What calls it.
    Cargo,
    /// What makes components of its output.
    CargoComponent,
}

/// An advisory whose signatures were verified. Only [`VerifiedAdvisory::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAdvisory {
    advisory: Advisory,
    signers: Vec<Signer>,
}

impl Advisory {
    /// Checks what no signature does.
    ///
    /// # Errors
    /// The first thing that is wrong, as a sentence.
    pub fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.id.is_empty() || self.id.len() > ID_CHARS_MAX || !self.id.chars().all(plain) {
            return Err(format!(
                "an id is 1 to {ID_CHARS_MAX} letters, digits, `-`, `_` and `.`, like RUSTSEC-2026-0001"
            ));
        }
        let reason = self.reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX || reason.chars().any(char::is_control) {
            return Err(format!("a reason is one line of 1 to {REASON_CHARS_MAX} characters"));
        }
        match &self.says {
            Says::Quarantine { about: About::Component { name, .. }, .. } => {
                check_component_name(name).map_err(|error| error.to_string())
            }
            Says::Quarantine { about: About::Crate { name, .. }, .. } => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                match name.is_empty() || name.len() > CRATE_CHARS_MAX || !name.chars().all(is_name) {
                    true => Err(format!("a crate's name is 1 to {CRATE_CHARS_MAX} letters, digits, `-` and `_`")),
                    false => Ok(()),
                }
            }
            Says::Quarantine { .. } | Says::Withdraw => Ok(()),
        }
    }

    /// Signs with an admin's key.
    ///
    /// # Errors
    /// As [`Advisory::check`].
    pub fn sign(&self, key: &SecretKey) -> Result<Envelope, SignatureError> {
        self.check().map_err(SignatureError::Statement)?;
        let payload = serde_json::to_vec(self).map_err(|error| SignatureError::Statement(error.to_string()))?;
        Ok(Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }

    /// Reads an envelope without asking who has signed it: for whoever has verified it before and kept it since.
    ///
    /// # Errors
    /// Where it is none of an advisory.
    pub fn of_kept(envelope: &[u8]) -> Result<Self, SignatureError> {
        let opened = read(envelope)?.open().map_err(SignatureError::Envelope)?;
        Self::of_payload(&opened.payload_type, &opened.payload)
    }

    fn of_payload(payload_type: &str, payload: &[u8]) -> Result<Self, SignatureError> {
        if payload_type != PAYLOAD_TYPE {
            return Err(SignatureError::Statement(format!("its type is not {PAYLOAD_TYPE}")));
        }
        let advisory = serde_json::from_slice::<Self>(payload);
        let advisory = advisory.map_err(|error| SignatureError::Statement(error.to_string()))?;
        advisory.check().map_err(SignatureError::Statement)?;
        Ok(advisory)
    }
}

impl VerifiedAdvisory {
    /// Verifies an advisory's envelope (JSON): signed by an admin's key that counts at `now`.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn verify(envelope: &[u8], trust: &TrustRoots, now: OffsetDateTime) -> Result<Self, SignatureError> {
        let authentic = trust.verify(&read(envelope)?, Role::Admin, now)?;
        let advisory = Advisory::of_payload(&authentic.payload_type, &authentic.payload)?;
        Ok(Self { advisory, signers: authentic.signers })
    }

    /// What was signed.
    pub fn advisory(&self) -> &Advisory {
        &self.advisory
    }

    /// The admins that signed, each once, at least one.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}

fn read(envelope: &[u8]) -> Result<Envelope, SignatureError> {
    let (size, limit) = (envelope.len(), ADVISORY_SIZE_MAX);
    if size > limit {
        return Err(SignatureError::TooLarge { file: "the advisory", size, limit });
    }
    Envelope::from_json(envelope).map_err(SignatureError::Envelope)
}

/// True where a version is among those that are meant. Unlike in a lock file a pre-release counts as what it leads to: what
/// is wrong with 1.2.3 is wrong with 1.2.3-rc.1, and `<1.2.3` means both 1.2.2 and that.
pub fn is_meant(versions: &VersionReq, version: &Version) -> bool {
    versions.comparators.iter().all(|comparator| is_meant_by(comparator, version))
}

fn is_meant_by(comparator: &Comparator, version: &Version) -> bool {
    if comparator.matches(version) {
        return true;
    }
    let base = Version::new(version.major, version.minor, version.patch);
    if version.pre.is_empty() {
        return false;
    }
    let Comparator { op, major, minor, patch, pre } = comparator;
    let bound = Version { pre: pre.clone(), ..Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0)) };
    match op {
        Op::Less => *version < bound,
        _ => comparator.matches(&base),
    }
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rustc, Self::Cargo, Self::CargoComponent];

    /// The word in an advisory.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rustc => "rustc",
            Self::Cargo => "cargo",
            Self::CargoComponent => "cargo-component",
        }
    }
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::word).join(", ");
        Self::ALL.into_iter().find(|program| program.word() == text).ok_or_else(|| {
            format!(
                "`{}` is no program that builds tools; there are {}",
                text.chars().take(40).collect::<String>(),
                words()
            )
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { name, versions } => write!(f, "component {name} {versions}"),
            Self::Digest(digest) => write!(f, "digest {digest}"),
            Self::Crate { name, versions } => write!(f, "crate {name} {versions}"),
            Self::Toolchain { program, versions } => write!(f, "{} {versions}", program.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pre_release_is_meant_where_its_release_or_what_was_before_it_is() {
        let meant = |versions: &str, version: &str| is_meant(&versions.parse().unwrap(), &version.parse().unwrap());
        assert!(meant("<1.2.3", "1.2.2") && !meant("<1.2.3", "1.2.3"));
        assert!(meant("<1.2.3", "1.2.3-rc.1") && meant("<1.2.3", "1.0.0-alpha"));
        assert!(meant("=1.2.3", "1.2.3-rc.1") && meant("1.2", "1.2.9-rc.1"));
        assert!(!meant("<1.2.3", "1.2.4-rc.1") && !meant("=1.2.3", "1.2.4-rc.1"));
        assert!(meant("*", "0.1.0-x") && meant(">=1.0.0, <2.0.0", "1.5.0-x") && !meant(">=1.0.0, <2.0.0", "2.0.1-x"));
    }
}
