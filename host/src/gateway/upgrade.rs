//! A connection becomes a WebSocket: its opening handshake (RFC 6455, section 4.2).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use sha1::{Digest as _, Sha1};

use super::details::Refusal;
use crate::problem::Problem;

/// What the answer's key is made with.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The protocol that is spoken; a client that names any names this one.
const PROTOCOL: &str = "wasmill";
/// A client that can't set headers, as a page in a browser, names its token behind this as a second protocol.
const BEARER: &str = "wasmill.bearer.";

/// A request to speak WebSocket. What is none is answered with a problem.
pub(super) struct Upgrade {
    accept: String,
    names_protocol: bool,
    upgrade: OnUpgrade,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let refused = |why: &str| {
            let next = "Come with a WebSocket client, or use the route for server-sent events.";
            let message = format!("this is no WebSocket handshake: {why}");
            Refusal::new(StatusCode::BAD_REQUEST, "request.socket", message, next)
        };
        let accept = accepted(&parts.headers).map_err(refused)?;
        let names_protocol = protocols(&parts.headers).any(|protocol| protocol == PROTOCOL);
        let upgrade = parts.extensions.remove().ok_or_else(|| refused("this connection can't change its protocol"))?;
        Ok(Self { accept, names_protocol, upgrade })
    }
}

impl Upgrade {
    /// The answer, and the connection as it will be afterwards.
    pub fn accept(self) -> Result<(Switched, OnUpgrade), Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_str(&self.accept);
        let accept = accept.map_err(|error| Problem::invalid("request.socket", error, ""))?;
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if self.names_protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        }
        Ok((Switched((StatusCode::SWITCHING_PROTOCOLS, headers).into_response()), self.upgrade))
    }
}

/// The answer after which a connection speaks WebSocket.
pub(super) struct Switched(Response);

impl IntoResponse for Switched {
    fn into_response(self) -> Response {
        self.0
    }
}

/// As WebSocket connections are after their handshake.
pub(super) type Connection = hyper_util::rt::TokioIo<Upgraded>;

/// The token that a client names as a protocol.
pub(super) fn offered(headers: &HeaderMap) -> Option<&str> {
    protocols(headers).find_map(|protocol| protocol.strip_prefix(BEARER))
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    words(headers, header::SEC_WEBSOCKET_PROTOCOL)
}

/// The parts of a header that is a list.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// The key of the answer; an error says what is missing.
fn accepted(headers: &HeaderMap) -> Result<String, &'static str> {
    let says = |name, word: &str| words(headers, name).any(|value| value.eq_ignore_ascii_case(word));
    if !says(header::CONNECTION, "upgrade") || !says(header::UPGRADE, "websocket") {
        return Err("`Connection: upgrade` and `Upgrade: websocket` are missing");
    }
    if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("`Sec-WebSocket-Version` is not 13");
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
        Ok(STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize()))
    } else {
        Err("`Sec-WebSocket-Key` is not 16 bytes in base64")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(change: impl FnOnce(&mut HeaderMap)) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        change(&mut headers);
        headers
    }

    #[test]
    fn the_key_is_answered_as_in_the_standards_own_example() {
        assert_eq!(accepted(&headers(|_| {})).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_handshake_is_refused() {
        for (name, value) in [
            (header::CONNECTION, "keep-alive"),
            (header::UPGRADE, "h2c"),
            (header::SEC_WEBSOCKET_VERSION, "8"),
            (header::SEC_WEBSOCKET_KEY, "short"),
            (header::SEC_WEBSOCKET_KEY, "YQ=="),
        ] {
            let changed = headers(|all| drop(all.insert(name.clone(), HeaderValue::from_static(value))));
            assert!(accepted(&changed).is_err(), "{name}: {value}");
            assert!(accepted(&headers(|all| drop(all.remove(&name)))).is_err(), "without {name}");
        }
    }

    #[test]
    fn a_token_can_be_named_as_a_protocol() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value));
            });
            offered(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["wasmill, wasmill.bearer.wasmill_ab"]).as_deref(), Some("wasmill_ab"));
        assert_eq!(of(&["wasmill", "wasmill.bearer.x"]).as_deref(), Some("x"));
        assert_eq!(of(&["wasmill"]), None);
        assert_eq!(of(&[]), None);
    }
}
