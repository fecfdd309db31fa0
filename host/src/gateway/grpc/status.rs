//! Problems over gRPC: a status with `google.rpc.ErrorInfo`, whose reason is the problem's code and whose metadata has
//! `next`, and `google.rpc.RetryInfo` where it is known when the same may succeed.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::StatusCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::gateway::details::Refusal;
use crate::problem::{Problem, ProblemKind};

/// Whose codes these are.
const DOMAIN: &str = "wasmill";

/// The status of a refusal.
pub(super) fn of_refusal(refusal: &Refusal) -> Status {
    // Who it is is not known then.
    let code = (refusal.status() == StatusCode::UNAUTHORIZED).then_some(Code::Unauthenticated);
    with_details(code, refusal.problem())
}

/// The status of a problem.
pub(super) fn of(problem: &Problem) -> Status {
    with_details(None, problem)
}

fn with_details(code: Option<Code>, problem: &Problem) -> Status {
    let next = HashMap::from([("next".to_owned(), problem.next.clone())]);
    let mut details = ErrorDetails::with_error_info(&problem.code, DOMAIN, next);
    if let Some(after) = problem.retry_after_ms {
        details.set_retry_info(Some(Duration::from_millis(after)));
    }
    Status::with_error_details(code.unwrap_or_else(|| code_of(problem.kind)), problem.message.clone(), details)
}

fn code_of(kind: ProblemKind) -> Code {
    match kind {
        ProblemKind::Denied => Code::PermissionDenied,
        ProblemKind::Invalid => Code::InvalidArgument,
        ProblemKind::NotFound => Code::NotFound,
        ProblemKind::Conflict => Code::FailedPrecondition,
        ProblemKind::Limit => Code::ResourceExhausted,
        ProblemKind::Unavailable => Code::Unavailable,
        ProblemKind::Failed => Code::Internal,
    }
}
