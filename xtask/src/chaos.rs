//! `cargo xtask chaos`: hosts under fire, for as long as one likes.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::{guest, setup, shell};

/// Lets faults strike real hosts and a real broker while records are counted, and checks every count.
///
/// Ends with a failure where a record was lost, doubled, out of its order or counted wrongly, and where a fault could not
/// be made to happen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long faults strike; checking afterwards takes a few more.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Decides which faults strike, when and whom; none: another one each time, which is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// Leaves out cutting networks, which needs root and `ip`.
    #[arg(long)]
    without_network: bool,
    /// `human` for a table, `json` for {"seed", "inputs", "lost", "duplicates", "out_of_order", "wrong_counts",
    /// "faults": {kind: times}, …}.
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    output: String,
}

/// Builds plugins, host and the run itself, then runs it.
///
/// # Errors
/// When something can't be built or started.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    setup::ensure(machine, setup::Purpose::Test)?;
    guest::build_plugins(machine)?;
    let package = ["--quiet", "--locked", "--package", "wasmill-tests"];
    // The hosts are started from a program of the same package.
    shell::run(Command::new("cargo").arg("build").args(package).arg("--bins").current_dir(&machine.root))?;
    let mut chaos = Command::new("cargo");
    chaos.arg("run").args(package).args(["--bin", "wasmill-chaos", "--"]).current_dir(&machine.root);
    chaos.arg(format!("--minutes={}", args.minutes)).arg(format!("--output={}", args.output));
    if let Some(seed) = args.seed {
        chaos.arg(format!("--seed={seed}"));
    }
    if args.without_network {
        chaos.arg("--without-network");
    }
    let status = chaos.status().context("start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
