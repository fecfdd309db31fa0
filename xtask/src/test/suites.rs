//! The stages that run tests: what each builds first, and what it calls.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::report::{Outcome, Report};
use crate::machine::Machine;
use crate::shell;
use crate::{bindings, guest};

/// Builds the plugins against bindings that fit the contract, then runs the tests of SDK and plugins natively.
pub fn guests(machine: &Machine, filter: Option<&str>, report: &mut Report) -> Result<Outcome> {
    let mut failed = Vec::new();
    if let Err(error) = bindings::run(true) {
        failed.push(format!("{error:#}"));
    }
    guest::build_plugins(machine)?;
    for workspace in guest::workspaces(machine)? {
        if let Outcome::Failed(why) = cargo_test(&["--workspace"], &workspace, filter, report)? {
            failed.push(why);
        }
    }
    Ok(if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join("; ")) })
}

/// Tests of every crate that needs no server.
pub fn unit(machine: &Machine, filter: Option<&str>, report: &mut Report) -> Result<Outcome> {
    cargo_test(&["--workspace", "--exclude", "wasmill-tests"], &machine.root, filter, report)
}

/// The suites that start the real servers and the real binary.
pub fn e2e(machine: &Machine, filter: Option<&str>, report: &mut Report) -> Result<Outcome> {
    // Both are there already after the stages before; alone, this stage must not test old ones.
    guest::build_plugins(machine)?;
    shell::run(Command::new("cargo").args(["build", "--locked", "--package", "wasmill"]).current_dir(&machine.root))?;
    cargo_test(&["--package", "wasmill-tests"], &machine.root, filter, report)
}

/// `cargo test`, its output shown as it comes and counted.
fn cargo_test(packages: &[&str], workspace: &Path, filter: Option<&str>, report: &mut Report) -> Result<Outcome> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--locked", "--no-fail-fast"]).args(packages);
    // The name is a filter of each test program, not of cargo, which would take it for one crate's.
    cargo.arg("--").args(filter);
    if console::colors_enabled() {
        cargo.arg("--color=always");
    }
    println!("  {}", console::style(format!("$ {}", shell::line(&cargo))).dim());
    cargo.current_dir(workspace).env("WASMILL_SKIP_LOG", report.skip_log()).stdout(Stdio::piped());
    let mut child = cargo.spawn().context("start cargo")?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            report.line(&console::strip_ansi_codes(&line));
        }
    }
    let status = child.wait()?;
    Ok(if status.success() { Outcome::Passed } else { Outcome::Failed(format!("`{}` failed", shell::line(&cargo))) })
}
