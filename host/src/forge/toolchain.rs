//! The compiler: where it is, what it says of itself, and which files it consists of.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::sandbox::{View, with_libraries};

/// The target that cargo-component builds for.
pub const TARGET: &str = "wasm32-wasip1";

/// Why there is no usable compiler.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// No Rust compiler here has the target.
    #[error("no Rust compiler with the target {TARGET} was found; looked at {0}")]
    NoCompiler(String),
    /// A compiler is there and cargo isn't beside it.
    #[error("there is no cargo beside the compiler {}", .0.display())]
    NoCargo(PathBuf),
    /// cargo-component is missing.
    #[error("cargo-component was not found on PATH or in ~/.cargo/bin")]
    NoCargoComponent,
    /// A program can't be run.
    #[error("`{program}` can't be run: {reason}")]
    Run {
        /// Program with arguments.
        program: String,
        /// Why.
        reason: String,
    },
}

impl ToolchainError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCompiler(_) => "toolchain.no-compiler",
            Self::NoCargo(_) => "toolchain.no-cargo",
            Self::NoCargoComponent => "toolchain.no-cargo-component",
            Self::Run { .. } => "toolchain.broken",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::NoCompiler(_) => "Run `rustup target add wasm32-wasip1`, or set `forge.rustc` in host.toml.",
            Self::NoCargo(_) => "Install cargo beside the compiler, or set `forge.rustc` in host.toml to another one.",
            Self::NoCargoComponent => "Run `cargo install cargo-component --locked`.",
            Self::Run { .. } => "Repair the installation, then see `wasmill doctor`.",
        }
    }
}

/// What the programs say of themselves. Part of every statement about a forged tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// `rustc --version --verbose`.
    pub rustc: String,
    /// `cargo --version`.
    pub cargo: String,
    /// `cargo-component --version`.
    pub cargo_component: String,
}

/// A Rust compiler with the target, its cargo, and cargo-component.
#[derive(Debug, Clone)]
pub struct Toolchain {
    sysroot: PathBuf,
    rustc: PathBuf,
    cargo: PathBuf,
    cargo_component: PathBuf,
    versions: Versions,
    files: BTreeSet<PathBuf>,
}

impl Toolchain {
    /// Finds a toolchain: the compiler at `wanted` and no other where it is given, else the first one that has the
    /// target of: `rustc` on PATH, rustup's other toolchains, the system's.
    ///
    /// # Errors
    /// Which part is missing.
    pub fn find(wanted: Option<&Path>) -> Result<Self, ToolchainError> {
        let candidates = match wanted {
            Some(rustc) => vec![rustc.to_owned()],
            None => candidates(),
        };
        let found = candidates.iter().find_map(|rustc| sysroot_with_target(rustc));
        let sysroot = found.ok_or_else(|| {
            let looked: Vec<_> = candidates.iter().map(|c| c.display().to_string()).collect();
            ToolchainError::NoCompiler(looked.join(", "))
        })?;
        // The real programs, not rustup's stand-ins, which would look for rustup's files inside the sandbox.
        let (rustc, cargo) = (sysroot.join("bin/rustc"), sysroot.join("bin/cargo"));
        if !cargo.is_file() {
            return Err(ToolchainError::NoCargo(rustc));
        }
        let cargo_component = on_path("cargo-component").ok_or(ToolchainError::NoCargoComponent)?;
        let versions = Versions {
            rustc: said(&rustc, &["--version", "--verbose"])?,
            cargo: said(&cargo, &["--version"])?,
            cargo_component: said(&cargo_component, &["--version"])?,
        };
        let mut programs = vec![rustc.clone(), cargo.clone(), cargo_component.clone()];
        // rustup's linker lies in the target's own folder; a system's one beside the compiler.
        let helpers = ["/bin/sh", "/bin/cp"].map(PathBuf::from).into_iter().chain([sysroot.join("bin/rust-lld")]);
        programs.extend(helpers.filter(|file| file.is_file()));
        let files = with_libraries(&programs);
        Ok(Self { sysroot, rustc, cargo, cargo_component, versions, files })
    }

