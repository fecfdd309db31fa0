//! Bringing a component to an OCI registry.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde::Serialize;
use wasmill_registry::{Blob, Digest, Image, Verified};

use super::error::RegistryError;
use super::fetch::expect;
use super::location::tag_of;
use super::oci::Oci;

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// Digest of the OCI manifest, as `sha256:…`: the same that the component has on disk and in wasmill.lock.
    pub digest: String,
    /// Blobs that the registry did not have yet.
    pub blobs: usize,
    /// False where exactly this was there already.
    pub new: bool,
}

/// Pushes a component to a tag. The tag that is its version is never moved; another one is.
///
/// # Errors
/// [`RegistryError::TagTaken`]; refused, nobody answers.
pub async fn push(registry: &Oci, tag: &str, verified: &Verified) -> Result<Pushed, RegistryError> {
    let answer = |reason: String| RegistryError::Answer { place: registry.place(), reason };
    let image = Image::of(verified).map_err(answer)?;
    let there = registry.manifest_at(tag).await?.map(|manifest| Digest::of(&manifest));
    let digest = image.digest();
    match there {
        Some(there) if there == digest => return Ok(Pushed { digest: digest.to_oci(), blobs: 0, new: false }),
        Some(there) if tag == tag_of(&verified.manifest().version) => {
            let place = format!("{}:{tag}", registry.place());
            return Err(RegistryError::TagTaken { place, there, here: digest });
        }
        _ => {}
    }
    let mut blobs = 0;
    for blob in image.blobs() {
        blobs += usize::from(upload(registry, blob).await?);
    }
    // Last: whoever sees the tag finds all that it names.
    let url = registry.url(&format!("manifests/{tag}"))?;
    let request = registry.client().put(url).header(CONTENT_TYPE, Image::media_type()).body(image.manifest().to_vec());
    expect(registry.ask(request).await?, &registry.place())?;
    Ok(Pushed { digest: digest.to_oci(), blobs, new: true })
}

/// Uploads a blob in one piece; says whether it had to.
async fn upload(registry: &Oci, blob: &Blob<'_>) -> Result<bool, RegistryError> {
    let (place, digest) = (registry.place(), blob.digest.to_oci());
    let there = registry.ask(registry.client().head(registry.url(&format!("blobs/{digest}"))?)).await?;
    if there.status() != StatusCode::NOT_FOUND {
        expect(there, &place)?;
        return Ok(false);
    }
    let begun = expect(registry.ask(registry.client().post(registry.url("blobs/uploads/")?)).await?, &place)?;
    let session = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let session = session.ok_or_else(|| RegistryError::Answer {
        place: place.clone(),
        reason: "it does not say where to upload to".into(),
    })?;
    let mut url = registry.own(session)?;
    url.query_pairs_mut().append_pair("digest", &digest);
    let request = registry.client().put(url).header(CONTENT_TYPE, "application/octet-stream").body(blob.bytes.to_vec());
    expect(registry.ask(request).await?, &place)?;
    Ok(true)
}
