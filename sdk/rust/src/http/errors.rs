//! The error codes of `wasi:http`, in the words of the contract.

use wasip2::http::types::ErrorCode;

use super::BODY_SIZE_MAX;
use crate::{Error, Problem};

pub(super) fn request(message: impl Into<String>) -> Error {
    Error::invalid("http.request", message)
}

pub(super) fn protocol(message: impl Into<String>) -> Error {
    Error::failed("http.protocol", message)
}

pub(super) fn unavailable(message: impl Into<String>) -> Error {
    Error::unavailable("http.unavailable", message)
}

pub(super) fn body_size() -> Error {
    Error::Limit(Problem::new("http.body", format!("the answer has more than {BODY_SIZE_MAX} bytes")))
}

/// Who is at fault decides the case: the matrix, the request, the network, or the answer.
pub(super) fn from_code(code: &ErrorCode) -> Error {
    let message = format!("{code:?}");
    match code {
        ErrorCode::HttpRequestDenied => Error::Denied(Problem {
            code: "http.denied".to_owned(),
            message: "no row of the permission matrix allows this request".to_owned(),
            next: "Ask an admin for a rule in `http` with this host and method.".to_owned(),
            retry_after_ms: None,
        }),
        ErrorCode::DestinationIpProhibited => Error::Denied(Problem {
            code: "http.private-address".to_owned(),
            message: "the name leads to an address of the host's machine or its network".to_owned(),
            next: "Ask an admin for a rule in `http` with the address itself instead of its name.".to_owned(),
            retry_after_ms: None,
        }),
        // What the host itself says no with has no code of its own in `wasi:http`; it begins with the host's.
        ErrorCode::InternalError(Some(text)) if text.starts_with("permission.") => Error::Denied(host_problem(text)),
        ErrorCode::InternalError(Some(text)) if text.starts_with("limit.") => Error::Limit(host_problem(text)),
        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_) => request(message),
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpResponseTimeout => unavailable(message),
        _ => protocol(message),
    }
}

/// `code: message; next`, and where it is known `; retry-after-ms` with a number.
fn host_problem(text: &str) -> Problem {
    let (text, retry_after_ms) = match text.rsplit_once("; retry-after-ms ") {
        Some((text, ms)) => (text, ms.parse().ok()),
        None => (text, None),
    };
    let (code, rest) = text.split_once(": ").unwrap_or((text, ""));
    let (message, next) = rest.split_once("; ").unwrap_or((rest, ""));
    Problem { code: code.to_owned(), message: message.to_owned(), next: next.to_owned(), retry_after_ms }
}
