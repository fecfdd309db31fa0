//! Asking over HTTP, with an end to all of it: bytes, time, redirects.

use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use super::error::RegistryError;
use super::location::is_loopback;

/// How long a connection may take, a pause within an answer, and all of an answer.
const CONNECT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(600);
/// Most redirects of one request: registries send to where they keep their blobs.
const REDIRECTS_MAX: usize = 5;

/// Asks over HTTP.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    /// For what is at a URL: encrypted, or this machine's own, or `plain_http` where somebody has said so.
    ///
    /// # Errors
    /// [`RegistryError::PlainHttp`]; where the system's certificates can't be read.
    pub fn new(base: &Url, plain_http: bool) -> Result<Self, RegistryError> {
        let is_own = is_loopback(base);
        if base.scheme() != "https" && !is_own && !plain_http {
            return Err(RegistryError::PlainHttp(base.to_string()));
        }
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(PAUSE)
            .timeout(WHOLE)
            .user_agent(concat!("wasmill/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(redirect));
        // A proxy reaches its own loopback, not this machine's.
        let builder = if is_own { builder.no_proxy() } else { builder };
        let client = builder
            .build()
            .map_err(|error| RegistryError::Unreachable { place: base.to_string(), reason: error.to_string() })?;
        Ok(Self { client })
    }

    /// What requests are made with.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Gets all of a file.
    ///
    /// # Errors
    /// [`RegistryError`]: not there, refused, larger than `limit` bytes, nobody answers.
    pub async fn file(&self, url: Url, limit: usize) -> Result<Vec<u8>, RegistryError> {
        let place = url.to_string();
        let response = send(self.client.get(url), &place).await?;
        body(expect(response, &place)?, &place, limit).await
    }
}

fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let (before, next) = (attempt.previous(), attempt.url());
    // What began encrypted stays so; what began on one host in the clear stays there.
    let may = next.scheme() == "https"
        || before.last().is_some_and(|last| last.scheme() == "http" && last.host_str() == next.host_str());
    if before.len() > REDIRECTS_MAX {
        attempt.error("too many redirects")
    } else if !may {
        attempt.error("it leads to where nothing is encrypted")
    } else {
        attempt.follow()
    }
}

/// Sends a request.
///
/// # Errors
/// [`RegistryError::Unreachable`].
pub async fn send(request: RequestBuilder, place: &str) -> Result<Response, RegistryError> {
    request.send().await.map_err(|error| unreachable(place, error))
}

/// An answer that brings something, or the error that its status stands for.
///
/// # Errors
/// [`RegistryError`]: not there, refused, nobody answers, nonsense.
pub fn expect(response: Response, place: &str) -> Result<Response, RegistryError> {
    let (place, status) = (place.to_owned(), response.status());
    let reason = status.to_string();
    match status {
        status if status.is_success() => Ok(response),
        StatusCode::NOT_FOUND => Err(RegistryError::NotFound(place)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(RegistryError::Refused { place, reason }),
        StatusCode::TOO_MANY_REQUESTS => Err(RegistryError::Unreachable { place, reason }),
        status if status.is_server_error() => Err(RegistryError::Unreachable { place, reason }),
        _ => Err(RegistryError::Answer { place, reason }),
    }
}

/// Reads an answer's body of at most `limit` bytes. Never holds more than that and one chunk, whatever the answer's head
/// claims.
///
/// # Errors
/// [`RegistryError::TooLarge`]; [`RegistryError::Unreachable`] where it ends early.
pub async fn body(mut response: Response, place: &str, limit: usize) -> Result<Vec<u8>, RegistryError> {
    let too_large = || RegistryError::TooLarge { place: place.to_owned(), limit };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(place, error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn unreachable(place: &str, error: reqwest::Error) -> RegistryError {
    // The address is said already, and reqwest's own words are only the outermost.
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    RegistryError::Unreachable { place: place.to_owned(), reason }
}
