//! Compiled code, kept on disk by the component's digest.
//!
//! A compiled file is machine code: whoever can write it owns the host. So the directory is the host's own (mode 0700),
//! files are written beside and renamed, and a directory that others may write to is refused.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::engine::Engine;
use super::error::RuntimeError;
use super::imports::Imports;

/// A component that was validated and compiled.
#[derive(Clone)]
pub struct Compiled {
    /// Machine code.
    pub component: Component,
    /// What it needs and offers.
    pub imports: Arc<Imports>,
    /// SHA-256 of the component's bytes, hexadecimal.
    pub digest: String,
}

/// Where compiled code is kept.
pub struct CompileCache {
    engine: Engine,
    dir: PathBuf,
    /// Part of each file's name, so that another engine version or setting never reads it.
    compatibility: String,
}

impl CompileCache {
    /// Opens the cache in `dir`, and makes it where it doesn't exist.
    ///
    /// # Errors
    /// [`RuntimeError::Cache`] where it can't be made, belongs to somebody else, or others may write to it.
    pub fn open(engine: Engine, dir: &Path) -> Result<Self, RuntimeError> {
        let failed = |reason: String| RuntimeError::Cache { path: dir.display().to_string(), reason };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| failed(e.to_string()))?;
        let metadata = fs::metadata(dir).map_err(|e| failed(e.to_string()))?;
        if metadata.uid() != nix::unistd::geteuid().as_raw() {
            return Err(failed("it belongs to another user; remove it, the host makes its own".into()));
        }
        if metadata.permissions().mode() & 0o022 != 0 {
            return Err(failed("others may write to it; run `chmod 700` on it or remove it".into()));
        }
        let compatibility = compatibility(&engine);
        Ok(Self { engine, dir: dir.to_owned(), compatibility })
    }

    /// Compiles a component, or reads what was compiled before. Blocks: some 25 ms for 70 KB of code, half a second
    /// for 1.6 MB; 0.1 ms from the cache.
    ///
    /// # Errors
    /// [`RuntimeError::NotAComponent`] or [`RuntimeError::Compile`]; a cache that can't be written is only logged.
    pub fn compile(&self, bytes: &[u8]) -> Result<Compiled, RuntimeError> {
        let imports = Arc::new(Imports::of(bytes)?);
        let digest = hex::encode(Sha256::digest(bytes));
        let path = self.dir.join(format!("{digest}-{}.cwasm", self.compatibility));
        if let Some(component) = self.read(&path) {
            return Ok(Compiled { component, imports, digest });
        }
        let component =
            Component::from_binary(self.engine.inner(), bytes).map_err(|e| RuntimeError::Compile(format!("{e:#}")))?;
        if let Err(error) = self.write(&path, &component) {
            tracing::warn!(path = %path.display(), %error, "compiled code is not cached");
        }
        Ok(Compiled { component, imports, digest })
    }

    fn read(&self, path: &Path) -> Option<Component> {
        if !path.exists() {
            return None;
        }
        // SAFETY: the file was written by this program into a directory that only its own user may write to, which
        // `open` has checked; wasmtime itself refuses files of other versions and settings.
        let read = unsafe { Component::deserialize_file(self.engine.inner(), path) };
        match read {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is unusable and is made again");
                None
            }
        }
    }

    fn write(&self, path: &Path, component: &Component) -> anyhow::Result<()> {
        let code = component.serialize()?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        std::io::Write::write_all(&mut file, &code)?;
        file.persist(path)?;
        Ok(())
    }
}

fn compatibility(engine: &Engine) -> String {
    use std::hash::{Hash, Hasher};
    // Only names a file; wasmtime checks compatibility itself when it reads one.
    let mut hasher = std::hash::DefaultHasher::new();
    engine.inner().precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::EngineConfig;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn engine() -> Engine {
        Engine::new(EngineConfig { instances_max: 4, ..EngineConfig::default() }).unwrap()
    }

    #[test]
    fn the_second_compile_comes_from_disk_and_a_damaged_file_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let cache = CompileCache::open(engine(), &dir.path().join("code")).unwrap();
        let compiled = cache.compile(EMPTY).unwrap();
        let file = fs::read_dir(dir.path().join("code")).unwrap().next().unwrap().unwrap().path();
        assert!(file.file_name().unwrap().to_str().unwrap().starts_with(&compiled.digest));
        assert!(cache.read(&file).is_some());

        fs::write(&file, b"damaged").unwrap();
        assert!(cache.read(&file).is_none());
        cache.compile(EMPTY).unwrap();
        assert!(cache.read(&file).is_some());
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = CompileCache::open(engine(), dir.path()).err().unwrap();
        assert_eq!(error.code(), "cache.failed");
    }
}
