//! `cargo xtask loghub DIR`: how good the parsers are that logsmith writes, on logs whose truth is known.
//!
//! Every set goes through the whole pipeline as a source that nobody has seen: a running host, its agent, the forge. What
//! is measured, for each set:
//!
//! - **grouping accuracy**: the share of lines whose group, all lines with the same template number, is exactly the group
//!   of lines with the same event in the truth. The order of a source is kept, so the n-th parsed record is line n.
//! - **lines per second** through the tool: with the parser there, the lines ten times more, all on `logs.raw` before the
//!   host comes up. Over the agent's batches, the median of lines by the time between two commits: reading, calls of the
//!   tool in fresh instances, writing and committing, on the development build. Sending them is not in it.
//! - **forge time**: from the written source to the callable tool, all stages.
//!
//! It must never treat one set other than the next.

mod accuracy;
mod measure;
mod sets;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use crate::machine::Machine;
use crate::rig;
use crate::setup::{self, Purpose};

/// Arguments of `cargo xtask loghub`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with NAME_2k.log and NAME_2k.log_structured.csv for each set.
    folder: PathBuf,
    /// For a person, or as JSON for a program.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// The figures of one set.
#[derive(Debug, Serialize)]
pub struct Figures {
    set: String,
    /// 0 to 1.
    grouping_accuracy: f64,
    lines_per_second: f64,
    forge_ms: u128,
}

/// The command.
///
/// # Errors
/// When the folder has no sets, or one does not go through.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    let sets = sets::read(&args.folder)?;
    setup::ensure(machine, Purpose::Run)?;
    rig::listen()?;
    let figures = measure::all(machine, &sets)?;
    match args.output {
        Format::Json => println!("{}", serde_json::to_string(&figures)?),
        Format::Human => {
            println!("{:<16} {:>17} {:>17} {:>10}", "set", "grouping accuracy", "lines per second", "forge");
            for f in &figures {
                let (accuracy, speed) = (f.grouping_accuracy, f.lines_per_second);
                println!("{:<16} {accuracy:>17.4} {speed:>17.0} {:>7} ms", f.set, f.forge_ms);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
