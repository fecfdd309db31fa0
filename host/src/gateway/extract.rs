//! Reading requests and answering errors, all in the one shape.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, ProblemKind};

/// A JSON body. What is not one is answered with a problem.
pub(super) struct Body<T>(pub T);

/// Query parameters. What can't be read is answered with a problem.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(of_json(&rejection)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(of_query(&rejection)),
        }
    }
}

fn of_json(rejection: &JsonRejection) -> Problem {
    let kind = ProblemKind::of_status(rejection.status());
    Problem::new(kind, "request.body", rejection.body_text(), "Send what the reference says for this route.")
}

fn of_query(rejection: &QueryRejection) -> Problem {
    Problem::invalid("request.query", rejection.body_text(), "Send what the reference says for this route.")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let Some(ms) = self.retry_after_ms else { return (status, Json(self)).into_response() };
        // The header knows whole seconds only: never too early.
        (status, [(RETRY_AFTER, ms.div_ceil(1000).to_string())], Json(self)).into_response()
    }
}

pub(super) async fn no_such_route(uri: Uri) -> Problem {
    let next = "A host of another version may run on this home: compare `wasmill --version`.";
    Problem::new(ProblemKind::NotFound, "request.route", format!("this host has nothing at `{}`", uri.path()), next)
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::invalid("request.method", format!("`{}` does not take {method}", uri.path()), "")
}

/// Runs what blocks (the disk, a key) where blocking is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), "See the host's log."))?
}
