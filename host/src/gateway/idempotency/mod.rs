//! `Idempotency-Key`: what a client asks for twice with the same key is done once, and answered twice.
//!
//! The work goes on when its client has left, so that the one who comes back finds the answer.

mod keys;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use self::keys::{Answer, Fingerprint, Keys, Ticket};
use super::asker::Asker;
use super::details::Refusal;
use super::extract::too_slow;
use super::slow::SlowBody;
use crate::telemetry::Work;

/// The header that brings a key.
const HEADER: &str = "idempotency-key";
/// Longest key, bytes.
pub(super) const KEY_BYTES_MAX: usize = 255;
/// Says that an answer was given before.
const AGAIN: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Largest request that can have a key, bytes: as large as records come.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Largest answer that is kept, bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Keys that clients have used at one door.
#[derive(Clone, Default)]
pub(super) struct Once(Arc<Mutex<Keys>>);

impl Once {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what a POST with a key asks for, or answers as before.
pub(super) async fn once(State(once): State<Once>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    with_key(once, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn with_key(once: Once, request: Request, next: Next) -> Result<Response, Refusal> {
    let key = key_of(request.headers())?;
    let client = request.extensions().get::<Asker>().map(|asker| asker.0.clone()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        if SlowBody::is_behind(&error) {
            return too_slow();
        }
        let next = format!("A request with this header has at most {BODY_BYTES_MAX} bytes; see that it arrives whole.");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request.body", error, next)
    })?;
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let fingerprint = fingerprint(&target, &body);
    let ticket = once.keys().begin(&client, &key, fingerprint, Instant::now());
    match ticket {
        Ticket::Go => {}
        Ticket::Again(answer) => return Ok(again(answer)),
        Ticket::Busy => {
            let next = "Ask again with the same key in a moment: it is answered then.";
            return Err(conflict("request.key-busy", "what came with this key first is still being done", next));
        }
        Ticket::Done => {
            let next = "See what is there now, or use a new key to have it done once more.";
            return Err(conflict("request.key-done", "this was done, and its answer was too large to be kept", next));
        }
        Ticket::Other => {
            let message = "this key came with another request before";
            let next = "Use a new key for each thing that shall be done once.";
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "request.key-reused", message, next));
        }
        Ticket::Full => {
            let message = format!("client:{client} has as many keys as a client may");
            let next = "Ask without a key, or when the first of them have been forgotten: a day after they came.";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "request.key-full", message, next));
        }
    }
    let held = Held { once, client, key };
    let trace = Work::current();
    let work = tokio::spawn(trace.scope(async move {
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        held.keep(answer).await
    }));
    work.await
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "host.failed", error, "See the host's log."))
}

fn conflict(code: &str, message: &str, next: &str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, code, message, next)
}

fn key_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut keys = headers.get_all(HEADER).iter();
    let key = keys.next().and_then(|key| key.to_str().ok()).unwrap_or_default();
    if keys.next().is_some()
        || key.is_empty()
        || key.len() > KEY_BYTES_MAX
        || !key.bytes().all(|b| b.is_ascii_graphic())
    {
        let message = format!("`Idempotency-Key` is one text of 1 to {KEY_BYTES_MAX} visible characters");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "request.key", message, "Use a UUID, for example."));
    }
    Ok(key.to_owned())
}

fn fingerprint(target: &str, body: &[u8]) -> Fingerprint {
    Sha256::new().chain_update(target).chain_update(b"\0").chain_update(body).finalize().into()
}

/// A key whose work is under way. Given back where it ends without an answer to keep.
struct Held {
    once: Once,
    client: String,
    key: String,
}

impl Held {
    /// Keeps an answer, where it says what came of the work.
    async fn keep(self, answer: Response) -> Response {
        let status = answer.status();
        if !settles(status) {
            return answer;
        }
        let (parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else { return status.into_response() };
        let kind = parts.headers.get(header::CONTENT_TYPE).cloned();
        let kept = (body.len() <= ANSWER_BYTES_MAX).then(|| Answer { status, kind, body: body.clone() });
        self.once.keys().finish(&self.client, &self.key, kept);
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.once.keys().give_up(&self.client, &self.key);
    }
}

/// Whether an answer says what came of it, once for all: neither that it can be tried again nor that nobody knows.
fn settles(status: StatusCode) -> bool {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS];
    status.is_success() || (status.is_client_error() && !passing.contains(&status))
}

fn again(answer: Answer) -> Response {
    let Answer { status, kind, body } = answer;
    let mut answer = (status, [(AGAIN, HeaderValue::from_static("true"))], body).into_response();
    if let Some(kind) = kind {
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    answer
}
