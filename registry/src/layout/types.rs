//! The JSON documents of an OCI image layout, as far as a registry of components uses them.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
pub(super) const ARTIFACT_TYPE: &str = "application/vnd.wasmill.component.v1";

pub(super) const COMPONENT_LAYER: &str = "application/wasm";
/// A component that is text, run by the engine that its manifest names.
pub(super) const SCRIPT_LAYER: &str = "application/vnd.wasmill.script.v1";
pub(super) const MANIFEST_LAYER: &str = "application/vnd.wasmill.manifest.v1+toml";
pub(super) const ENVELOPE_LAYER: &str = "application/vnd.dsse.envelope.v1+json";
pub(super) const SOURCE_LAYER: &str = "text/x-rust";

pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
pub(super) const TITLE: &str = "org.opencontainers.image.title";

/// Content of the file `oci-layout`.
pub(super) const LAYOUT_FILE: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The empty configuration that the specification has artifacts point to.
pub(super) const EMPTY_CONFIG: &[u8] = b"{}";

/// Points to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `index.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    pub manifests: Vec<Descriptor>,
}

impl Index {
    pub fn empty() -> Self {
        Self { schema_version: 2, media_type: Some(INDEX_TYPE.into()), manifests: Vec::new() }
    }
}

/// The OCI manifest of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageManifest {
    pub schema_version: u32,
    pub media_type: String,
    pub artifact_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}
