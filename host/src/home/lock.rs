//! `wasmill.lock` of a home, and installing by it.

use std::fs::File;
use std::path::Path;

use semver::Version;
use wasmill_registry::{Digest, Image, Installed, LayoutError, Leave, LockFile, Pin, Registry, Verified};

use super::error::HomeError;
use super::files;
use crate::problem::Problem;

/// Reads a lock file. No file: nothing was installed yet.
///
/// # Errors
/// [`HomeError::Document`] with file and line: a file that can't be read would let everything in.
pub fn read_lock(path: &Path) -> Result<LockFile, HomeError> {
    if !path.exists() {
        return Ok(LockFile::default());
    }
    let text = files::read_text(path, super::FILE_SIZE_MAX)?;
    LockFile::parse(&text).map_err(|error| HomeError::Document { path: path.to_owned(), error })
}

/// Installs a verified component as the lock file lets it, and writes it down there. One at a time, over all processes.
///
/// # Errors
/// [`wasmill_registry::LockError`]: another digest than once, or older than once; as [`Registry::install`]; input and
/// output.
pub fn install_locked(
    path: &Path,
    registry: &Registry,
    verified: &Verified,
    leave: &Leave,
    source: Option<String>,
) -> Result<Installed, Problem> {
    let _alone = alone(path)?;
    let mut lock = read_lock(path)?;
    let digest = digest_of(registry, verified)?;
    let (name, version) = (verified.manifest().name.clone(), verified.manifest().version.clone());
    let same_name = registry.list()?.into_iter().filter(|entry| entry.name == name);
    let here: Vec<(Version, Digest)> = same_name.map(|entry| (entry.version, entry.oci_manifest)).collect();
    if here.iter().any(|(other, there)| *other == version && *there != digest) {
        // It is in the way, whatever the file says.
        return Err(LayoutError::VersionTaken { name, version }.into());
    }
    lock.admit(&name, &version, digest, &here, leave)?;
    let installed = registry.install(verified)?;
    if lock.note(Pin { name, version, digest, source }) {
        let text = lock.to_text();
        let text = text.map_err(|reason| HomeError::Unreadable { path: path.to_owned(), reason })?;
        files::replace(path, &text)?;
    }
    Ok(installed)
}

fn digest_of(registry: &Registry, verified: &Verified) -> Result<Digest, LayoutError> {
    let damaged = |reason| LayoutError::Damaged { path: registry.folder().to_owned(), reason };
    Ok(Image::of(verified).map_err(damaged)?.digest())
}

/// Held while somebody reads a file, decides and writes it. Let go when dropped.
///
/// # Errors
/// [`HomeError::Io`].
pub fn alone(path: &Path) -> Result<File, HomeError> {
    // Beside the file: that one is replaced, and whoever waited would hold what is no more.
    let guard = path.with_extension("lock.held");
    let failed = |error| HomeError::io(&guard, error);
    let file = File::options().create(true).truncate(false).write(true).open(&guard).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}
