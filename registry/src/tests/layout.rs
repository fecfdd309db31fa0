use std::fs;
use std::path::{Path, PathBuf};

use super::{COMPONENT, MANIFEST, NOW, bundle, key, trust, verified_of};
use crate::{Digest, Entry, Installed, Reference, Registry, Role};

fn scratch() -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::create(&folder.path().join("registry")).unwrap();
    (folder, registry)
}

fn install(registry: &Registry, version: &str) -> Entry {
    let manifest = MANIFEST.replace("1.2.3", version);
    assert_eq!(registry.install(&verified_of(COMPONENT, &manifest)).unwrap(), Installed::New);
    registry.find(&format!("upper@{version}").parse().unwrap()).unwrap()
}

fn find(registry: &Registry, text: &str) -> Result<Entry, &'static str> {
    registry.find(&text.parse::<Reference>().unwrap()).map_err(|error| error.code())
}

fn blobs(registry: &Registry) -> Vec<PathBuf> {
    fs::read_dir(registry.folder().join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn blob(registry: &Registry, bytes: &[u8]) -> PathBuf {
    registry.folder().join("blobs/sha256").join(Digest::of(bytes).to_string())
}

fn edit_index(registry: &Registry, edit: impl Fn(&str) -> String) {
    let path = registry.folder().join("index.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, edit(&text)).unwrap();
}

#[test]
fn what_goes_in_comes_out() {
    let (_folder, registry) = scratch();
    let entry = install(&registry, "1.2.3");
    assert_eq!(registry.list().unwrap(), std::slice::from_ref(&entry));
    assert_eq!(registry.get(&entry).unwrap(), bundle());
    let loaded = registry.load(&entry, &trust(&key(1), &[Role::Publisher]), NOW).unwrap();
    assert_eq!(loaded.digest(), Digest::of(COMPONENT));
}

#[test]
fn a_script_lies_there_as_one_and_is_its_own_source() {
    let (_folder, registry) = scratch();
    let script = b"export const f = { call() { return 1; } };";
    let manifest = format!("{MANIFEST}\n[script]\nengine = \"{}\"\n", Digest::of(COMPONENT));
    registry.install(&verified_of(script, &manifest)).unwrap();
    let entry = registry.find(&"upper".parse().unwrap()).unwrap();
    let loaded = registry.load(&entry, &trust(&key(1), &[Role::Publisher]), NOW).unwrap();
    assert_eq!((loaded.component(), loaded.source()), (&script[..], Some(&script[..])));
    let image = fs::read_to_string(blobs(&registry).into_iter().find(|path| is_image(path)).unwrap()).unwrap();
    assert!(image.contains("application/vnd.wasmill.script.v1") && !image.contains("application/wasm"), "{image}");
}

fn is_image(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.contains("artifactType"))
}

#[test]
fn the_folder_is_an_oci_image_layout() {
    let (_folder, registry) = scratch();
    install(&registry, "1.2.3");
    let read = |path: &Path| serde_json::from_slice::<serde_json::Value>(&fs::read(path).unwrap()).unwrap();
    assert_eq!(read(&registry.folder().join("oci-layout"))["imageLayoutVersion"], "1.0.0");
    let index = read(&registry.folder().join("index.json"));
    assert_eq!(index["schemaVersion"], 2);
    let entry = &index["manifests"][0];
    assert_eq!(entry["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "upper:1.2.3");
    let digest = entry["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let image = read(&registry.folder().join("blobs/sha256").join(digest));
    assert_eq!(image["artifactType"], "application/vnd.wasmill.component.v1");
    // The digest of `{}` as the specification prints it.
    assert_eq!(image["config"]["digest"], "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    let layers: Vec<_> = image["layers"].as_array().unwrap().iter().map(|layer| layer["mediaType"].clone()).collect();
    assert_eq!(
        layers,
        ["application/wasm", "application/vnd.wasmill.manifest.v1+toml", "application/vnd.dsse.envelope.v1+json"]
    );
}

#[test]
fn a_version_is_never_replaced() {
    let (_folder, registry) = scratch();
    let entry = install(&registry, "1.2.3");
    let before = blobs(&registry).len();
    assert_eq!(registry.install(&verified_of(COMPONENT, MANIFEST)).unwrap(), Installed::AlreadyThere);
    let error = registry.install(&verified_of(b"something else", MANIFEST)).unwrap_err();
    assert_eq!(error.code(), "component.exists");
    assert_eq!(registry.get(&entry).unwrap().component, COMPONENT);
    assert_eq!(blobs(&registry).len(), before, "the refused one left files");
}

#[test]
fn a_plain_name_means_the_newest_version() {
    let (_folder, registry) = scratch();
    for version in ["1.9.0", "1.10.0", "1.10.1-rc.1", "0.3.0"] {
        install(&registry, version);
    }
    assert_eq!(find(&registry, "upper").unwrap().version.to_string(), "1.10.1-rc.1");
    assert_eq!(find(&registry, "upper@1.9.0").unwrap().version.to_string(), "1.9.0");
    assert_eq!(find(&registry, "upper@2.0.0"), Err("component.unknown"));
    assert_eq!(find(&registry, "lower"), Err("component.unknown"));
}

#[test]
fn removing_keeps_what_others_use() {
    let (_folder, registry) = scratch();
    let (first, second) = (install(&registry, "1.0.0"), install(&registry, "2.0.0"));
    registry.remove(&first).unwrap();
    assert_eq!(registry.get(&first).unwrap_err().code(), "component.unknown");
    assert_eq!(registry.get(&second).unwrap().component, COMPONENT);
    registry.remove(&second).unwrap();
    assert_eq!(blobs(&registry), Vec::<PathBuf>::new());
    assert_eq!(registry.remove(&second).unwrap_err().code(), "component.unknown");
}

#[test]
fn a_changed_or_truncated_file_is_found_at_each_read() {
    let (_folder, registry) = scratch();
    let entry = install(&registry, "1.2.3");
    let path = blob(&registry, COMPONENT);
    for change in [&COMPONENT[..5], b"", b"quite another component"] {
        fs::write(&path, change).unwrap();
        assert_eq!(registry.get(&entry).unwrap_err().code(), "registry.changed");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(registry.get(&entry).unwrap_err().code(), "registry.io");
}

#[test]
fn installing_again_repairs_a_changed_file() {
    let (_folder, registry) = scratch();
    let entry = install(&registry, "1.2.3");
    fs::write(blob(&registry, COMPONENT), b"changed").unwrap();
    registry.install(&verified_of(COMPONENT, MANIFEST)).unwrap();
    assert_eq!(registry.get(&entry).unwrap().component, COMPONENT);
}

#[test]
fn a_damaged_component_can_be_removed() {
    let (_folder, registry) = scratch();
    let entry = install(&registry, "1.2.3");
    fs::write(registry.folder().join("blobs/sha256").join(entry.oci_manifest.to_string()), b"{").unwrap();
    assert_eq!(registry.get(&entry).unwrap_err().code(), "registry.changed");
    registry.remove(&entry).unwrap();
    assert_eq!(registry.list().unwrap(), []);
}

#[test]
fn a_garbage_index_is_an_error_and_stays_as_it_is() {
    for garbage in
        ["", "{", "[]", "\0\0\0", "{\"schemaVersion\":1,\"manifests\":[]}", "{\"schemaVersion\":2,\"manifests\":{}}"]
    {
        let (_folder, registry) = scratch();
        edit_index(&registry, |_| garbage.to_owned());
        assert_eq!(registry.list().unwrap_err().code(), "registry.damaged", "{garbage:?}");
        assert_eq!(registry.install(&verified_of(COMPONENT, MANIFEST)).unwrap_err().code(), "registry.damaged");
        assert_eq!(fs::read_to_string(registry.folder().join("index.json")).unwrap(), garbage);
    }
}

#[test]
fn no_name_and_no_digest_of_the_index_leads_out_of_the_folder() {
    let (folder, registry) = scratch();
    fs::write(folder.path().join("secret"), b"secret").unwrap();
    let entry = install(&registry, "1.2.3");
    let digest = entry.oci_manifest.to_oci();
    edit_index(&registry, |text| text.replace(&digest, "sha256:../../../secret"));
    assert_eq!(registry.list().unwrap(), []);
    assert_eq!(registry.get(&entry).unwrap_err().code(), "component.unknown");
    edit_index(&registry, |text| {
        text.replace("sha256:../../../secret", &digest).replace("upper:1.2.3", "../upper:1.2.3")
    });
    assert_eq!(registry.list().unwrap(), []);
}

#[test]
fn the_index_cannot_pass_one_component_off_as_another() {
    let (_folder, registry) = scratch();
    install(&registry, "1.2.3");
    for (label, name) in [("other:1.2.3", "other"), ("upper:9.9.9", "upper")] {
        edit_index(&registry, |text| text.replace("upper:1.2.3", label));
        let entry = find(&registry, name).unwrap();
        let error = registry.load(&entry, &trust(&key(1), &[Role::Publisher]), NOW).unwrap_err();
        assert_eq!(error.code(), "registry.mislabelled");
        edit_index(&registry, |text| text.replace(label, "upper:1.2.3"));
    }
}

#[test]
fn what_others_keep_in_the_layout_is_left_alone() {
    let (_folder, registry) = scratch();
    let foreign = r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:00","size":1}"#;
    edit_index(&registry, |text| text.replace("[]", &format!("[{foreign}]")));
    let entry = install(&registry, "1.2.3");
    assert_eq!(registry.list().unwrap(), std::slice::from_ref(&entry));
    registry.remove(&entry).unwrap();
    assert!(fs::read_to_string(registry.folder().join("index.json")).unwrap().contains("sha256:00"));
}

#[test]
fn many_writers_lose_nothing() {
    let (_folder, registry) = scratch();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let registry = &registry;
            scope.spawn(move || (0..8).for_each(|i| drop(install(registry, &format!("{thread}.{i}.0")))));
        }
    });
    assert_eq!(registry.list().unwrap().len(), 32);
}

#[test]
fn there_is_no_registry_until_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Registry::open(folder.path()).unwrap_err().code(), "registry.missing");
    Registry::create(folder.path()).unwrap();
    assert!(Registry::open(folder.path()).is_ok());
    Registry::create(folder.path()).unwrap();
}
