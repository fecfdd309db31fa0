//! Installing, listing, getting and removing components.

use std::collections::BTreeSet;
use std::path::Path;

use semver::Version;
use time::OffsetDateTime;

use super::error::LayoutError;
use super::image::{IMAGE_MANIFEST_SIZE_MAX, Image, Part, Parts};
use super::store::{Lock, Store, parse_index};
use super::types::{ARTIFACT_TYPE, Descriptor, ImageManifest, Index, REF_NAME};
use crate::component::{Bundle, Verified};
use crate::digest::Digest;
use crate::names::{Reference, check_component_name};
use crate::signature::SignatureError;
use crate::trust::TrustRoots;

/// A registry on disk. Cheap to clone; several processes may use one at the same time. All methods block on the disk.
#[derive(Debug, Clone)]
pub struct Registry {
    store: Store,
}

/// One component as the index names it. Not verified: an index can be written by anybody who can write the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Version,
    /// Digest of the OCI manifest: changes with anything in the component's files.
    pub oci_manifest: Digest,
}

/// What an installation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// It is new.
    New,
    /// Exactly this was there already.
    AlreadyThere,
}

impl Registry {
    /// Opens the registry of a folder, and makes one where there is none.
    ///
    /// # Errors
    /// [`LayoutError::Io`].
    pub fn create(folder: &Path) -> Result<Self, LayoutError> {
        let store = Store::at(folder);
        store.create()?;
        Ok(Self { store })
    }

