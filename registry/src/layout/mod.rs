//! The registry on disk: an OCI image layout (`oci-layout`, `index.json`, `blobs/sha256`), so that any static file server
//! and any OCI registry can carry it.
//!
//! One OCI manifest per component, named `name:version` in the index; its layers are component, manifest, envelope and,
//! for forged ones, the source. No path is ever made of a name: blobs are called by their digest, and each read checks
//! it. This folder never decides what is trusted: only verified components go in, and what comes out is to be verified
//! again.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

mod error;
mod image;
mod registry;
mod store;
mod types;

pub use error::LayoutError;
pub use image::{Blob, IMAGE_MANIFEST_SIZE_MAX, Image, Part, Parts};
pub use registry::{Entry, Installed, LoadError, Registry, entries_of};
pub use store::INDEX_SIZE_MAX;
