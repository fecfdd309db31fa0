//! Installing, listing, getting and removing components.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use semver::Version;
use time::OffsetDateTime;

use super::error::LayoutError;
use super::store::{Lock, Store};
use super::types::{
    ARTIFACT_TYPE, COMPONENT_LAYER, Descriptor, EMPTY_CONFIG, EMPTY_TYPE, ENVELOPE_LAYER, ImageManifest, Index,
    MANIFEST_LAYER, MANIFEST_TYPE, REF_NAME, SCRIPT_LAYER, SOURCE_LAYER,
};
use crate::component::{Bundle, COMPONENT_SIZE_MAX, ENVELOPE_SIZE_MAX, SOURCE_SIZE_MAX, Verified};
use crate::digest::Digest;
use crate::manifest::MANIFEST_SIZE_MAX;
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

        let bundle = verified.bundle();
        let component = match verified.manifest().script {
            None => self.store.write_blob(&bundle.component, COMPONENT_LAYER, Some("component.wasm"))?,
            Some(_) => self.store.write_blob(&bundle.component, SCRIPT_LAYER, Some("tool"))?,
        };
        let mut layers = vec![
            component,
            self.store.write_blob(&bundle.manifest, MANIFEST_LAYER, Some("wasmill.toml"))?,
            self.store.write_blob(&bundle.envelope, ENVELOPE_LAYER, Some("component.dsse.json"))?,
        ];
        if let Some(source) = &bundle.source {
            layers.push(self.store.write_blob(source, SOURCE_LAYER, Some("lib.rs"))?);
        }
        let image = ImageManifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.into(),
            artifact_type: ARTIFACT_TYPE.into(),
            config: self.store.write_blob(EMPTY_CONFIG, EMPTY_TYPE, None)?,
            layers,
            annotations: BTreeMap::from([(super::types::TITLE.into(), format!("{name}:{version}"))]),
        };
        let mut descriptor = self.store.write_json_blob(&image, MANIFEST_TYPE)?;
        descriptor.artifact_type = Some(ARTIFACT_TYPE.into());
        descriptor.annotations.insert(REF_NAME.into(), format!("{name}:{version}"));

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
                self.collect(&index, blobs_of(&descriptor, &image), &lock)?;
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
        let descriptor = index
            .manifests
            .iter()
            .find(|descriptor| entry_of(descriptor).as_ref() == Some(entry))
            .ok_or_else(|| LayoutError::NotFound(format!("{}@{}", entry.name, entry.version)))?;
        let image: ImageManifest = self.store.read_json_blob(descriptor)?;
        let layer = |media_type: &str, limit: usize| {
            let layer = image.layers.iter().find(|layer| layer.media_type == media_type);
            layer.map(|layer| self.store.read_blob(layer, limit)).transpose()
        };
        let needed = |bytes: Option<Vec<u8>>, what: &str| {
            let (path, reason) =
                (self.store.root().to_owned(), format!("{}@{} has no {what}", entry.name, entry.version));
            bytes.ok_or(LayoutError::Damaged { path, reason })
        };
        let component = match layer(COMPONENT_LAYER, COMPONENT_SIZE_MAX)? {
            Some(component) => Some(component),
            None => layer(SCRIPT_LAYER, SOURCE_SIZE_MAX)?,
        };
        Ok(Bundle {
            component: needed(component, "component")?,
            manifest: needed(layer(MANIFEST_LAYER, MANIFEST_SIZE_MAX)?, "manifest")?,
            envelope: needed(layer(ENVELOPE_LAYER, ENVELOPE_SIZE_MAX)?, "signature")?,
            source: layer(SOURCE_LAYER, SOURCE_SIZE_MAX)?,
        })
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
