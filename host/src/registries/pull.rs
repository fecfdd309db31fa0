//! Getting a component, from wherever it is.

use async_trait::async_trait;
use semver::Version;
use wasmill_registry::{Bundle, Digest, LayoutError, Part, Parts, Verified};

use super::error::RegistryError;
use super::location::{At, Layout, Location, version_of};
use super::search::Offer;

/// Gets bytes from one place. Nothing that it gives is believed.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What is there: every version of every component of a layout, every version of a repository.
    async fn offers(&self) -> Result<Vec<Offer>, RegistryError>;

    /// An OCI manifest, of at most [`wasmill_registry::IMAGE_MANIFEST_SIZE_MAX`] bytes.
    async fn manifest(&self, at: &At) -> Result<Vec<u8>, RegistryError>;

    /// A blob, of at most `part.size` bytes.
    async fn blob(&self, part: &Part) -> Result<Vec<u8>, RegistryError>;
}

/// What a component must be, going by where it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its name, where that was asked for.
    pub name: Option<String>,
    /// Its version, where that was asked for.
    pub version: Option<Version>,
}

impl Expected {
    /// What an address promises: a layout names a component, a tag may be a version.
    pub fn of(location: &Location) -> Self {
        match location {
            Location::Oci(repository) => match &repository.at {
                At::Tag(tag) => Self { name: None, version: version_of(tag) },
                At::Newest | At::Digest(_) => Self::default(),
            },
            Location::Layout(Layout { component, .. }) => Self {
                name: component.as_ref().map(|component| component.name.clone()),
                version: component.as_ref().and_then(|component| component.version.clone()),
            },
        }
    }

    /// Checks what was got, by its signed manifest: a label can be stuck on anything.
    ///
    /// # Errors
    /// [`LayoutError::Mislabelled`].
    pub fn check(&self, verified: &Verified) -> Result<(), LayoutError> {
        let manifest = verified.manifest();
        let name = self.name.as_ref().unwrap_or(&manifest.name);
        let version = self.version.as_ref().unwrap_or(&manifest.version);
        if *name == manifest.name && *version == manifest.version {
            return Ok(());
        }
        let (expected, found) = (format!("{name}@{version}"), format!("{}@{}", manifest.name, manifest.version));
        Err(LayoutError::Mislabelled { expected, found })
    }
}

/// Gets the files of a component. Each has the digest that the OCI manifest names, and that has the one that was asked for;
/// who signed them is not looked at.
///
/// # Errors
/// [`RegistryError`]: not there, too large, other bytes than its digest says, nobody answers.
pub async fn pull(reader: &dyn Reader, place: &Location, at: &At) -> Result<Bundle, RegistryError> {
    let manifest = reader.manifest(at).await?;
    let place = place.to_string();
    if let At::Digest(expected) = at {
        check(&place, *expected, &manifest)?;
    }
    let parts = Parts::parse(&manifest).map_err(|reason| RegistryError::Answer { place: place.clone(), reason })?;
    let get = async |part: Part| {
        let bytes = reader.blob(&part).await?;
        check(&place, part.digest, &bytes)?;
        Ok::<_, RegistryError>(bytes)
    };
    // What is small first: most of what is wrong is found before the large one.
    let (manifest, envelope) = (get(parts.manifest).await?, get(parts.envelope).await?);
    let source = match parts.source {
        Some(part) => Some(get(part).await?),
        None => None,
    };
    Ok(Bundle { component: get(parts.component).await?, manifest, envelope, source })
}

fn check(place: &str, expected: Digest, bytes: &[u8]) -> Result<(), RegistryError> {
    match Digest::of(bytes) {
        found if found == expected => Ok(()),
        found => Err(RegistryError::Changed { place: place.to_owned(), expected, found }),
    }
}
