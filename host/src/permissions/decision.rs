//! Allowed, or denied: by which layer, and what would have to change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::action::Attempt;
use super::principal::Principal;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allowed {
        /// Line of the row of the matrix that allows it.
        line: u32,
    },
    /// Denied.
    Denied(Box<Denial>),
}

impl Decision {
    /// True where it is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// As a result, for `?`.
    ///
    /// # Errors
    /// The denial.
    pub fn ok(self) -> Result<(), Box<Denial>> {
        match self {
            Self::Allowed { .. } => Ok(()),
            Self::Denied(denial) => Err(denial),
        }
    }
}

/// A row of the matrix, to be named to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RowRef {
    /// Principal pattern as written.
    pub principal: String,
    /// Line of the row's head in the file, from 1.
    pub line: u32,
}

impl fmt::Display for RowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the row for {:?} in permissions.toml (line {})", self.principal, self.line)
    }
}

/// What said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "layer", rename_all = "lowercase")]
pub enum Layer {
    /// No row of the matrix allows it.
    Matrix {
        /// The most specific row for this principal; none where only `*`, or nothing, is for it.
        row: Option<RowRef>,
    },
    /// The component's own manifest does not ask for it.
    Manifest,
    /// The maker of a forged component may not do it.
    Maker {
        /// Why the maker may not.
        denial: Box<Denial>,
    },
    /// The matrix allows it, the column is privileged, and no admin has approved this component.
    Approval,
    /// The matrix allows it, and the policy outside of the matrix denies it.
    Veto {
        /// Why: at least one reason, in the policy's words.
        reasons: Vec<String>,
    },
    /// The matrix allows it, and the policy outside of the matrix can't be asked or gave no answer.
    Unjudged {
        /// Stable identifier of the reason.
        code: &'static str,
        /// Why.
        reason: String,
    },
}

/// A denial. Displays as one line: who, what, and what would have to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {}", self.message(), self.next())]
pub struct Denial {
    /// Who asked.
    pub principal: Principal,
    /// What it tried.
    pub attempt: Attempt,
    /// What said no.
    #[serde(flatten)]
    pub layer: Layer,
}

impl Denial {
    /// A stable identifier.
    pub fn code(&self) -> &'static str {
        match self.layer {
            Layer::Approval => "permission.approval",
            Layer::Veto { .. } => "permission.veto",
            Layer::Unjudged { code, .. } => code,
            Layer::Matrix { .. } | Layer::Manifest | Layer::Maker { .. } => "permission.denied",
        }
    }

    /// Who may not do what, as one sentence without a full stop.
    pub fn message(&self) -> String {
        let Self { principal, attempt, layer } = self;
        let action = attempt.action();
        match layer {
            Layer::Matrix { .. } => format!("{principal} may not {action}"),
            Layer::Manifest => format!("{principal} may not {action}, because its manifest does not ask for it"),
            Layer::Maker { denial } => {
                format!(
                    "{principal} may not {action}, because it was made for {} and {}",
                    denial.principal,
                    denial.message()
                )
            }
            Layer::Approval => format!("{principal} may not {action} before an admin approves it"),
            Layer::Veto { reasons } => {
                format!("{principal} may not {action}, because the veto policy says: {}", reasons.join("; "))
            }
            Layer::Unjudged { reason, .. } => {
                format!("{principal} may not {action}, because the veto policy can't be asked: {reason}")
            }
        }
    }

    /// What to do next, as one sentence without a full stop.
    pub fn next(&self) -> String {
        let Self { principal, attempt, layer } = self;
        let toml = attempt.action().as_toml();
        match layer {
            Layer::Matrix { row: Some(row) } => format!("add {toml} to {row}"),
            Layer::Matrix { row: None } => {
                format!("add a [[row]] with principal = \"{principal}\" and {toml} to permissions.toml")
            }
            Layer::Manifest => {
                format!("add {toml} to [permissions] of its manifest, then sign and install it again")
            }
            Layer::Maker { denial } => denial.next(),
            Layer::Approval => {
                format!("see `wasmill approval show {0}`, then `wasmill approval grant {0}`", principal.name())
            }
            Layer::Veto { .. } => {
                "no row can allow it; whoever writes the policy that [veto] in host.toml names can".into()
            }
            Layer::Unjudged { .. } => "see `wasmill doctor`; nothing is allowed until the policy answers".into(),
        }
    }
}
