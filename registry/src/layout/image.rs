//! A component as OCI carries it: blobs by digest, and the manifest that names them. No files and no network: what lies in
//! a folder, is pushed and is pulled is the same.

use std::collections::BTreeMap;

use super::types::{
    ARTIFACT_TYPE, COMPONENT_LAYER, Descriptor, EMPTY_CONFIG, EMPTY_TYPE, ENVELOPE_LAYER, ImageManifest,
    MANIFEST_LAYER, MANIFEST_TYPE, REF_NAME, SCRIPT_LAYER, SOURCE_LAYER, TITLE,
};
use crate::component::{Bundle, COMPONENT_SIZE_MAX, ENVELOPE_SIZE_MAX, SOURCE_SIZE_MAX, Verified};
use crate::digest::Digest;
use crate::manifest::MANIFEST_SIZE_MAX;

/// Largest OCI manifest, in bytes.
pub const IMAGE_MANIFEST_SIZE_MAX: usize = 64 * 1024;
/// Most layers that an OCI manifest may name.
const LAYERS_MAX: usize = 16;

/// Some bytes, called by their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob<'a> {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A verified component as blobs and the OCI manifest that names them. The same component always gives the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image<'a> {
    descriptor: Descriptor,
    digest: Digest,
    manifest: Vec<u8>,
    blobs: Vec<Blob<'a>>,
}

impl<'a> Image<'a> {
    /// The image of a component.
    ///
    /// # Errors
    /// With the reason, where its manifest can't be written as JSON.
    pub fn of(verified: &'a Verified) -> Result<Self, String> {
        let Bundle { component, manifest, envelope, source } = verified.bundle();
        let mut blobs = Vec::new();
        let mut add = |bytes: &'a [u8], media_type: &str, title: Option<&str>| {
            let digest = Digest::of(bytes);
            blobs.push(Blob { digest, bytes });
            let annotations = title.map(|title| BTreeMap::from([(TITLE.into(), title.into())])).unwrap_or_default();
            describe(digest, bytes.len(), media_type, annotations)
        };
        let mut layers = vec![
            match verified.manifest().script {
                None => add(component, COMPONENT_LAYER, Some("component.wasm")),
                Some(_) => add(component, SCRIPT_LAYER, Some("tool")),
            },
            add(manifest, MANIFEST_LAYER, Some("wasmill.toml")),
            add(envelope, ENVELOPE_LAYER, Some("component.dsse.json")),
        ];
        if let Some(source) = source {
            layers.push(add(source, SOURCE_LAYER, Some("lib.rs")));
        }
        let config = add(EMPTY_CONFIG, EMPTY_TYPE, None);
        let label = format!("{}:{}", verified.manifest().name, verified.manifest().version);
        let image = ImageManifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.into(),
            artifact_type: ARTIFACT_TYPE.into(),
            config,
            layers,
            annotations: BTreeMap::from([(TITLE.into(), label.clone())]),
        };
        let manifest = serde_json::to_vec(&image).map_err(|error| error.to_string())?;
        let digest = Digest::of(&manifest);
        let annotations = BTreeMap::from([(REF_NAME.into(), label)]);
        let descriptor = Descriptor {
            artifact_type: Some(ARTIFACT_TYPE.into()),
            ..describe(digest, manifest.len(), MANIFEST_TYPE, annotations)
        };
        Ok(Self { descriptor, digest, manifest, blobs })
    }

    /// Digest of the OCI manifest: changes with anything in the component's files.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The OCI manifest, JSON.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Media type of the OCI manifest.
    pub fn media_type() -> &'static str {
        MANIFEST_TYPE
    }

    /// What the manifest names.
    pub fn blobs(&self) -> &[Blob<'a>] {
        &self.blobs
    }

    /// How an index names this image.
    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

fn describe(digest: Digest, size: usize, media_type: &str, annotations: BTreeMap<String, String>) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_oci(),
        size: size as u64,
        artifact_type: None,
        annotations,
    }
}

/// One blob of a component that is to be got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// SHA-256 that its bytes must have.
    pub digest: Digest,
    /// How many bytes it has, as the manifest claims; at most `max`.
    pub size: usize,
    /// How many bytes such a part may have.
    pub max: usize,
}

/// Which blobs make a component, as an OCI manifest claims. Nothing about it is believed: it says what to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The component.
    pub component: Part,
    /// Its `wasmill.toml`.
    pub manifest: Part,
    /// The DSSE envelope.
    pub envelope: Part,
    /// The source of a forged component.
    pub source: Option<Part>,
}

impl Parts {
    /// Reads an OCI manifest.
    ///
    /// # Errors
    /// With what is wrong: too large, no manifest of a component, a part that is missing or claims too many bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > IMAGE_MANIFEST_SIZE_MAX {
            return Err(format!("its OCI manifest has more than {IMAGE_MANIFEST_SIZE_MAX} bytes"));
        }
        let image: ImageManifest =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no OCI manifest of a component: {error}"))?;
        if image.artifact_type != ARTIFACT_TYPE {
            return Err(format!("its artifact type is not {ARTIFACT_TYPE}"));
        }
        if image.layers.len() > LAYERS_MAX {
            return Err(format!("it has more than {LAYERS_MAX} layers"));
        }
        let part = |media_type: &str, limit: usize| {
            let layer = image.layers.iter().find(|layer| layer.media_type == media_type);
            layer.map(|layer| part_of(layer, limit)).transpose()
        };
        let component = match part(COMPONENT_LAYER, COMPONENT_SIZE_MAX)? {
            Some(component) => Some(component),
            None => part(SCRIPT_LAYER, SOURCE_SIZE_MAX)?,
        };
        Ok(Self {
            component: component.ok_or("it has no component")?,
            manifest: part(MANIFEST_LAYER, MANIFEST_SIZE_MAX)?.ok_or("it has no manifest")?,
            envelope: part(ENVELOPE_LAYER, ENVELOPE_SIZE_MAX)?.ok_or("it has no signature")?,
            source: part(SOURCE_LAYER, SOURCE_SIZE_MAX)?,
        })
    }
}

fn part_of(layer: &Descriptor, max: usize) -> Result<Part, String> {
    let digest = Digest::from_oci(&layer.digest).map_err(|error| error.to_string())?;
    match usize::try_from(layer.size) {
        Ok(size) if size <= max => Ok(Part { digest, size, max }),
        _ => Err(format!("a layer claims {} bytes, over the limit of {max}", layer.size)),
    }
}
