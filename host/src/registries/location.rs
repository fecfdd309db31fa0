//! Where a component is, as an address that people write.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use semver::Version;
use serde::{Deserialize, Deserializer};
use wasmill_registry::{Digest, Reference};

use super::error::RegistryError;

/// Most characters of an address.
const CHARS_MAX: usize = 1024;
/// Most characters of a repository, and of a tag.
const REPOSITORY_CHARS_MAX: usize = 255;
const TAG_CHARS_MAX: usize = 128;

/// Where components are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In an OCI registry.
    Oci(Repository),
    /// In an OCI image layout that a web server or a folder has.
    Layout(Layout),
}

/// A repository of an OCI registry: `oci://HOST[:PORT]/PATH[:TAG|@sha256:…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The registry: its name, and its port where it has one.
    pub host: String,
    /// The repository; empty: the registry itself, which has many.
    pub path: String,
    /// Which of its contents.
    pub at: At,
}

/// Which content of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// The newest version that is there.
    Newest,
    /// What this tag says now.
    Tag(String),
    /// Exactly this.
    Digest(Digest),
}

/// An OCI image layout: `https://HOST/FOLDER/[#NAME[@VERSION]]`, or the same with `file://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its folder; the path ends with `/`.
    pub base: Url,
    /// Which component; none: the only one that is there.
    pub component: Option<Reference>,
}

impl Location {
    /// True for text that is meant to be an address, right or wrong.
    pub fn looks_like(text: &str) -> bool {
        text.contains("://")
    }

    /// The host that is asked; none for a folder.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Oci(repository) => Some(repository.host.clone()),
            Self::Layout(layout) => layout.base.host_str().map(|host| match layout.base.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }),
        }
    }

    /// One version of a component that is here: of a registry, the repository of this name below the path.
    pub fn component(&self, name: &str, version: Option<&Version>) -> Self {
        match self {
            Self::Oci(Repository { host, path, .. }) => {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                let at = version.map_or(At::Newest, |version| At::Tag(tag_of(version)));
                Self::Oci(Repository { host: host.clone(), path, at })
            }
            Self::Layout(Layout { base, .. }) => {
                let component = Reference { name: name.to_owned(), version: version.cloned() };
                Self::Layout(Layout { base: base.clone(), component: Some(component) })
            }
        }
    }
}

/// The tag of a version. `+` is none of a tag's characters, `_` none of a version's.
pub fn tag_of(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// The version that a tag names; none where it is another word, like `latest`.
pub fn version_of(tag: &str) -> Option<Version> {
    tag.replace('_', "+").parse().ok()
}

/// True where only this machine is behind a URL's host.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

impl FromStr for Location {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let refused = |reason: &str| RegistryError::Location {
            text: text.chars().take(200).filter(|c| !c.is_control()).collect(),
            reason: reason.to_owned(),
        };
        if text.chars().count() > CHARS_MAX || text.chars().any(char::is_control) {
            return Err(refused("it is too long, or not text"));
        }
        match text.strip_prefix("oci://") {
            Some(rest) => repository(rest).map(Self::Oci).map_err(|reason| refused(&reason)),
            None => layout(text).map(Self::Layout).map_err(|reason| refused(&reason)),
        }
    }
}

fn repository(rest: &str) -> Result<Repository, String> {
    let (host, rest) = rest.split_once('/').unwrap_or((rest, ""));
    // Whatever isn't a host alone comes out of it another way than it went in.
    let url = Url::parse(&format!("https://{host}/")).map_err(|error| error.to_string())?;
    let written = url.host_str().map(|name| url.port().map_or(name.to_owned(), |port| format!("{name}:{port}")));
    if written.as_deref() != Some(host) {
        return Err("before the first `/` is a host's name in lower case, with `:PORT` where it matters".into());
    }
    let (path, at) = match rest.split_once('@') {
        Some((path, digest)) => {
            (path, At::Digest(Digest::from_oci(digest).map_err(|error| format!("after `@`, {error}"))?))
        }
        None => match rest.rsplit_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, At::Tag(tag.to_owned())),
            Some(_) => return Err("a tag has 1 to 128 letters, digits, `_`, `.` and `-`".into()),
            None => (rest, At::Newest),
        },
    };
    let path = path.trim_end_matches('/');
    if !path.is_empty() && !is_repository(path) {
        return Err("a repository's parts are lower-case letters and digits, with `.`, `_` or `-` between them".into());
    }
    Ok(Repository { host: host.to_owned(), path: path.to_owned(), at })
}

