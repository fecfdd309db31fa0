//! How a registry wants to know who asks: by a name and a password with each request, or by a token that another server
//! gives for them.

use reqwest::Url;
use serde::Deserialize;

use super::location::is_loopback;

/// What a registry asks for with its answer 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token from the server at this address.
    Bearer(Url),
}

/// A token server's answer.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

/// Reads the header `WWW-Authenticate`.
///
/// # Errors
/// With words for a person: nothing that can be answered, or a token server that would see the password unencrypted.
pub fn challenge(header: &str) -> Result<Challenge, String> {
    let challenges = http_auth::parse_challenges(header).map_err(|_| "it does not say how to log in".to_owned())?;
    let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme));
    if let Some(bearer) = of("Bearer") {
        let param = |name: &str| {
            let mut params = bearer.params.iter();
            params.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_unescaped())
        };
        let realm = param("realm").ok_or("its token server has no address")?;
        let mut url = Url::parse(&realm).map_err(|error| format!("the address of its token server: {error}"))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err("its token server would be asked without encryption".into());
        }
        for name in ["service", "scope"] {
            if let Some(value) = param(name) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        return Ok(Challenge::Bearer(url));
    }
    if of("Basic").is_some() { Ok(Challenge::Basic) } else { Err("it wants a way to log in that isn't known".into()) }
}

/// The token in a token server's answer.
pub fn token(answer: &[u8]) -> Option<String> {
    let answer: Token = serde_json::from_slice(answer).ok()?;
    let token = answer.token.or(answer.access_token)?;
    (!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_server_is_asked_for_what_the_registry_says() {
        let header = r#"Bearer realm="https://auth.example.com/token?x=1",service="registry.example.com",scope="repository:a/b:pull,push""#;
        let Ok(Challenge::Bearer(url)) = challenge(header) else { panic!("{:?}", challenge(header)) };
        assert_eq!(
            url.as_str(),
            "https://auth.example.com/token?x=1&service=registry.example.com&scope=repository%3Aa%2Fb%3Apull%2Cpush"
        );
        assert_eq!(challenge("Basic realm=\"x\""), Ok(Challenge::Basic));
        assert_eq!(challenge("basic realm=\"x\""), Ok(Challenge::Basic));
    }

    #[test]
    fn a_password_goes_to_no_token_server_without_encryption() {
        for realm in ["http://auth.example.com/token", "ftp://auth.example.com/", "file:///etc/passwd", "nonsense", ""]
        {
            assert!(challenge(&format!("Bearer realm=\"{realm}\"")).is_err(), "{realm}");
        }
        assert!(challenge("Bearer realm=\"http://127.0.0.1:5001/token\"").is_ok());
        for header in ["Negotiate", "", "Bearer", "Bearer service=\"x\"", "\"", "Digest realm=\"x\""] {
            assert!(challenge(header).is_err(), "{header}");
        }
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(token(br#"{"token":"abc"}"#).as_deref(), Some("abc"));
        assert_eq!(token(br#"{"access_token":"abc"}"#).as_deref(), Some("abc"));
        for answer in [&b""[..], b"{}", br#"{"token":""}"#, br#"{"token":"a\r\nb"}"#, br#"{"token":7}"#] {
            assert_eq!(token(answer), None);
        }
    }
}
