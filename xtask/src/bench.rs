//! `cargo xtask bench`: the stated figures, on a release build.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::machine::Machine;
use crate::{guest, setup, shell};

/// Measures the figures that docs/performance.md states.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One of permission, boundary, tool-call, density, embedded, kafka, forge; all of them where it isn't given.
    #[arg(long)]
    only: Option<String>,
    /// `human` for a table, `json` for an array of {"name", "value", "unit", "reach", "met"}.
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    output: String,
}

/// Builds plugins and benchmarks, then measures. A missed figure is printed as one and is no failure.
///
/// # Errors
/// When something can't be built or measured.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    setup::ensure(machine, setup::Purpose::Test)?;
    guest::build_plugins(machine)?;
    let mut bench = Command::new("cargo");
    bench.current_dir(&machine.root).args([
        "bench",
        "--quiet",
        "--package",
        "wasmill-tests",
        "--bench",
        "figures",
        "--",
    ]);
    if args.output == "json" {
        bench.arg("--json");
    }
    if let Some(only) = &args.only {
        bench.arg(format!("--only={only}"));
    }
    shell::run(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