    /// Opens the registry of a folder.
    ///
    /// # Errors
    /// [`LayoutError::Missing`] where there is none.
    pub fn open(folder: &Path) -> Result<Self, LayoutError> {
        let store = Store::at(folder);
        if store.exists() { Ok(Self { store }) } else { Err(LayoutError::Missing(folder.to_owned())) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.store.root()
    }

    /// Installs a component. A version is never replaced.
    ///
    /// # Errors
    /// [`LayoutError::VersionTaken`] where the version is there with other content; damage; input and output.
    pub fn install(&self, verified: &Verified) -> Result<Installed, LayoutError> {
        let lock = self.store.lock_alone()?;
        let mut index = self.store.read_index(&lock)?;
        let (name, version) = (&verified.manifest().name, &verified.manifest().version);

        let image = self.image_of(verified)?;
        for blob in image.blobs() {
            self.store.write_blob(blob.digest, blob.bytes)?;
        }
        self.store.write_blob(image.digest(), image.manifest())?;
        let descriptor = image.descriptor().clone();

        let there = index
            .manifests
            .iter()
            .find(|other| entry_of(other).is_some_and(|e| e.name == *name && e.version == *version));
        let outcome = match there {
            Some(other) if other.digest == descriptor.digest => return Ok(Installed::AlreadyThere),
            Some(_) => Err(LayoutError::VersionTaken { name: name.clone(), version: version.clone() }),
            None => Ok(Installed::New),
        };
        match outcome {
            Ok(done) => {
                index.manifests.push(descriptor);
                self.store.write_index(&index, &lock)?;
                Ok(done)
            }
            Err(error) => {
                let written = image.blobs().iter().map(|blob| blob.digest.to_oci());
                self.collect(&index, written.chain([descriptor.digest]).collect(), &lock)?;
                Err(error)
            }
        }
    }

    /// All components that the index names, sorted by name, then version. Entries of other kinds are left out.
    ///
    /// # Errors
    /// Damage; input and output.
    pub fn list(&self) -> Result<Vec<Entry>, LayoutError> {
        let index = self.store.read_index(&self.store.lock_shared()?)?;
        let mut entries: Vec<Entry> = index.manifests.iter().filter_map(entry_of).collect();
        entries.sort();
        Ok(entries)
    }

    /// Finds what a reference means: the version that it names, or the newest.
    ///
    /// # Errors
    /// [`LayoutError::NotFound`]; damage; input and output.
    pub fn find(&self, reference: &Reference) -> Result<Entry, LayoutError> {
        let fits = |entry: &Entry| {
            entry.name == reference.name && reference.version.as_ref().is_none_or(|version| entry.version == *version)
        };
        let newest = self.list()?.into_iter().rfind(fits);
        newest.ok_or_else(|| LayoutError::NotFound(reference.to_string()))
    }

    /// Reads the files of one component. Their digests are checked against the index; who signed them is not.
    ///
    /// # Errors
    /// [`LayoutError::NotFound`]; [`LayoutError::Changed`] where a file has other bytes than it should; damage.
    pub fn get(&self, entry: &Entry) -> Result<Bundle, LayoutError> {
        let lock = self.store.lock_shared()?;
        let index = self.store.read_index(&lock)?;
        if !index.manifests.iter().any(|descriptor| entry_of(descriptor).as_ref() == Some(entry)) {
            return Err(LayoutError::NotFound(format!("{}@{}", entry.name, entry.version)));
        }
        let image = self.store.read_blob(entry.oci_manifest, IMAGE_MANIFEST_SIZE_MAX)?;
        let parts = Parts::parse(&image).map_err(|reason| {
            let reason = format!("{}@{}: {reason}", entry.name, entry.version);
            LayoutError::Damaged { path: self.store.root().to_owned(), reason }
        })?;
        let read = |part: Part| self.store.read_blob(part.digest, part.max);
        Ok(Bundle {
            component: read(parts.component)?,
            manifest: read(parts.manifest)?,
            envelope: read(parts.envelope)?,
            source: parts.source.map(read).transpose()?,
        })
    }

    /// The image that a component is written as.
    fn image_of<'a>(&self, verified: &'a Verified) -> Result<Image<'a>, LayoutError> {
        let damaged = |reason| LayoutError::Damaged { path: self.store.root().to_owned(), reason };
        Image::of(verified).map_err(damaged)
    }

    /// Reads one component and verifies it with the trust roots of the moment.
    ///
    /// # Errors
    /// As [`Registry::get`] and [`Bundle::verify`]; [`LayoutError::Mislabelled`] where the index calls it by another
    /// name or version than its signed manifest does.
    pub fn load(&self, entry: &Entry, trust: &TrustRoots, now: OffsetDateTime) -> Result<Verified, LoadError> {
        let verified = self.get(entry)?.verify(trust, now)?;
        let manifest = verified.manifest();
        if manifest.name != entry.name || manifest.version != entry.version {
            return Err(LoadError::Layout(LayoutError::Mislabelled {
                expected: format!("{}@{}", entry.name, entry.version),
                found: format!("{}@{}", manifest.name, manifest.version),
            }));
        }
        Ok(verified)
    }

    /// Removes one component and the blobs that nothing else uses.
    ///
    /// # Errors
    /// [`LayoutError::NotFound`]; input and output.
    pub fn remove(&self, entry: &Entry) -> Result<(), LayoutError> {
        let lock = self.store.lock_alone()?;
        let mut index = self.store.read_index(&lock)?;
        let position = index
            .manifests
            .iter()
            .position(|descriptor| entry_of(descriptor).as_ref() == Some(entry))
            .ok_or_else(|| LayoutError::NotFound(format!("{}@{}", entry.name, entry.version)))?;
        let removed = index.manifests.remove(position);
        // The index first: a crash in between leaves blobs too many, never an entry without its blobs.
        self.store.write_index(&index, &lock)?;
        // A damaged component must be removable; then only its own document goes.
        let unused = match self.store.read_json_blob::<ImageManifest>(&removed) {
            Ok(image) => blobs_of(&removed, &image),
            Err(_) => BTreeSet::from([removed.digest]),
        };
        self.collect(&index, unused, &lock)
    }

    /// Removes blobs, but none that another entry of the index uses.
    fn collect(&self, index: &Index, unused: BTreeSet<String>, lock: &Lock) -> Result<(), LayoutError> {
        let mut used = BTreeSet::new();
        for descriptor in &index.manifests {
            used.insert(descriptor.digest.clone());
            match self.store.read_json_blob::<ImageManifest>(descriptor) {
                Ok(image) => used.extend(blobs_of(descriptor, &image)),
                // What an unreadable entry uses cannot be known: keep everything.
                Err(_) => return Ok(()),
            }
        }
        self.store.remove_blobs(&unused, &used, lock)
    }
}

/// Why an installed component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The registry.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The signature.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl LoadError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Layout(error) => error.code(),
            Self::Signature(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Layout(error) => error.next(),
            Self::Signature(error) => error.next(),
        }
    }
}

/// Reads an `index.json` that was got from somewhere: the components that it names, sorted. Entries of other kinds are left
/// out.
///
/// # Errors
/// With what is wrong: too large, no index.
pub fn entries_of(index: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = parse_index(index)?.manifests.iter().filter_map(entry_of).collect();
    entries.sort();
    Ok(entries)
}

/// The component that a descriptor names; none for what is not one of ours.
fn entry_of(descriptor: &Descriptor) -> Option<Entry> {
    if descriptor.artifact_type.as_deref() != Some(ARTIFACT_TYPE) {
        return None;
    }
    let (name, version) = descriptor.annotations.get(REF_NAME)?.rsplit_once(':')?;
    check_component_name(name).ok()?;
    let oci_manifest = Digest::from_oci(&descriptor.digest).ok()?;
    Some(Entry { name: name.to_owned(), version: version.parse().ok()?, oci_manifest })
}

fn blobs_of(descriptor: &Descriptor, image: &ImageManifest) -> BTreeSet<String> {
    let layers = image.layers.iter().map(|layer| layer.digest.clone());
    layers.chain([descriptor.digest.clone(), image.config.digest.clone()]).collect()
}
