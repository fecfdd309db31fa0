//! An OCI image layout that a web server or a folder has: `index.json`, and blobs by digest.

use std::io::Read as _;
use std::path::PathBuf;

use async_trait::async_trait;
use wasmill_registry::{Digest, IMAGE_MANIFEST_SIZE_MAX, INDEX_SIZE_MAX, Part, entries_of};

use super::error::RegistryError;
use super::fetch::Http;
use super::location::{At, Layout, Location};
use super::pull::Reader;
use super::search::Offer;

/// Reads a layout.
#[derive(Debug)]
pub(super) struct LayoutReader {
    layout: Layout,
    files: Files,
}

#[derive(Debug)]
enum Files {
    Folder(PathBuf),
    Web(Http),
}

impl LayoutReader {
    /// # Errors
    /// [`RegistryError::PlainHttp`]; [`RegistryError::Location`] for a folder of another machine.
    pub fn new(layout: Layout, plain_http: bool) -> Result<Self, RegistryError> {
        let files = if layout.base.scheme() == "file" {
            let folder = layout.base.to_file_path().map_err(|()| RegistryError::Location {
                text: layout.base.to_string(),
                reason: "it is no folder of this machine".into(),
            })?;
            Files::Folder(folder)
        } else {
            Files::Web(Http::new(&layout.base, plain_http)?)
        };
        Ok(Self { layout, files })
    }

    async fn file(&self, path: &str, limit: usize) -> Result<Vec<u8>, RegistryError> {
        match &self.files {
            Files::Folder(folder) => read(folder.join(path), limit).await,
            Files::Web(http) => {
                let url = self.layout.base.join(path).map_err(|error| RegistryError::Location {
                    text: self.layout.base.to_string(),
                    reason: error.to_string(),
                })?;
                http.file(url, limit).await
            }
        }
    }

    async fn at(&self, digest: Digest, limit: usize) -> Result<Vec<u8>, RegistryError> {
        self.file(&format!("blobs/sha256/{digest}"), limit).await
    }
}

async fn read(path: PathBuf, limit: usize) -> Result<Vec<u8>, RegistryError> {
    let place = path.display().to_string();
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        std::fs::File::open(&path)?.take(limit as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    match reading.await.map_err(std::io::Error::other).flatten() {
        Ok(bytes) if bytes.len() > limit => Err(RegistryError::TooLarge { place, limit }),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(RegistryError::NotFound(place)),
        Err(error) => Err(RegistryError::Unreachable { place, reason: error.to_string() }),
    }
}

#[async_trait]
impl Reader for LayoutReader {
    async fn offers(&self) -> Result<Vec<Offer>, RegistryError> {
        let place = self.layout.base.to_string();
        let entries = entries_of(&self.file("index.json", INDEX_SIZE_MAX).await?)
            .map_err(|reason| RegistryError::Answer { place, reason })?;
        let whole = Location::Layout(Layout { component: None, ..self.layout.clone() });
        let offer = |entry: wasmill_registry::Entry| Offer {
            location: whole.component(&entry.name, Some(&entry.version)),
            at: At::Digest(entry.oci_manifest),
            name: entry.name,
            version: entry.version,
        };
        Ok(entries.into_iter().map(offer).collect())
    }

    async fn manifest(&self, at: &At) -> Result<Vec<u8>, RegistryError> {
        match at {
            At::Digest(digest) => self.at(*digest, IMAGE_MANIFEST_SIZE_MAX).await,
            // A layout's index has digests; whoever asks has looked there.
            At::Newest | At::Tag(_) => Err(RegistryError::NotFound(self.layout.base.to_string())),
        }
    }

    async fn blob(&self, part: &Part) -> Result<Vec<u8>, RegistryError> {
        self.at(part.digest, part.size).await
    }
}
