//! Asking a registry as whoever it wants to know of.

use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::sync::Mutex;

use super::auth::{Challenge, challenge, token};
use super::credentials::Credentials;
use super::error::RegistryError;
use super::fetch::{Http, body, expect, send};

/// Largest answer of a token server, in bytes.
const TOKEN_SIZE_MAX: usize = 64 * 1024;

/// Requests to one registry, and who makes them.
pub(super) struct Session {
    http: Http,
    credentials: Option<Credentials>,
    granted: Mutex<Option<Granted>>,
}

/// What a request carries once the registry has asked who it is of.
#[derive(Clone)]
enum Granted {
    Basic(Credentials),
    Token(String),
}

impl Granted {
    fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Basic(Credentials { user, password }) => request.basic_auth(user, Some(password)),
            Self::Token(token) => request.bearer_auth(token),
        }
    }
}

impl Session {
    /// Nobody has asked yet who it is.
    pub fn new(http: Http, credentials: Option<Credentials>) -> Self {
        Self { http, credentials, granted: Mutex::new(None) }
    }

    /// What requests are made with.
    pub fn client(&self) -> &reqwest::Client {
        self.http.client()
    }

    /// Sends a request; once more with what the registry asks for.
    ///
    /// # Errors
    /// [`RegistryError::Refused`]; [`RegistryError::Unreachable`].
    pub async fn ask(&self, request: RequestBuilder, place: &str) -> Result<Response, RegistryError> {
        let again = request.try_clone();
        let granted = self.granted.lock().await.clone();
        let request = granted.iter().fold(request, |request, granted| granted.on(request));
        let response = send(request, place).await?;
        let Some(again) = again.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        let header = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let granted = self.grant(header.unwrap_or_default(), place).await?;
        *self.granted.lock().await = Some(granted.clone());
        send(granted.on(again), place).await
    }

    async fn grant(&self, header: &str, place: &str) -> Result<Granted, RegistryError> {
        let refused = |reason: &str| RegistryError::Refused { place: place.to_owned(), reason: reason.to_owned() };
        match challenge(header).map_err(|reason| refused(&reason))? {
            Challenge::Basic => {
                let credentials = self.credentials.clone().map(Granted::Basic);
                credentials.ok_or_else(|| refused("it wants a user and a password, and none is known for it here"))
            }
            Challenge::Bearer(url) => {
                let server = url.host_str().unwrap_or_default().to_owned();
                let http = Http::new(&url, false)?;
                let request = http.client().get(url);
                // A public repository gives tokens to whoever asks.
                let request = match &self.credentials {
                    Some(Credentials { user, password }) => request.basic_auth(user, Some(password)),
                    None => request,
                };
                let answer = expect(send(request, &server).await?, &server)?;
                let answer = body(answer, &server, TOKEN_SIZE_MAX).await?;
                token(&answer).map(Granted::Token).ok_or_else(|| refused("its token server gave no token"))
            }
        }
    }

    #[cfg(test)]
    pub fn knows_credentials(&self) -> bool {
        self.credentials.is_some()
    }
}
