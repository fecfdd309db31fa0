//! What an admin sees of a component that asks for something privileged.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use wasmill_registry::{Approval, Digest, Kind, Permissions, Signer};

use crate::permissions::Risk;

/// A component whose grant touches a privileged column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Case {
    /// `name@version`.
    pub component: String,
    /// Tool or agent.
    pub kind: Kind,
    /// One sentence that it says of itself.
    pub description: String,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// SHA-256 of its manifest.
    pub manifest_digest: Digest,
    /// Who had it forged, as a principal; none for a published one.
    pub maker: Option<String>,
    /// Who signed it, and as what.
    pub signer: Signer,
    /// Everything that it would be allowed. An approval is given for exactly this.
    pub permissions: Permissions,
    /// The highest risk class among the columns that they touch.
    pub risk: Risk,
    /// The columns among them for which an approval is needed.
    pub privileged: Vec<String>,
    /// Revision of the matrix that these permissions come from.
    pub revision: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: CaseState,
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum CaseState {
    /// It waits for admins.
    Waiting {
        /// Those who have signed already.
        #[serde(default)]
        signers: Vec<Signer>,
        /// How many have to.
        needed: usize,
    },
    /// An approval holds.
    Granted {
        /// The admins who signed.
        signers: Vec<Signer>,
        /// Until when; none: without end.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schemars(with = "Option<String>", extend("format" = "date-time"))]
        expires: Option<OffsetDateTime>,
    },
    /// An admin said no. It waits all the same, and may still be granted.
    Denied {
        /// Why, in the admin's words.
        reason: String,
        /// Who said it.
        by: String,
    },
}

impl CaseState {
    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Granted { .. } => "granted",
            Self::Denied { .. } => "denied",
        }
    }
}

/// A case with all that there is to judge it by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaseDetail {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// Interfaces that the component imports: what it can ask for at all.
    pub imports: Vec<String>,
    /// Source of a forged component, verified against its signed digest.
    pub source: Option<String>,
    /// What the forge's signed statement says of the build and its try-outs; none for a published component.
    pub provenance: Option<Value>,
}

impl Case {
    /// What an admin signs to approve this.
    pub fn approval(&self, expires: Option<OffsetDateTime>) -> Approval {
        Approval {
            component: self.digest,
            manifest: self.manifest_digest,
            permissions: self.permissions.clone(),
            expires,
            revision: self.revision.clone(),
        }
    }

    /// True where `reference` (`name` or `name@version`) means this one.
    pub fn is(&self, reference: &str) -> bool {
        self.component == reference || self.component.split_once('@').is_some_and(|(name, _)| name == reference)
    }
}
