//! Compiling guests: which Rust compiler can make WebAssembly on this machine, and building with it.
//!
//! The guests in `sdk/` and `plugins/` are not members of the root's workspace, since they are made for
//! another target; each workspace there has a lock file of its own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::machine::Machine;
use crate::shell;

/// The target of every guest. `cargo component` makes the component out of the module.
pub const TARGET: &str = "wasm32-wasip1";

/// A Rust compiler with a standard library for [`TARGET`].
#[derive(Debug, Clone)]
pub struct Compiler {
    /// `rustc` itself, not a proxy that would choose another one by folder.
    pub rustc: PathBuf,
    /// The `cargo` that belongs to it.
    pub cargo: PathBuf,
}

impl Compiler {
    /// The compiler that rustup chose for this repository where it knows the target, else Debian's.
    pub fn find(machine: &Machine) -> Option<Self> {
        let sysroot = shell::capture(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&machine.root));
        let chosen = sysroot.ok().map(|sysroot| PathBuf::from(sysroot.trim()).join("bin"));
        let folders = chosen.into_iter().chain([PathBuf::from("/usr/bin")]);
        folders
            .map(|bin| Self { rustc: bin.join("rustc"), cargo: bin.join("cargo") })
            .find(|compiler| compiler.rustc.is_file() && compiler.cargo.is_file() && compiler.knows_target())
    }

    /// Compiles an empty crate: a standard library that is there but belongs to another release of the
    /// compiler does not count.
    fn knows_target(&self) -> bool {
        let Ok(scratch) = tempfile::tempdir() else { return false };
        let source = scratch.path().join("probe.rs");
        if fs::write(&source, "").is_err() {
            return false;
        }
        let mut probe = Command::new(&self.rustc);
        probe.args(["--target", TARGET, "--crate-type=lib", "--emit=metadata", "--out-dir"]).arg(scratch.path());
        shell::succeeds(probe.arg(&source).env_remove("LD_LIBRARY_PATH").current_dir(scratch.path()))
    }

    /// A command that will compile with this compiler, whatever else is installed.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // With RUSTC set, cargo-component leaves rustup alone.
        command.env("RUSTC", &self.rustc).env("CARGO", &self.cargo);
        // cargo and rustup lead child processes to the libraries of the toolchain they chose, and tests
        // expect components in the workspace's own target folder.
        command.env_remove("LD_LIBRARY_PATH").env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// The workspaces of guests: every folder in `sdk/` and `plugins/` whose `Cargo.toml` begins one.
///
/// # Errors
/// When a folder cannot be read.
pub fn workspaces(machine: &Machine) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["sdk", "plugins"] {
        find_workspaces(&machine.root.join(folder), 3, &mut found)?;
    }
    found.sort_unstable();
    Ok(found)
}

fn find_workspaces(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if manifest.lines().any(|line| line.trim() == "[workspace]") {
        found.push(folder.to_owned());
    }
    if depth == 0 || !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            find_workspaces(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

/// Builds every plugin to `target/wasm32-wasip1/release/<name>.wasm` of its workspace.
///
/// # Errors
/// When no compiler knows the target, cargo-component is missing, or a plugin does not compile.
pub fn build_plugins(machine: &Machine) -> Result<()> {
    for workspace in workspaces(machine)? {
        if workspace.starts_with(machine.root.join("plugins")) {
            build(machine, &workspace)?;
        }
    }
    Ok(())
}

/// Builds the components of one workspace with `cargo component`, where it has any.
///
/// # Errors
/// As [`build_plugins`].
pub fn build(machine: &Machine, workspace: &Path) -> Result<()> {
    let packages = components(workspace)?;
    if packages.is_empty() {
        return Ok(());
    }
    build_packages(machine, workspace, &packages)
}

/// Builds these packages of a workspace with `cargo component`.
///
/// # Errors
/// As [`build_plugins`].
pub fn build_packages(machine: &Machine, workspace: &Path, packages: &[impl AsRef<str>]) -> Result<()> {
    let compiler = Compiler::find(machine)
        .with_context(|| format!("no Rust compiler here knows {TARGET}; run `cargo xtask setup`"))?;
    let component = cargo_component().context("cargo-component is not installed; run `cargo xtask setup`")?;
    let mut build = compiler.command(component);
    build.args(["build", "--release", "--locked"]);
    for package in packages {
        build.args(["--package", package.as_ref()]);
    }
    shell::run(build.current_dir(workspace))
}

/// The packages of a workspace with a manifest of Wasmill beside their own; the others are libraries and tests.
fn components(workspace: &Path) -> Result<Vec<String>> {
    let mut metadata = Command::new("cargo");
    metadata.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(workspace);
    let metadata: Metadata = serde_json::from_str(&shell::capture(&mut metadata)?)?;
    let components =
        metadata.packages.into_iter().filter(|package| package.manifest_path.with_file_name("wasmill.toml").is_file());
    Ok(components.map(|package| package.name).collect())
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Its `Cargo.toml`.
    manifest_path: PathBuf,
}

/// `cargo-component` on the path, or where `cargo install` puts it.
pub fn cargo_component() -> Option<PathBuf> {
    cargo_program("cargo-component")
}

/// A program that `cargo install` makes, on the path or not.
pub fn cargo_program(name: &str) -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    shell::find(name).or_else(|| Some(home.join("bin").join(name)).filter(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_are_found_below_each_other_and_not_in_build_folders() {
        let root = tempfile::tempdir().unwrap();
        for (folder, manifest) in [
            ("a", "[workspace]\nmembers = [\"tool\"]\n"),
            ("a/tool", "[package]\n"),
            ("a/core", "[package]\n\n[workspace]\n"),
            ("a/target/package", "[workspace]\n"),
        ] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("Cargo.toml"), manifest).unwrap();
        }
        let mut found = Vec::new();
        find_workspaces(root.path(), 3, &mut found).unwrap();
        found.sort_unstable();
        assert_eq!(found, [root.path().join("a"), root.path().join("a/core")]);
    }
}
