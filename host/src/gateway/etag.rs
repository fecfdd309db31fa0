//! `ETag` and `If-None-Match`: who has an answer already does not get it again.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use wasmill_registry::Digest;

use super::details::Refusal;

/// Tags every JSON answer of a GET by its content, and leaves out one that the client has.
pub(super) async fn tagged(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let known = known(request.headers());
    let answer = next.run(request).await;
    let is_json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if answer.status() != StatusCode::OK || !is_json {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    // Made whole in memory already.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let own = parts.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let tag = own.unwrap_or_else(|| format!("\"{}\"", &Digest::of(&body).to_string()[..32]));
    let has_it = known.iter().any(|one| one == "*" || *one == tag);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if has_it {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// An answer whose tag says something else than its bytes do: what a change of it is compared with.
pub(super) struct Tagged<T> {
    /// The tag, in its quotes.
    pub tag: String,
    /// The answer.
    pub body: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, self.tag)], Json(self.body)).into_response()
    }
}

/// The tag of what a change is to replace. A request without one is refused: it may not have seen what is there.
pub(super) struct IfMatch(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let tag = parts.headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
        tag.map(|tag| Self(tag.to_owned())).ok_or_else(|| {
            let message = "nothing says what this is to replace";
            let next = "Send `If-Match` with the `ETag` of what was seen.";
            Refusal::new(StatusCode::PRECONDITION_REQUIRED, "request.unconditional", message, next)
        })
    }
}

/// The tags that a client has; compared weakly, as for GET they are.
fn known(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    all.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().trim_start_matches("W/").to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_tags_and_weak_ones_are_read() {
        let mut headers = HeaderMap::new();
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"a\", W/\"b\""));
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert_eq!(known(&headers), ["\"a\"", "\"b\"", "*"]);
    }
}
