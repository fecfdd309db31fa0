//! What comes of a request: a tool, or the reason why not, stage by stage.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::diagnostics::Diagnostic;
pub use crate::problem::{Problem, ProblemKind};

/// The stages that a request goes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Checks before anything is built.
    Refuse,
    /// The compiler in its sandbox.
    Build,
    /// Imports against wanted permissions and the maker's grant.
    Inspect,
    /// The examples, in the ordinary runtime.
    Examine,
    /// Statement and signature.
    Sign,
    /// Making the tool callable.
    Register,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::Build => "build",
            Self::Inspect => "inspect",
            Self::Examine => "examine",
            Self::Sign => "sign",
            Self::Register => "register",
        })
    }
}

/// How long a stage took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timing {
    /// The stage.
    pub stage: Stage,
    /// Duration in microseconds.
    pub micros: u64,
}

impl Timing {
    /// A stage with its duration.
    pub fn new(stage: Stage, duration: Duration) -> Self {
        Self { stage, micros: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) }
    }
}

/// A finished tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Product {
    /// Full name, `<maker>.<name>`.
    pub tool: String,
    /// Version that was given to it.
    pub version: String,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// Each stage with its duration; empty where the tool was there already.
    pub timings: Vec<Timing>,
}

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refusal {
    /// The stage that refused.
    pub stage: Stage,
    /// Code, sentence and what to do next.
    pub reason: Problem,
    /// Everything that the compiler or the check had to say.
    pub diagnostics: Vec<Diagnostic>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum Outcome {
    /// Callable now.
    Callable(Product),
    /// Built, tried and signed; it asks for something privileged and waits for an admin.
    Waiting(Product),
    /// Not accepted.
    Refused(Refusal),
}

/// One stage of one request is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Who asked.
    pub maker: String,
    /// Full name of the tool.
    pub tool: String,
    /// Digest of the request; all events of one have the same.
    pub request: String,
    /// Which stage.
    pub stage: Stage,
    /// Duration in microseconds.
    pub micros: u64,
    /// Code of what ended the request in this stage; none where it passed.
    pub refused: Option<String>,
}
