//! Programs that cargo installs, each compiled once.

use std::process::Command;

use anyhow::Result;

use crate::guest::{cargo_component, cargo_program};
use crate::machine::Machine;
use crate::shell;

/// The releases that are known to work with this repository.
const COMPONENT: &str = "0.21.1";
const DENY: &str = "0.20.2";

/// Whether cargo-component is there, in whatever release.
pub fn component_is_there() -> bool {
    cargo_component().is_some()
}

/// Compiles cargo-component.
///
/// # Errors
/// When it does not compile or cannot be downloaded.
pub fn get_component(machine: &Machine) -> Result<()> {
    eprintln!("  this takes some minutes, once");
    cargo_install(machine, "cargo-component", COMPONENT)
}

/// Whether cargo-deny still has to be got. Only CI insists on it: it takes minutes to compile, and on a
/// person's machine the check is skipped, and says so, where it is not installed.
pub fn deny_is_due(machine: &Machine) -> bool {
    machine.ci && cargo_program("cargo-deny").is_none()
}

/// Compiles cargo-deny.
///
/// # Errors
/// When it does not compile or cannot be downloaded.
pub fn get_deny(machine: &Machine) -> Result<()> {
    cargo_install(machine, "cargo-deny", DENY)
}

fn cargo_install(machine: &Machine, name: &str, version: &str) -> Result<()> {
    let mut install = Command::new("cargo");
    install.args(["install", "--locked", "--version", version, name]);
    // In the repository, so that rustup takes the toolchain that the repository pins.
    shell::run(install.current_dir(&machine.root).env_remove("CARGO_TARGET_DIR"))
}
