//! What the forge has to say to whoever listens on its topic: what became of a request, and of a tool that nobody uses.

use serde::{Deserialize, Serialize};

use super::examine::Findings;
use super::outcome::{Outcome, Problem, Product, Stage, Timing};

/// What there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewsKind {
    /// A tool was made and can be called.
    Callable,
    /// A tool was made and waits for an admin.
    Waiting,
    /// Nothing was made.
    Refused,
    /// A tool that nobody called was removed.
    Expired,
}

impl NewsKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Callable => "callable",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

/// One record on the topic. Sources, inputs and what compilers say are in none: they may be anybody's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// What became of it.
    pub event: NewsKind,
    /// Full name of the tool.
    pub tool: String,
    /// Who had it made, as a principal.
    pub maker: String,
    /// Version that was made; none where nothing was made, or all versions are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the component that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Digest of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The stage that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Code of why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The limit by which it was removed, with its value and who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Each stage with its duration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timings: Vec<Timing>,
    /// What the try-out came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examined: Option<Findings>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

impl News {
    /// Nothing but what happened to which tool of whom.
    fn of(event: NewsKind, tool: &str, maker: &str, at_ms: i64) -> Self {
        Self {
            event,
            tool: tool.to_owned(),
            maker: maker.to_owned(),
            version: None,
            component: None,
            request: None,
            stage: None,
            code: None,
            limit: None,
            timings: Vec::new(),
            examined: None,
            at_ms,
        }
    }

    /// What became of a request.
    pub(super) fn of_request(
        maker: &str,
        tool: &str,
        request: String,
        outcome: &Outcome,
        timings: &[Timing],
        findings: Option<&Findings>,
        at_ms: i64,
    ) -> Self {
        let made = |event, product: &Product| Self {
            version: Some(product.version.clone()),
            component: Some(product.digest.clone()),
            ..Self::of(event, tool, maker, at_ms)
        };
        let news = match outcome {
            Outcome::Callable(product) => made(NewsKind::Callable, product),
            Outcome::Waiting(product) => made(NewsKind::Waiting, product),
            Outcome::Refused(refusal) => {
                let Problem { code, .. } = &refusal.reason;
                let (stage, code) = (Some(refusal.stage), Some(code.clone()));
                Self { stage, code, ..Self::of(NewsKind::Refused, tool, maker, at_ms) }
            }
        };
        Self { request: Some(request), timings: timings.to_vec(), examined: findings.cloned(), ..news }
    }

    /// A tool that nobody called was removed, in all versions.
    pub fn expired(tool: &str, maker: &str, limit: String, at_ms: i64) -> Self {
        Self { limit: Some(limit), ..Self::of(NewsKind::Expired, tool, maker, at_ms) }
    }
}
