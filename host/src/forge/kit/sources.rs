//! The files that a kit is made of, as they are in this binary.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wasmill_registry::Digest;

use super::super::toolchain::Versions;

/// The SDK: path inside its folder, and content.
static SDK: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// The crate around a generated source: path inside the kit, and content.
static TEMPLATE: &[(&str, &[u8])] = &[
    ("warm/crate/Cargo.toml", include_bytes!("template/manifest.toml")),
    ("warm/crate/Cargo.lock", LOCK),
    ("warm/crate/src/lib.rs", include_bytes!("template/placeholder.rs")),
    (CARGO, include_bytes!("template/cargo.sh")),
];

/// The script in front of cargo.
const CARGO: &str = "bin/cargo";

/// Which version of which crate, with its checksum.
pub(super) static LOCK: &[u8] = include_bytes!("template/lock.toml");

/// Settings of cargo: take crates from the kit and from nowhere else. Written once the crates are there.
static CONFIG: &[u8] = include_bytes!("template/config.toml");

/// Digest of the lock file: stands for every dependency.
pub(super) fn lock_digest() -> Digest {
    Digest::of(LOCK)
}

/// Digest of the SDK's sources.
pub(super) fn sdk_digest() -> Digest {
    digest_of(SDK)
}

/// What a kit is known by: everything that goes into it. Another SDK, lock file or compiler makes another kit.
pub(super) fn fingerprint(versions: &Versions) -> String {
    let said = [&versions.rustc, &versions.cargo, &versions.cargo_component].map(|s| s.as_str()).join("\n");
    let parts = [sdk_digest(), digest_of(TEMPLATE), Digest::of(CONFIG), Digest::of(said.as_bytes())];
    let joined: String = parts.iter().map(ToString::to_string).collect();
    Digest::of(joined.as_bytes()).to_string()[..16].to_owned()
}

/// Writes the SDK and the crate into a new kit.
pub(super) fn write(kit: &Path) -> std::io::Result<()> {
    let sdk = SDK.iter().map(|(path, content)| (PathBuf::from("sdk").join(path), content));
    let template = TEMPLATE.iter().map(|(path, content)| (PathBuf::from(path), content));
    for (path, content) in sdk.chain(template) {
        let path = kit.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content)?;
    }
    std::fs::set_permissions(kit.join(CARGO), Permissions::from_mode(0o755))?;
    // Where the compiler and cargo put temporary files and what they call their home.
    std::fs::create_dir_all(kit.join("warm/tmp"))?;
    std::fs::create_dir_all(kit.join("warm/home"))
}

/// Tells cargo to take the crates from the kit.
pub(super) fn write_config(kit: &Path) -> std::io::Result<()> {
    let folder = kit.join("warm/crate/.cargo");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("config.toml"), CONFIG)
}

/// Paths and contents, with their lengths, so that nothing can move from one into the other.
fn digest_of(files: &[(&str, &[u8])]) -> Digest {
    let mut all = Vec::new();
    for (path, content) in files {
        all.extend_from_slice(format!("{} {} ", path.len(), content.len()).as_bytes());
        all.extend_from_slice(path.as_bytes());
        all.extend_from_slice(content);
    }
    Digest::of(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(rustc: &str) -> Versions {
        Versions { rustc: rustc.into(), cargo: "c".into(), cargo_component: "cc".into() }
    }

    #[test]
    fn another_compiler_makes_another_kit() {
        assert_eq!(fingerprint(&versions("1")), fingerprint(&versions("1")));
        assert_ne!(fingerprint(&versions("1")), fingerprint(&versions("2")));
    }

    #[test]
    fn content_can_not_move_between_files_unseen() {
        assert_ne!(digest_of(&[("a", b"bc")]), digest_of(&[("ab", b"c")]));
        assert_ne!(digest_of(&[("a", b"b"), ("c", b"")]), digest_of(&[("a", b""), ("c", b"b")]));
    }

    #[test]
    fn the_binary_carries_the_whole_sdk() {
        for file in ["Cargo.toml", "src/lib.rs", "src/tool.rs"] {
            assert!(SDK.iter().any(|(path, content)| *path == file && !content.is_empty()), "{file}");
        }
    }
}
