//! Who asks a registry: from `[[registry]]` and secrets.toml, or as `docker login` has left it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::config::RegistryConfig;

/// A name and a password. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who asks.
    pub user: String,
    /// How that is proved.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials of {}", self.user)
    }
}

/// Docker's `config.json`, as far as it says who asks.
#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, DockerAuth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerAuth {
    /// `user:password` in base64.
    auth: String,
    username: String,
    password: String,
}

/// The credentials of a host that a `[[registry]]` names.
///
/// # Errors
/// With words for a person, where the secret that it names isn't there.
pub fn configured(
    host: &str,
    registries: &[RegistryConfig],
    secrets: &BTreeMap<String, String>,
) -> Result<Option<Credentials>, String> {
    let of_host = |registry: &&RegistryConfig| registry.url.host().as_deref() == Some(host);
    for registry in registries.iter().filter(of_host) {
        if let (Some(user), Some(name)) = (&registry.user, &registry.password_secret) {
            let password = secrets.get(name).ok_or_else(|| format!("secrets.toml has no `{name}`"))?;
            return Ok(Some(Credentials { user: user.clone(), password: password.clone() }));
        }
    }
    Ok(None)
}

/// The credentials of a host in the text of docker's `config.json`. What a credential helper keeps is not asked for: that
/// would be a program that the file names.
///
/// # Errors
/// With words for a person, and none of the file's, where the file can't be understood.
pub fn of_docker(host: &str, text: &[u8]) -> Result<Option<Credentials>, String> {
    let config: DockerConfig =
        serde_json::from_slice(text).map_err(|_| "docker's config.json can't be understood".to_owned())?;
    let keys = [host.to_owned(), format!("https://{host}"), format!("http://{host}")];
    let Some(auth) = keys.iter().find_map(|key| config.auths.get(key)) else { return Ok(None) };
    if !auth.username.is_empty() {
        return Ok(Some(Credentials { user: auth.username.clone(), password: auth.password.clone() }));
    }
    if auth.auth.is_empty() {
        return Ok(None);
    }
    let pair = STANDARD.decode(&auth.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
    match pair {
        Some((user, password)) => Ok(Some(Credentials { user: user.to_owned(), password: password.to_owned() })),
        None => Err(format!("docker's config.json has an `auth` for {host} that is not user:password in base64")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pair(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials { user: user.into(), password: password.into() })
    }

    #[test]
    fn what_docker_login_left_is_read_for_its_host_only() {
        let text = format!(
            r#"{{"auths":{{"a.example.com:5000":{{"auth":"{}"}},"https://b.example.com":{{"username":"u","password":"p"}},"c.example.com":{{}}}},"credsStore":"secretservice"}}"#,
            STANDARD.encode("ada:s:ecret")
        );
        let of = |host: &str| of_docker(host, text.as_bytes()).unwrap();
        assert_eq!(of("a.example.com:5000"), pair("ada", "s:ecret"));
        assert_eq!(of("b.example.com"), pair("u", "p"));
        for host in ["a.example.com", "a.example.com:5001", "c.example.com", "example.com"] {
            assert_eq!(of(host), None, "{host}");
        }
    }

    #[test]
    fn an_error_says_nothing_of_what_is_secret() {
        for text in ["s3cret", r#"{"auths":{"h":{"auth":"czNjcmV0"}}}"#, r#"{"auths":{"h":{"auth":["s3cret"]}}}"#] {
            let error = of_docker("h", text.as_bytes()).unwrap_err();
            assert!(!error.contains("s3cret") && !error.contains("czNjcmV0"), "{error}");
        }
        assert_eq!(format!("{:?}", pair("ada", "s3cret").unwrap()), "Credentials of ada");
    }

    #[test]
    fn a_password_is_a_secret_by_its_name() {
        let registry = RegistryConfig {
            name: "mill".into(),
            url: "oci://a.example.com/p".parse().unwrap(),
            plain_http: false,
            user: Some("ada".into()),
            password_secret: Some("MILL".into()),
        };
        let registries = [registry];
        let secrets = BTreeMap::from([("MILL".to_owned(), "p".to_owned())]);
        assert_eq!(configured("a.example.com", &registries, &secrets), Ok(pair("ada", "p")));
        assert_eq!(configured("b.example.com", &registries, &secrets), Ok(None));
        assert!(configured("a.example.com", &registries, &BTreeMap::new()).unwrap_err().contains("MILL"));
    }
}