fn is_tag(tag: &str) -> bool {
    let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first && tag.len() <= TAG_CHARS_MAX && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_repository(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        part.bytes().all(|b| is_plain(b) || b"._-".contains(&b))
            && part.bytes().next().is_some_and(is_plain)
            && part.bytes().last().is_some_and(is_plain)
            && !part.contains("..")
    };
    path.len() <= REPOSITORY_CHARS_MAX && path.split('/').all(is_part)
}

fn layout(text: &str) -> Result<Layout, String> {
    let mut base = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(base.scheme(), "https" | "http" | "file") {
        return Err(format!("`{}` is none of oci, https, http and file", base.scheme()));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err("a name or a password in it would be written down in many places".into());
    }
    if base.query().is_some() {
        return Err("files of a folder can't be asked for with what follows `?`".into());
    }
    let component = base.fragment().map(str::parse).transpose();
    let component = component.map_err(|error: wasmill_registry::NameError| error.to_string())?;
    base.set_fragment(None);
    let folder = base.path().strip_suffix("index.json").unwrap_or(base.path());
    let folder = format!("{}/", folder.trim_end_matches('/'));
    base.set_path(&folder);
    Ok(Layout { base, component })
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci(Repository { host, path, at }) => {
                write!(f, "oci://{host}/{path}")?;
                match at {
                    At::Newest => Ok(()),
                    At::Tag(tag) => write!(f, ":{tag}"),
                    At::Digest(digest) => write!(f, "@{}", digest.to_oci()),
                }
            }
            Self::Layout(Layout { base, component }) => {
                f.write_str(base.as_str())?;
                component.as_ref().map_or(Ok(()), |component| write!(f, "#{component}"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Location {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_reads_what_it_writes() {
        let digest = Digest::of(b"x").to_oci();
        for text in [
            "oci://registry.example.com/plugins/upper:1.0.0",
            "oci://127.0.0.1:5000/upper",
            "oci://[::1]:5000/upper:latest",
            &format!("oci://localhost:5000/a/b/upper@{digest}"),
            "https://example.com/plugins/",
            "https://example.com:8443/plugins/#upper@1.0.0",
            "file:///srv/plugins/#upper",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
        assert_eq!(parse("https://example.com/p/index.json"), parse("https://example.com/p"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "oci://",
            "oci:///upper",
            "oci://user:password@host/upper",
            "oci://host/Upper",
            "oci://host/../upper",
            "oci://host/a//b",
            "oci://host/-upper",
            "oci://host/upper:",
            "oci://host/upper:a/b",
            "oci://host/upper@sha256:00",
            "oci://host?x/upper",
            "oci://host#x/upper",
            "oci://HOST/upper",
            "https://user:password@host/p/",
            "https://host/p/?token=1",
            "https://host/p/#../upper",
            "ftp://host/p/",
            "nothing",
        ] {
            let error = text.parse::<Location>().unwrap_err();
            assert_eq!(error.code(), "registry.location", "{text}");
        }
        assert!(format!("https://host/{}", "a".repeat(1100)).parse::<Location>().is_err());
    }

    #[test]
    fn a_version_is_a_tag_and_back() {
        for text in ["1.0.0", "1.0.0-rc.1", "1.0.0-rc.1+build.7"] {
            let version: Version = text.parse().unwrap();
            assert!(is_tag(&tag_of(&version)));
            assert_eq!(version_of(&tag_of(&version)), Some(version));
        }
        assert_eq!(version_of("latest"), None);
    }

    #[test]
    fn a_component_of_a_registry_is_a_repository_below_it() {
        let version: Version = "1.2.0".parse().unwrap();
        let of = |text: &str| parse(text).component("upper", Some(&version)).to_string();
        assert_eq!(of("oci://localhost:5000"), "oci://localhost:5000/upper:1.2.0");
        assert_eq!(of("oci://localhost:5000/team/tools"), "oci://localhost:5000/team/tools/upper:1.2.0");
        assert_eq!(of("https://example.com/p/"), "https://example.com/p/#upper@1.2.0");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let is = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(
            is("http://127.0.0.1:5000/") && is("http://127.8.9.1/") && is("http://[::1]/") && is("http://localhost/")
        );
        assert!(
            !is("http://localhost.example.com/") && !is("http://10.0.0.1/") && !is("http://127.0.0.1.example.com/")
        );
    }
}
