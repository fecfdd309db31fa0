//! The kit: the SDK, the allowed crates and everything compiled of them beforehand, in one folder that builds only read.
//!
//! ```text
//! <kit>/kit.json   what it was made of
//! <kit>/bin/       what stands in front of cargo
//! <kit>/sdk/       sources of the SDK
//! <kit>/vendor/    sources of the allowed crates
//! <kit>/warm/      copied into the scratch space of each build: the crate, and what the compiler made of the rest
//! ```
//!
//! A kit belongs to one compiler, one SDK and one lock file; it is shared by all homes of a user. Knows nothing of
//! requests.

mod packages;
mod prepare;
mod prune;
mod sources;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wasmill_registry::Digest;

use super::toolchain::{Toolchain, Versions};
use crate::sandbox::{SandboxError, View};

pub use packages::packages;
pub use prepare::prepare;

/// Crates that a source may ask for, besides the SDK, which is always there. `schemars` also gives `tool! { fn … }`, and
/// `serde_json` the SDK's `json`.
pub const ALLOWED_CRATES: [&str; 4] = ["regex-lite", "schemars", "serde", "serde_json"];

/// Path of a finished component inside the sandbox.
const BUILT: &str = "/build/target/wasm32-wasip1/release/forged.wasm";

/// Why there is no kit.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// None was prepared for this compiler and this host.
    #[error("the forge's kit is not prepared for this compiler and this version of Wasmill: there is no {}", .0.display())]
    Missing(PathBuf),
    /// Files can't be read or written.
    #[error("the forge's kit at {} can't be used: {source}", .path.display())]
    Io {
        /// Folder of the kits.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The crates can't be fetched.
    #[error("the allowed crates can't be fetched: {0}")]
    Fetch(String),
    /// The dependencies can't be compiled.
    #[error("the forge's dependencies can't be compiled: {0}")]
    Compile(String),
    /// There is no sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl KitError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "kit.missing",
            Self::Io { .. } => "kit.io",
            Self::Fetch(_) => "kit.fetch",
            Self::Compile(_) => "kit.compile",
            Self::Sandbox(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Missing(_) => "Run `wasmill forge prepare` once.",
            Self::Io { .. } => "Check the folder's rights and the space on its disk, or set `forge.kits` in host.toml.",
            Self::Fetch(_) => "Check that cargo can download crates here, then run `wasmill forge prepare` again.",
            Self::Compile(_) => "Check the toolchain with `wasmill doctor`: it needs a C linker to prepare the kit.",
            Self::Sandbox(error) => error.next(),
        }
    }
}

/// What a kit was made of. Part of every statement about a forged tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitFacts {
    /// What the compiler and its helpers say of themselves.
    pub versions: Versions,
    /// SHA-256 of the compiler proper.
    pub compiler: Digest,
    /// SHA-256 of cargo-component.
    pub cargo_component: Digest,
    /// SHA-256 of the lock file, which names every dependency with its checksum.
    pub lock: Digest,
    /// SHA-256 over the SDK's sources.
    pub sdk: Digest,
}

/// A prepared kit.
#[derive(Debug, Clone)]
pub struct Kit {
    folder: PathBuf,
    facts: KitFacts,
}

impl Kit {
    /// Opens the kit for this toolchain in the folder `kits`.
    ///
    /// # Errors
    /// [`KitError::Missing`] where it was not prepared.
    pub fn open(kits: &Path, toolchain: &Toolchain) -> Result<Self, KitError> {
        let folder = kits.join(sources::fingerprint(toolchain.versions()));
        let Ok(facts) = std::fs::read(folder.join("kit.json")) else {
            return Err(KitError::Missing(folder));
        };
        mark_used(&folder);
        let facts = serde_json::from_slice(&facts)
            .map_err(|e| KitError::Io { path: folder.clone(), source: std::io::Error::other(e) })?;
        Ok(Self { folder, facts })
    }

    /// Where kits lie unless host.toml says otherwise: `$WASMILL_KITS`, or `wasmill/kits` in the user's cache folder.
    pub fn default_folder() -> PathBuf {
        let home = || std::env::home_dir().unwrap_or_default().join(".cache");
        let cache = || std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("wasmill/kits");
        std::env::var_os("WASMILL_KITS").map_or_else(cache, PathBuf::from)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it was made of.
    pub fn facts(&self) -> &KitFacts {
        &self.facts
    }

    /// Shows the kit for one build: everything read-only, with an empty scratch space.
    pub fn show(&self, view: &mut View, scratch_bytes: u64) {
        view.read_only(&self.folder.join("warm"), "/warm".as_ref());
        show_sources(&self.folder, view);
        view.scratch("/build", scratch_bytes);
    }

    /// The shell commands that copy the warm files, build `/in/lib.rs` and leave the component in `/out/component.wasm`.
    pub fn script(&self, crates: &[&str]) -> String {
        format!(
            "cp -a /warm/. /build/; cp /in/lib.rs /build/crate/src/lib.rs; {}; cp {BUILT} /out/component.wasm",
            build_command(crates)
        )
    }
}

/// When it was last used decides which kits are removed. Where that can't be written, it counts from when it was made.
fn mark_used(kit: &Path) {
    if let Ok(facts) = std::fs::File::options().append(true).open(kit.join("kit.json")) {
        let _ = facts.set_modified(std::time::SystemTime::now());
    }
}

fn show_sources(kit: &Path, view: &mut View) {
    view.read_only(&kit.join("sdk"), "/sdk".as_ref()).read_only(&kit.join("vendor"), "/vendor".as_ref());
    view.read_only(&kit.join("bin"), "/kit".as_ref()).env("CARGO", "/kit/cargo");
    view.env("HOME", "/build/home").env("CARGO_HOME", "/build/home").env("TMPDIR", "/build/tmp");
}

/// The same command with the same paths in preparation and in each build: that is what makes a build warm, and two
/// builds equal.
fn build_command(crates: &[&str]) -> String {
    let features = crates.join(",");
    format!(
        "cd /build/crate; \"$CARGO_COMPONENT\" build --release --offline --locked --features '{features}' --message-format json-render-diagnostics"
    )
}
