use std::fs;

use super::{COMPONENT, MANIFEST, verified_of};
use crate::{Digest, Image, Parts, Registry, entries_of};

#[test]
fn what_is_written_is_what_is_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::create(folder.path()).unwrap();
    let verified = verified_of(COMPONENT, MANIFEST);
    registry.install(&verified).unwrap();
    let image = Image::of(&verified).unwrap();
    let [entry] = &registry.list().unwrap()[..] else { panic!("not one") };
    assert_eq!(entry.oci_manifest, image.digest());
    let file = |digest: Digest| fs::read(folder.path().join("blobs/sha256").join(digest.to_string())).unwrap();
    assert_eq!(file(image.digest()), image.manifest());
    for blob in image.blobs() {
        assert_eq!((file(blob.digest), Digest::of(blob.bytes)), (blob.bytes.to_vec(), blob.digest));
    }
    assert_eq!(entries_of(&fs::read(folder.path().join("index.json")).unwrap()).unwrap(), std::slice::from_ref(entry));
}

#[test]
fn the_parts_are_those_of_the_manifest() {
    let verified = verified_of(COMPONENT, MANIFEST);
    let parts = Parts::parse(Image::of(&verified).unwrap().manifest()).unwrap();
    assert_eq!((parts.component.digest, parts.component.size), (Digest::of(COMPONENT), COMPONENT.len()));
    assert_eq!(parts.manifest.digest, Digest::of(MANIFEST.as_bytes()));
    assert_eq!(parts.source, None);
}

#[test]
fn a_manifest_that_claims_too_much_is_refused_before_anything_is_got() {
    let verified = verified_of(COMPONENT, MANIFEST);
    let text = String::from_utf8(Image::of(&verified).unwrap().manifest().to_vec()).unwrap();
    let size = format!("\"size\":{}", COMPONENT.len());
    let layer = text.split_once("\"layers\":[").unwrap().1.split_once("},{").unwrap().0;
    let many = format!("{layer}}},").repeat(16);
    for (wrong, word) in [
        (text.replacen(&size, "\"size\":33554433", 1), "over the limit"),
        (text.replacen(&size, "\"size\":18446744073709551615", 1), "over the limit"),
        (text.replacen(&size, "\"size\":-1", 1), "OCI manifest"),
        (text.replace("application/wasm", "application/wasn"), "no component"),
        (text.replace("vnd.wasmill.manifest", "vnd.other.manifest"), "no manifest"),
        (text.replace("vnd.dsse.envelope", "vnd.other.envelope"), "no signature"),
        (text.replace("vnd.wasmill.component.v1", "vnd.wasmill.component.v2"), "artifact type"),
        (text.replace("\"layers\":[", &format!("\"layers\":[{many}")), "16 layers"),
        (text.replacen("sha256:", "sha256:../", 3), "digest"),
        (format!("{text}{}", " ".repeat(64 * 1024)), "bytes"),
    ] {
        let error = Parts::parse(wrong.as_bytes()).unwrap_err();
        assert!(error.contains(word), "{word}: {error}");
    }
}
