//! Checks that run no test: formatting, lints, dependencies. Each goes through the root's workspace and
//! those of the guests.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::report::Outcome;
use crate::guest::{self, cargo_program};
use crate::machine::Machine;
use crate::{fuzz, shell};

/// What [`fuzz`] takes, without building.
const FUZZ_TIME: Duration = Duration::from_secs(60);

/// `cargo fmt --check`.
pub fn format(machine: &Machine) -> Result<Outcome> {
    in_every_workspace(machine, |cargo| cargo.args(["fmt", "--all", "--check"]))
}

/// `cargo clippy` with warnings as errors.
pub fn lint(machine: &Machine) -> Result<Outcome> {
    in_every_workspace(machine, |cargo| {
        cargo.args(["clippy", "--locked", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
    })
}

/// `cargo deny` with the rules of `deny.toml`.
pub fn deny(machine: &Machine) -> Result<Outcome> {
    let Some(deny) = cargo_program("cargo-deny") else {
        return Ok(Outcome::Skipped("cargo-deny is not installed: cargo install --locked cargo-deny".to_owned()));
    };
    for workspace in workspaces(machine)? {
        let mut check = Command::new(&deny);
        check
            .arg("--manifest-path")
            .arg(workspace.join("Cargo.toml"))
            .arg("--config")
            .arg(machine.root.join("deny.toml"));
        check.args(["--all-features", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
        shell::run(&mut check)?;
    }
    Ok(Outcome::Passed)
}

/// A minute of fuzzing, all parsers together.
pub fn fuzz(machine: &Machine) -> Result<Outcome> {
    fuzz::all_within(machine, FUZZ_TIME)?;
    Ok(Outcome::Passed)
}

fn in_every_workspace(machine: &Machine, arguments: impl Fn(&mut Command) -> &mut Command) -> Result<Outcome> {
    let mut failed = Vec::new();
    for workspace in workspaces(machine)? {
        let mut cargo = Command::new("cargo");
        arguments(&mut cargo);
        if let Err(error) = shell::run(cargo.current_dir(&workspace)) {
            let name = workspace.strip_prefix(&machine.root).unwrap_or(&workspace).display().to_string();
            failed.push(if name.is_empty() { error.to_string() } else { format!("{error} in {name}") });
        }
    }
    Ok(if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join("; ")) })
}

fn workspaces(machine: &Machine) -> Result<Vec<PathBuf>> {
    let mut all = vec![machine.root.clone()];
    all.extend(guest::workspaces(machine)?);
    Ok(all)
}