    /// What the programs say of themselves.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// The real compiler.
    pub fn rustc(&self) -> &Path {
        &self.rustc
    }

    /// The real cargo.
    pub fn cargo(&self) -> &Path {
        &self.cargo
    }

    /// cargo-component.
    pub fn cargo_component(&self) -> &Path {
        &self.cargo_component
    }

    /// The file that is the compiler proper; `rustc` itself is only a door to it.
    pub fn driver(&self) -> Option<&Path> {
        self.files.iter().find(|file| file.to_string_lossy().contains("librustc_driver")).map(PathBuf::as_path)
    }

    /// Environment variables that the programs need inside.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        // The compiler's own folder in its one true spelling: the compiler finds its other files from there.
        let libraries = self.driver().and_then(Path::parent).and_then(|folder| folder.canonicalize().ok());
        let mut path = self.sysroot.join("bin").into_os_string();
        path.push(":/usr/bin:/bin");
        vec![
            ("PATH", path),
            ("RUSTC", self.rustc.clone().into()),
            ("REAL_CARGO", self.cargo.clone().into()),
            ("CARGO_COMPONENT", self.cargo_component.clone().into()),
            // Programs find their libraries relative to themselves, which takes /proc.
            ("LD_LIBRARY_PATH", libraries.unwrap_or_else(|| self.sysroot.join("lib")).into()),
        ]
    }

    /// Shows the toolchain, read-only, where it is outside: the compiler with its libraries, cargo, cargo-component,
    /// a linker, a shell and `cp`; nothing else of the system.
    pub fn show(&self, view: &mut View) {
        let rustlib = self.sysroot.join("lib/rustlib");
        view.read_only(&rustlib, &rustlib);
        for file in &self.files {
            view.read_only(file, file);
        }
    }

    /// Shows the toolchain with the whole system around it, for compiling our own sources: see [`View::system`].
    pub fn show_with_system(&self, view: &mut View) {
        view.system();
        for path in [&self.sysroot, &self.cargo_component] {
            if !path.starts_with("/usr") {
                view.read_only(path, path);
            }
        }
    }
}

/// Compilers to try, in order.
fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = on_path("rustc").into_iter().collect();
    let home = std::env::home_dir().unwrap_or_default();
    let rustup = std::env::var_os("RUSTUP_HOME").map_or_else(|| home.join(".rustup"), PathBuf::from);
    let toolchains = std::fs::read_dir(rustup.join("toolchains")).into_iter().flatten().flatten();
    let mut others: Vec<_> = toolchains.map(|entry| entry.path().join("bin/rustc")).collect();
    // The order of a folder is not the same on every machine.
    others.sort();
    found.extend(others);
    found.push(PathBuf::from("/usr/bin/rustc"));
    found
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::home_dir().unwrap_or_default().join(".cargo/bin");
    std::env::split_paths(&path).chain([own]).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The compiler's root folder, where it has the target's standard library.
fn sysroot_with_target(rustc: &Path) -> Option<PathBuf> {
    let sysroot = PathBuf::from(said(rustc, &["--print", "sysroot"]).ok()?).canonicalize().ok()?;
    let library = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let mut files = std::fs::read_dir(library).ok()?.flatten();
    let has_std = files.any(|file| file.file_name().to_string_lossy().starts_with("libstd-"));
    (has_std && sysroot.join("bin/rustc").is_file()).then_some(sysroot)
}

/// What a program prints.
fn said(program: &Path, arguments: &[&str]) -> Result<String, ToolchainError> {
    let failed = |reason: String| ToolchainError::Run {
        program: format!("{} {}", program.display(), arguments.join(" ")),
        reason,
    };
    // From `/`, where no project's rust-toolchain.toml has a say.
    let output = Command::new(program).args(arguments).current_dir("/").env_remove("RUSTUP_TOOLCHAIN").output();
    let output = output.map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
