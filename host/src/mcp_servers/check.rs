//! Checks of single fields of a row of `[[mcp.servers]]`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};

use http::{HeaderName, HeaderValue};
use reqwest::Url;

use crate::capabilities::names_secret;

/// What is wrong with a row: the field and the words.
pub(super) type Misfit = (&'static str, String);

pub(super) fn within<T: PartialOrd + std::fmt::Display>(
    field: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Misfit> {
    if value < least || value > most { Err((field, format!("{field} is between {least} and {most}"))) } else { Ok(()) }
}

pub(super) fn checked_url(text: &str, headers: &BTreeMap<String, String>) -> Result<Url, Misfit> {
    let wrong = |message: &str| ("url", format!("`{text}` {message}"));
    // The words may hold what the text does.
    let url = Url::parse(text).map_err(|error| ("url", format!("`url` is not one: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("url", "a password in `url` would be shown: put it into `headers`".to_owned()));
    }
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return Err(wrong("is no URL of http or https"));
    }
    if names_secret(text) {
        return Err(("url", "a secret in `url` would be shown: put it into `headers`".to_owned()));
    }
    if url.scheme() == "http" && !is_loopback(&url) && headers.values().any(|value| names_secret(value)) {
        return Err(wrong("is not encrypted: secrets are sent over https, or to this machine by its address"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn checked_headers(headers: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Misfit> {
    const OWN: [&str; 8] =
        ["accept", "connection", "content-length", "content-type", "host", "last-event-id", "te", "transfer-encoding"];
    for (name, value) in &headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ("headers", format!("`{}` is no name of a header", name.escape_debug())))?;
        if OWN.contains(&name.as_str()) || name.as_str().starts_with("mcp-") {
            return Err(("headers", format!("`{name}` is set by the protocol")));
        }
        if HeaderValue::from_str(value).is_err() {
            return Err(("headers", format!("`{name}` has a value that no header can have")));
        }
    }
    Ok(headers)
}

pub(super) fn checked_paths(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Misfit> {
    for path in &paths {
        if !is_plain(path) || path.parent().is_none() {
            return Err(("paths", format!("`{}` is not an absolute path below `/`", path.display())));
        }
    }
    Ok(paths)
}

pub(super) fn is_plain(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
}

pub(super) fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
