//! The registry as the forge sees it: which tools it made before, under which version the next one goes, and putting
//! it there.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use semver::Version;
use time::OffsetDateTime;
use wasmill_registry::{Bundle, Claim, Digest, Entry, Reference, Registry, TrustRoots, Verified};

use super::error::ForgeError;
use crate::advisories::{Advisories, Ingredients};

/// A version that the forge made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its version.
    pub version: Version,
    /// Principal that asked for it.
    pub maker: String,
    /// Digest of the request.
    pub request: String,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Component and source, bytes.
    bytes: u64,
}

/// A version of a tool that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// Full name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Component and source, bytes.
    pub bytes: u64,
}

/// The registry with the trust roots. All methods block on the disk.
#[derive(Debug)]
pub struct Shelf {
    registry: Registry,
    trust: PathBuf,
    advisories: PathBuf,
    /// What is said of entries never changes: an entry is named by the digest of everything in it.
    known: Mutex<HashMap<Digest, Earlier>>,
}

impl Shelf {
    /// The registry, and the files with the trust roots and the advisories, which are read each time.
    pub fn new(registry: Registry, trust: PathBuf, advisories: PathBuf) -> Self {
        Self { registry, trust, advisories, known: Mutex::default() }
    }

    /// All versions of a tool whose signature holds, oldest first.
    ///
    /// # Errors
    /// [`ForgeError::Registry`] where the registry or the trust roots can't be read.
    pub fn earlier(&self, tool: &str) -> Result<Vec<Earlier>, ForgeError> {
        let entries = self.registry.list().map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        let trust = self.trust()?;
        let named = entries.into_iter().filter(|entry| entry.name == tool);
        // What doesn't verify can't be called either, so it is as if it wasn't there.
        Ok(named.filter_map(|entry| self.earlier_of(&entry, &trust)).collect())
    }

    /// All versions of all tools of a maker whose signature holds; their names begin with `prefix`.
    ///
    /// # Errors
    /// [`ForgeError::Registry`].
    pub fn alive(&self, maker: &str, prefix: &str) -> Result<Vec<Alive>, ForgeError> {
        let entries = self.registry.list().map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        let trust = self.trust()?;
        let alive = |entry: Entry| {
            let earlier = self.earlier_of(&entry, &trust).filter(|earlier| earlier.maker == maker)?;
            Some(Alive { name: entry.name, version: entry.version.to_string(), bytes: earlier.bytes })
        };
        Ok(entries.into_iter().filter(|entry| entry.name.starts_with(prefix)).filter_map(alive).collect())
    }

    /// The next version of a tool: 0.1.0, then 0.1.1, counting what is there whether or not it verifies.
    ///
    /// # Errors
    /// [`ForgeError::Registry`].
    pub fn next_version(&self, tool: &str) -> Result<Version, ForgeError> {
        let entries = self.registry.list().map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        let newest = entries.into_iter().filter(|entry| entry.name == tool).map(|entry| entry.version).max();
        Ok(newest.map_or(Version::new(0, 1, 0), |v| Version::new(v.major, v.minor, v.patch.saturating_add(1))))
    }

    /// Verifies a bundle as everybody else will, and puts it on the shelf.
    ///
    /// # Errors
    /// [`ForgeError::Untrusted`] where the forge's own key isn't trusted; [`ForgeError::Registry`].
    pub fn put(&self, bundle: Bundle) -> Result<(), ForgeError> {
        let verified: Verified = bundle
            .verify(&self.trust()?, OffsetDateTime::now_utc())
            .map_err(|e| ForgeError::Untrusted { reason: e.to_string(), next: e.next() })?;
        self.registry.install(&verified).map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        Ok(())
    }

    /// Whether a version that the forge made must not run: then the same request makes another one.
    ///
    /// # Errors
    /// [`ForgeError::Registry`].
    pub fn is_quarantined(&self, tool: &str, earlier: &Earlier) -> Result<bool, ForgeError> {
        let advisories =
            Advisories::read(&self.advisories).map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        if advisories.in_force().next().is_none() {
            return Ok(false);
        }
        let reference = Reference { name: tool.to_owned(), version: Some(earlier.version.clone()) };
        let entry = self.registry.find(&reference).map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        let verified = self.registry.load(&entry, &self.trust()?, OffsetDateTime::now_utc());
        let verified = verified.map_err(|e| ForgeError::registry(&e, e.code(), e.next()))?;
        Ok(advisories.against(&Ingredients::of(&verified)).is_some())
    }

    fn trust(&self) -> Result<TrustRoots, ForgeError> {
        let next = "Repair trust.toml, see `wasmill doctor`.".to_owned();
        let text = std::fs::read_to_string(&self.trust).map_err(|e| {
            ForgeError::registry(&format!("{}: {e}", self.trust.display()), "trust.unreadable", next.clone())
        })?;
        TrustRoots::parse(&text).map_err(|e| ForgeError::registry(&format!("trust.toml: {e}"), "trust.invalid", next))
    }

    fn earlier_of(&self, entry: &Entry, trust: &TrustRoots) -> Option<Earlier> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&entry.oci_manifest).cloned();
        if known.is_some() {
            return known;
        }
        let verified = self.registry.load(entry, trust, OffsetDateTime::now_utc()).ok()?;
        let Claim::Forged(provenance) = verified.claim() else { return None };
        let said =
            |key: &str| provenance.build_definition.external_parameters[key].as_str().unwrap_or_default().to_owned();
        let earlier = Earlier {
            version: entry.version.clone(),
            maker: said("maker"),
            request: said("request"),
            digest: verified.digest(),
            bytes: weight(verified.component(), verified.bundle().source.as_deref()),
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.oci_manifest, earlier.clone());
        Some(earlier)
    }
}

/// What a tool takes up: its component, and its source where that is something else. Bytes.
pub fn weight(component: &[u8], source: Option<&[u8]>) -> u64 {
    component.len() as u64 + source.map_or(0, |source| source.len() as u64)
}
