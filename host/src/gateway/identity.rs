//! Which client a request on a port is of.

use axum::http::{HeaderMap, header};
use time::OffsetDateTime;

use super::asker::bearer;
use super::tls::Peer;
use super::upgrade::offered;
use crate::home::{Home, HomeError};

/// Who came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// This client.
    Client(String),
    /// Somebody who shows neither a token nor a certificate that names a client.
    Nobody,
    /// Somebody whose token doesn't count, or is another client's than their certificate.
    Unknown,
}

/// The client of a request, by its token and by its connection's certificate.
///
/// # Errors
/// Where tokens can't be read.
pub(crate) fn identify(home: &Home, headers: &HeaderMap, peer: &Peer) -> Result<Identity, HomeError> {
    // A page in a browser can set no header of a WebSocket but its protocols.
    let token = match bearer(headers).or_else(|| offered(headers)) {
        Some(token) => Some(home.tokens()?.client(token, OffsetDateTime::now_utc()).map(str::to_owned)),
        None => None,
    };
    // A browser shows its certificate for whatever page sends a request, and says then where that came from. A token
    // it sends for the page only that has it.
    let certificate = peer.client.clone().filter(|_| !headers.contains_key(header::ORIGIN));
    Ok(agreed(token, certificate))
}

/// What a token's and a certificate's client come to. An outer none: there was no token; an inner one: it does not count.
fn agreed(token: Option<Option<String>>, certificate: Option<String>) -> Identity {
    match (token, certificate) {
        (None, None) => Identity::Nobody,
        (None, Some(client)) | (Some(Some(client)), None) => Identity::Client(client),
        (Some(Some(client)), Some(other)) if client == other => Identity::Client(client),
        (Some(_), _) => Identity::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_a_certificate_must_be_of_one_client() {
        let name = |name: &str| Some(name.to_owned());
        let a = Identity::Client("a".to_owned());
        for (token, certificate, expected) in [
            (None, None, Identity::Nobody),
            (None, name("a"), a.clone()),
            (Some(name("a")), None, a.clone()),
            (Some(name("a")), name("a"), a),
            (Some(name("a")), name("b"), Identity::Unknown),
            (Some(None), None, Identity::Unknown),
            (Some(None), name("a"), Identity::Unknown),
        ] {
            assert_eq!(agreed(token.clone(), certificate.clone()), expected, "{token:?} {certificate:?}");
        }
    }
}
