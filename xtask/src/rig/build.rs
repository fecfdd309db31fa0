//! The programs that a rig runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::guest;
use crate::machine::Machine;
use crate::shell;

/// Builds the binary `wasmill` as daily work does, and says where it is.
///
/// # Errors
/// When it does not compile.
pub fn binary(machine: &Machine) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--package", "wasmill"]).current_dir(&machine.root);
    shell::run(cargo.env_remove("CARGO_TARGET_DIR"))?;
    Ok(machine.root.join("target/debug/wasmill"))
}

/// Builds these plugins and gives the folder of their components.
///
/// # Errors
/// When one does not compile.
pub fn plugins(machine: &Machine, names: &[&str]) -> Result<PathBuf> {
    let workspace = machine.root.join("plugins");
    guest::build_packages(machine, &workspace, names)?;
    Ok(workspace.join("target").join(guest::TARGET).join("release"))
}

/// The component of a plugin in that folder.
pub(super) fn component(folder: &Path, name: &str) -> PathBuf {
    folder.join(name.replace('-', "_")).with_extension("wasm")
}

/// Builds an engine, which has a workspace of its own, to the folder of all plugins.
///
/// # Errors
/// When it does not compile.
pub fn engine(machine: &Machine, name: &str) -> Result<()> {
    guest::build(machine, &machine.root.join("plugins").join(name))
}
