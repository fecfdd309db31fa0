//! `wasi:http` in work that can be repeated: a response is read whole and written down before the guest sees any of it,
//! so that it comes the same way again.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, Serialize};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use super::http::{RETRY_AFTER, Sending, read_request};
use super::shadow::Shadow;
use crate::runs::{Blob, Journal, Slot};

/// Largest response body, bytes: all of it is kept.
const RESPONSE_SIZE_MAX: usize = 8 * 1024 * 1024;

/// A request as the journal knows it: before secrets are put in.
#[derive(Debug, Serialize)]
struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, Blob)>,
    body: Blob,
}

impl Asked {
    fn of(parts: &http::request::Parts, body: &Bytes) -> Self {
        Self {
            method: parts.method.to_string(),
            url: parts.uri.to_string(),
            headers: named(&parts.headers),
            body: Blob(body.to_vec()),
        }
    }

    /// For people.
    fn shown(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

/// A response as the journal keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Answered {
    status: u16,
    headers: Vec<(String, Blob)>,
    body: Blob,
}

/// Why there is no response, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NoAnswer {
    Refused,
    Terminated,
    ConnectionTimeout,
    ResponseTimeout,
    PrivateAddress,
    Uri,
    RequestSize(Option<u64>),
    ResponseSize(Option<u64>),
    Protocol,
    Other(Option<String>),
}

/// Sends a request, unless the journal knows what came of it.
pub(super) async fn journalled(
    journal: &Arc<Journal>,
    slot: Slot,
    sending: Sending,
    parts: http::request::Parts,
    body: WasiBody,
) -> Result<http::Response<WasiBody>, HttpError> {
    let body = read_request(body).await?;
    let asked = Asked::of(&parts, &body);
    let shown = asked.shown();
    let call = |key| async { answered(sending.with_key(key).send(parts, body).await?).await };
    let call = |key| async { call(key).await.map_err(NoAnswer::from) };
    let answer: Result<Answered, NoAnswer> = journal.ask(slot, "http", &asked, shown, is_passing, call).await;
    response(answer?)
}

/// Checks a request of a shadow run. It is not sent: a journal knows what came of the same one, or nobody.
pub(super) async fn shadowed(
    shadow: &Shadow,
    sending: &Sending,
    mut parts: http::request::Parts,
    body: WasiBody,
) -> Result<http::Response<WasiBody>, HttpError> {
    let asked = Asked::of(&parts, &read_request(body).await?);
    sending.admit(&mut parts)?;
    let answer: Option<Result<Answered, NoAnswer>> = shadow.answer("http", &asked, &asked.shown());
    response(answer.unwrap_or(Err(NoAnswer::Refused))?)
}

async fn answered(response: http::Response<reqwest::Body>) -> Result<Answered, HttpError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, RESPONSE_SIZE_MAX).collect().await;
    let too_large = |e: &(dyn std::error::Error + 'static)| e.is::<http_body_util::LengthLimitError>();
    let body = body.map_err(|error| match too_large(error.as_ref()) {
        true => HttpError::HttpResponseBodySize(Some(RESPONSE_SIZE_MAX as u64)),
        false => HttpError::ConnectionTerminated,
    })?;
    Ok(Answered { status: parts.status.as_u16(), headers: named(&parts.headers), body: Blob(body.to_bytes().to_vec()) })
}

fn response(answer: Answered) -> Result<http::Response<WasiBody>, HttpError> {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value.0.as_slice());
    }
    let body = Full::new(Bytes::from(answer.body.0)).map_err(|never| match never {}).boxed_unsync();
    response.body(body).map_err(|_| HttpError::HttpProtocolError)
}

fn named(headers: &http::HeaderMap) -> Vec<(String, Blob)> {
    headers.iter().map(|(name, value)| (name.to_string(), Blob(value.as_bytes().to_vec()))).collect()
}

/// The network may be back later, a server in a better state, and a limit by the minute gone.
fn is_passing(answer: &Result<Answered, NoAnswer>) -> bool {
    match answer {
        Ok(answer) => answer.status == 429 || answer.status >= 500,
        Err(NoAnswer::Other(Some(said))) => said.contains(RETRY_AFTER),
        Err(refused) => matches!(
            refused,
            NoAnswer::Refused | NoAnswer::Terminated | NoAnswer::ConnectionTimeout | NoAnswer::ResponseTimeout
        ),
    }
}

impl From<HttpError> for NoAnswer {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::ConnectionRefused => Self::Refused,
            HttpError::ConnectionTerminated => Self::Terminated,
            HttpError::ConnectionTimeout => Self::ConnectionTimeout,
            HttpError::HttpResponseTimeout => Self::ResponseTimeout,
            HttpError::DestinationIpProhibited => Self::PrivateAddress,
            HttpError::HttpRequestUriInvalid => Self::Uri,
            HttpError::HttpRequestBodySize(size) => Self::RequestSize(size),
            HttpError::HttpResponseBodySize(size) => Self::ResponseSize(size),
            HttpError::HttpProtocolError => Self::Protocol,
            HttpError::InternalError(text) => Self::Other(text),
            other => Self::Other(Some(other.to_string())),
        }
    }
}

impl From<NoAnswer> for HttpError {
    fn from(refused: NoAnswer) -> Self {
        match refused {
            NoAnswer::Refused => Self::ConnectionRefused,
            NoAnswer::Terminated => Self::ConnectionTerminated,
            NoAnswer::ConnectionTimeout => Self::ConnectionTimeout,
            NoAnswer::ResponseTimeout => Self::HttpResponseTimeout,
            NoAnswer::PrivateAddress => Self::DestinationIpProhibited,
            NoAnswer::Uri => Self::HttpRequestUriInvalid,
            NoAnswer::RequestSize(size) => Self::HttpRequestBodySize(size),
            NoAnswer::ResponseSize(size) => Self::HttpResponseBodySize(size),
            NoAnswer::Protocol => Self::HttpProtocolError,
            NoAnswer::Other(text) => Self::InternalError(text),
        }
    }
}
