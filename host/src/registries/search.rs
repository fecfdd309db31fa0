//! Finding components: by an address, by a name in the registries that host.toml has, and newer ones.

use std::collections::BTreeMap;

use semver::Version;
use wasmill_registry::Reference;

use super::config::RegistryConfig;
use super::credentials::{Credentials, configured, of_docker};
use super::error::RegistryError;
use super::layout::LayoutReader;
use super::location::{At, Layout, Location, Repository};
use super::oci::Oci;
use super::pull::Reader;

/// Most repositories of a registry whose versions one search looks at.
const FOUND_MAX: usize = 200;

/// A version of a component that a place says it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Name, as the place says.
    pub name: String,
    /// Version, as the place says.
    pub version: Version,
    /// Its address.
    pub location: Location,
    /// How it is asked for there.
    pub at: At,
}

/// How places may be asked, and as whom.
#[derive(Debug, Default)]
pub struct Access {
    /// Also without encryption.
    pub plain_http: bool,
    /// The registries of host.toml.
    pub registries: Vec<RegistryConfig>,
    /// The secrets that these name.
    pub secrets: BTreeMap<String, String>,
    /// Docker's `config.json`, where there is one.
    pub docker: Option<Vec<u8>>,
}

impl Access {
    /// A reader of a place.
    ///
    /// # Errors
    /// [`RegistryError::PlainHttp`], [`RegistryError::Refused`] where its credentials can't be read.
    pub fn open(&self, location: &Location) -> Result<Box<dyn Reader>, RegistryError> {
        Ok(match location {
            Location::Oci(repository) => Box::new(self.oci(repository)?),
            Location::Layout(layout) => Box::new(LayoutReader::new(layout.clone(), self.is_plain(location))?),
        })
    }

    /// A repository of a registry.
    ///
    /// # Errors
    /// As [`Access::open`].
    pub fn oci(&self, repository: &Repository) -> Result<Oci, RegistryError> {
        let credentials = self.credentials(&repository.host)?;
        Oci::new(repository.clone(), self.is_plain(&Location::Oci(repository.clone())), credentials)
    }

    fn is_plain(&self, location: &Location) -> bool {
        let of_host = |registry: &RegistryConfig| registry.plain_http && registry.url.host() == location.host();
        self.plain_http || self.registries.iter().any(of_host)
    }

    fn credentials(&self, host: &str) -> Result<Option<Credentials>, RegistryError> {
        let refused = |reason: String| RegistryError::Refused { place: host.to_owned(), reason };
        match configured(host, &self.registries, &self.secrets).map_err(refused)? {
            Some(credentials) => Ok(Some(credentials)),
            None => self.docker.as_deref().map_or(Ok(None), |text| of_docker(host, text)).map_err(refused),
        }
    }
}

/// What an address means now: exactly what it names, or the newest version that is there.
///
/// # Errors
/// As [`newest_of`].
pub async fn choose(reader: &dyn Reader, location: &Location) -> Result<(Location, At), RegistryError> {
    match location {
        Location::Oci(Repository { at, .. }) if *at != At::Newest => Ok((location.clone(), at.clone())),
        _ => newest_of(reader, location).await.map(|offer| (offer.location, offer.at)),
    }
}

/// The newest of the versions that an address may mean: a release, or the newest at all where there is none.
///
/// # Errors
/// [`RegistryError::NotFound`]; [`RegistryError::Location`] where several components are meant.
pub async fn newest_of(reader: &dyn Reader, location: &Location) -> Result<Offer, RegistryError> {
    let wanted = match location {
        Location::Oci(Repository { path, .. }) if path.is_empty() => {
            return Err(ambiguous(location, "it names a registry and no repository"));
        }
        Location::Oci(_) => None,
        Location::Layout(Layout { component, .. }) => component.as_ref(),
    };
    let offers = reader.offers().await?;
    let fits = |offer: &&Offer| wanted.is_none_or(|wanted| is_meant(wanted, offer));
    let mut fitting: Vec<&Offer> = offers.iter().filter(fits).collect();
    fitting.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    let (Some(first), Some(last)) = (fitting.first(), fitting.last()) else {
        return Err(RegistryError::NotFound(location.to_string()));
    };
    if first.name != last.name {
        return Err(ambiguous(location, &format!("it has several components, like {} and {}", first.name, last.name)));
    }
    best(&fitting).cloned().ok_or_else(|| RegistryError::NotFound(location.to_string()))
}

fn ambiguous(location: &Location, reason: &str) -> RegistryError {
    RegistryError::Location { text: location.to_string(), reason: reason.to_owned() }
}

fn is_meant(wanted: &Reference, offer: &Offer) -> bool {
    wanted.name == offer.name && wanted.version.as_ref().is_none_or(|version| *version == offer.version)
}

/// The newest release, or the newest at all where there is none.
fn best<'o>(offers: &[&'o Offer]) -> Option<&'o Offer> {
    let releases = offers.iter().filter(|offer| offer.version.pre.is_empty());
    let newest = releases.max_by(|a, b| a.version.cmp(&b.version));
    newest.or_else(|| offers.iter().max_by(|a, b| a.version.cmp(&b.version))).copied()
}

/// The components of a registry with this text in their names, each with its newest version.
///
/// # Errors
/// [`RegistryError`]: nobody answers, or the registry has no catalog.
pub async fn search(access: &Access, registry: &Location, text: &str) -> Result<Vec<Offer>, RegistryError> {
    let offers = match registry {
        Location::Oci(repository) => {
            let names = access.oci(repository)?.names(text).await?;
            if names.len() > FOUND_MAX {
                let reason =
                    format!("{} names fit, and {FOUND_MAX} are looked at: ask for more of the name", names.len());
                return Err(RegistryError::Answer { place: registry.to_string(), reason });
            }
            let mut offers = Vec::new();
            for name in names {
                match access.open(&registry.component(&name, None))?.offers().await {
                    Ok(found) => offers.extend(found),
                    // A catalog keeps names of repositories that are empty by now.
                    Err(RegistryError::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            offers
        }
        Location::Layout(_) => access.open(registry)?.offers().await?,
    };
    let mut by_name: BTreeMap<&str, Vec<&Offer>> = BTreeMap::new();
    for offer in offers.iter().filter(|offer| offer.name.contains(text)) {
        by_name.entry(&offer.name).or_default().push(offer);
    }
    Ok(by_name.values().filter_map(|offers| best(offers).cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(version: &str) -> Offer {
        let location: Location = "oci://localhost/upper".parse().unwrap();
        Offer { name: "upper".into(), version: version.parse().unwrap(), location, at: At::Newest }
    }

    #[test]
    fn the_newest_is_a_release_where_there_is_one() {
        let newest = |versions: &[&str]| {
            let offers: Vec<Offer> = versions.iter().map(|version| offer(version)).collect();
            best(&offers.iter().collect::<Vec<_>>()).map(|offer| offer.version.to_string())
        };
        assert_eq!(newest(&["1.9.0", "1.10.0", "2.0.0-rc.1"]).as_deref(), Some("1.10.0"));
        assert_eq!(newest(&["1.0.0-a", "1.0.0-b"]).as_deref(), Some("1.0.0-b"));
        assert_eq!(newest(&[]), None);
    }
}
