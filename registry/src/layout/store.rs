//! The files of a layout: blobs by digest, the index, and the lock.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LayoutError;
use super::image::IMAGE_MANIFEST_SIZE_MAX;
use super::types::{Descriptor, Index, LAYOUT_FILE};
use crate::digest::Digest;
use crate::files::{Bounded, read_bounded, write_atomic};

/// Largest index, in bytes: some 30,000 components.
pub const INDEX_SIZE_MAX: usize = 16 * 1024 * 1024;

/// A layout's folder.
#[derive(Debug, Clone)]
pub(super) struct Store {
    root: PathBuf,
}

/// Held while the layout is read (shared) or changed (alone), by all processes. Let go when dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Store {
    /// A store at a folder that may not exist yet.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes folders and an empty index where there are none.
    pub fn create(&self) -> Result<(), LayoutError> {
        let blobs = self.root.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(io_error(&blobs))?;
        let lock = self.lock_alone()?;
        let layout = self.root.join("oci-layout");
        if !layout.exists() {
            write_atomic(&layout, LAYOUT_FILE.as_bytes()).map_err(io_error(&layout))?;
        }
        if !self.index_path().exists() {
            self.write_index(&Index::empty(), &lock)?;
        }
        Ok(())
    }

    pub fn exists(&self) -> bool {
        self.index_path().is_file()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn index_path(&self) -> PathBuf {
        self.root.join("index.json")
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.to_string())
    }

    fn lock_file(&self) -> Result<(File, PathBuf), LayoutError> {
        let path = self.root.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_error(&path))?;
        Ok((file, path))
    }

    pub fn lock_alone(&self) -> Result<Lock, LayoutError> {
        let (file, path) = self.lock_file()?;
        file.lock().map_err(io_error(&path))?;
        Ok(Lock(file))
    }

    /// Readers share, so that no blob goes away between the index and the blob.
    pub fn lock_shared(&self) -> Result<Lock, LayoutError> {
        let (file, path) = self.lock_file()?;
        file.lock_shared().map_err(io_error(&path))?;
        Ok(Lock(file))
    }

    pub fn read_index(&self, _held: &Lock) -> Result<Index, LayoutError> {
        let path = self.index_path();
        let damaged = |reason: String| LayoutError::Damaged { path: path.clone(), reason };
        match read_bounded(&path, INDEX_SIZE_MAX).map_err(io_error(&path))? {
            Bounded::TooLarge => Err(damaged(format!("it has more than {INDEX_SIZE_MAX} bytes"))),
            Bounded::Whole(bytes) => parse_index(&bytes).map_err(damaged),
        }
    }

    pub fn write_index(&self, index: &Index, _held: &Lock) -> Result<(), LayoutError> {
        let path = self.index_path();
        write_atomic(&path, &to_json(&path, index)?).map_err(io_error(&path))
    }

    /// Writes a blob under its digest. One that is there with the right content stays.
    pub fn write_blob(&self, digest: Digest, bytes: &[u8]) -> Result<(), LayoutError> {
        let path = self.blob_path(digest);
        let whole = matches!(read_bounded(&path, bytes.len()), Ok(Bounded::Whole(found)) if found == bytes);
        if whole { Ok(()) } else { write_atomic(&path, bytes).map_err(io_error(&path)) }
    }

    /// Reads a blob of at most `limit` bytes, and checks its digest.
    pub fn read_blob(&self, digest: Digest, limit: usize) -> Result<Vec<u8>, LayoutError> {
        let path = self.blob_path(digest);
        match read_bounded(&path, limit).map_err(io_error(&path))? {
            Bounded::TooLarge => Err(LayoutError::Damaged { path, reason: format!("it has more than {limit} bytes") }),
            Bounded::Whole(bytes) => match Digest::of(&bytes) {
                found if found == digest => Ok(bytes),
                found => Err(LayoutError::Changed { expected: digest, found }),
            },
        }
    }

    pub fn read_json_blob<T: DeserializeOwned>(&self, descriptor: &Descriptor) -> Result<T, LayoutError> {
        let digest = Digest::from_oci(&descriptor.digest)
            .map_err(|error| LayoutError::Damaged { path: self.index_path(), reason: error.to_string() })?;
        let bytes = self.read_blob(digest, IMAGE_MANIFEST_SIZE_MAX)?;
        serde_json::from_slice(&bytes).map_err(|error| LayoutError::Damaged {
            path: self.root.join("blobs").join(&descriptor.digest),
            reason: error.to_string(),
        })
    }

    /// Removes the blobs that are in `unused` and not in `used`. A blob that is gone already is no error.
    pub fn remove_blobs(
        &self,
        unused: &BTreeSet<String>,
        used: &BTreeSet<String>,
        _held: &Lock,
    ) -> Result<(), LayoutError> {
        for digest in unused.difference(used).filter_map(|digest| Digest::from_oci(digest).ok()) {
            let path = self.blob_path(digest);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads an index.
pub(super) fn parse_index(bytes: &[u8]) -> Result<Index, String> {
    if bytes.len() > INDEX_SIZE_MAX {
        return Err(format!("it has more than {INDEX_SIZE_MAX} bytes"));
    }
    let index: Index = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if index.schema_version == 2 { Ok(index) } else { Err("its schema version is not 2".into()) }
}

fn to_json(path: &Path, document: &impl Serialize) -> Result<Vec<u8>, LayoutError> {
    serde_json::to_vec(document)
        .map_err(|error| LayoutError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> LayoutError {
    let path = path.to_owned();
    move |source| LayoutError::Io { path, source }
}
