//! Reading requests: what isn't as the document says is answered with a problem that says so.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::details::Refusal;
use super::slow::SlowBody;
use crate::problem::{Problem, ProblemKind};

/// A JSON body.
pub(super) struct Body<T>(pub T);

/// A JSON body with something secret in it: an error says nothing of what it holds.
pub(super) struct Quiet<T>(pub T);

/// Query parameters.
pub(super) struct Params<T>(pub T);

/// Parameters of the path.
pub(super) struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await;
        let bytes = bytes.map_err(|rejection| of_json(&rejection.into()))?;
        match Json::from_request(Request::from_parts(parts, bytes.clone().into()), state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection @ JsonRejection::JsonDataError(_)) => {
                with_whole_numbers(&bytes).map(Self).ok_or_else(|| of_json(&rejection))
            }
            Err(rejection) => Err(of_json(&rejection)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Quiet<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read = Body::from_request(request, state).await;
        read.map(|Body(body)| Self(body)).map_err(|refusal| refusal.saying("the body is not what is taken here"))
    }
}

/// A value out of JSON in which an integer is written like `5.0`, as JSON Schema allows.
fn with_whole_numbers<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let mut value: Value = serde_json::from_slice(json).ok()?;
    make_whole(&mut value);
    serde_json::from_value(value).ok()
}

/// Turns numbers without a fraction into integers, as far as a float is exact.
fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| number.is_f64() && float.abs() <= WHOLE_MAX)
                && let Ok(whole) = format!("{float:.0}").parse::<i64>()
                && float.fract() == 0.0
            {
                *number = whole.into();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(make_whole),
        Value::Object(object) => object.values_mut().for_each(make_whole),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        without_nul(parts.uri.query().unwrap_or_default(), "request.query")?;
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(of_query(&rejection)),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        without_nul(parts.uri.path(), "request.path")?;
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(params)) => Ok(Self(params)),
            Err(rejection) => Err(of_path(&rejection)),
        }
    }
}

/// No name has a NUL in it, and databases don't take one.
fn without_nul(encoded: &str, code: &str) -> Result<(), Refusal> {
    if encoded.contains("%00") {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, code, "there is a NUL in it", "Leave it out."));
    }
    Ok(())
}

/// Largest float up to which all integers are exact, 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Where to read what is taken.
const REFERENCE: &str = "Send what GET /v1/openapi.json says of this route.";

fn of_json(rejection: &JsonRejection) -> Refusal {
    if SlowBody::is_behind(rejection) {
        return too_slow();
    }
    let status = match rejection {
        // That JSON is no such value is no other mistake than that it is no JSON.
        JsonRejection::JsonDataError(_) => StatusCode::BAD_REQUEST,
        other => other.status(),
    };
    Refusal::new(status, "request.body", rejection.body_text(), REFERENCE)
}

pub(super) fn too_slow() -> Refusal {
    let next = "Send it again, over a connection that is faster.";
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "request.slow", SlowBody, next)
}

fn of_query(rejection: &QueryRejection) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "request.query", rejection.body_text(), REFERENCE)
}

fn of_path(rejection: &PathRejection) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "request.path", rejection.body_text(), REFERENCE)
}

pub(crate) async fn no_such_route(uri: Uri) -> Refusal {
    let next = "GET /v1/openapi.json says what there is. A host of another version may run here: `wasmill --version`.";
    let message = format!("this host has nothing at `{}`", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, "request.route", message, next)
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    let next = "The header `Allow` says what it takes.";
    let message = format!("`{}` does not take {method}", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "request.method", message, next)
}

/// Runs what blocks (the disk, a key) where blocking is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), "See the host's log."))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_may_be_written_as_a_float_and_a_fraction_is_none() {
        assert_eq!(with_whole_numbers::<Vec<u32>>(b"[5.0, 6, 1e3]"), Some(vec![5, 6, 1000]));
        assert_eq!(with_whole_numbers::<Vec<i64>>(b"[-9007199254740992.0]"), Some(vec![-9_007_199_254_740_992]));
        for wrong in ["[5.5]", "[-1.0]", "[4294967296.0]", "[1e300]"] {
            assert_eq!(with_whole_numbers::<Vec<u32>>(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
