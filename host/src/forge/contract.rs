//! Requests and outcomes in the contract's own types, and back.

use super::diagnostics::{Diagnostic, Severity};
use super::error::ForgeError;
use super::outcome::{Outcome, Problem, ProblemKind, Product, Refusal, Stage};
use super::request::{Example, Language, Request};
use crate::runtime::bindings::{errors, forge};

impl From<forge::Request> for Request {
    fn from(request: forge::Request) -> Self {
        let example =
            |e: forge::Example| Example { function: e.function, arguments: e.arguments, expected: e.expected };
        Self {
            name: request.name,
            description: request.description,
            language: match request.language {
                forge::Language::Rust => Language::Rust,
                forge::Language::Javascript => Language::JavaScript,
            },
            source: request.source,
            dependencies: request.dependencies,
            examples: request.examples.into_iter().map(example).collect(),
            permissions: request.permissions,
        }
    }
}

impl From<Outcome> for forge::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Callable(product) => Self::Callable(product.into()),
            Outcome::Waiting(product) => Self::Waiting(product.into()),
            Outcome::Refused(refusal) => Self::Refused(refusal.into()),
        }
    }
}

impl From<Product> for forge::Product {
    fn from(product: Product) -> Self {
        let timings = product.timings.into_iter();
        Self {
            tool: product.tool,
            version: product.version,
            digest: product.digest,
            timings: timings.map(|t| forge::Timing { stage: t.stage.into(), micros: t.micros }).collect(),
        }
    }
}

impl From<Refusal> for forge::Refusal {
    fn from(refusal: Refusal) -> Self {
        Self {
            stage: refusal.stage.into(),
            reason: refusal.reason.into(),
            diagnostics: refusal.diagnostics.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Stage> for forge::Stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Refuse => Self::Refuse,
            Stage::Build => Self::Build,
            Stage::Inspect => Self::Inspect,
            Stage::Examine => Self::Examine,
            Stage::Sign => Self::Sign,
            Stage::Register => Self::Register,
        }
    }
}

impl From<Diagnostic> for forge::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                Severity::Error => forge::Severity::Error,
                Severity::Warning => forge::Severity::Warning,
                Severity::Note => forge::Severity::Note,
            },
            code: diagnostic.code,
            message: diagnostic.message,
            line: diagnostic.line,
            column: diagnostic.column,
            rendered: diagnostic.rendered,
        }
    }
}

impl From<Problem> for errors::Error {
    fn from(problem: Problem) -> Self {
        let Problem { kind, code, message, next, retry_after_ms } = problem;
        let problem = errors::Problem { code, message, next, retry_after_ms };
        match kind {
            ProblemKind::Denied => Self::Denied(problem),
            ProblemKind::Invalid => Self::Invalid(problem),
            ProblemKind::NotFound => Self::NotFound(problem),
            ProblemKind::Limit => Self::Limit(problem),
            ProblemKind::Unavailable => Self::Unavailable(problem),
            ProblemKind::Failed | ProblemKind::Conflict => Self::Failed(problem),
        }
    }
}

impl From<ForgeError> for errors::Error {
    fn from(error: ForgeError) -> Self {
        error.problem().into()
    }
}
