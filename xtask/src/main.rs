//! `cargo xtask`: every chore of the project, for people and CI alike. One file or folder per command.
//!
//! It stays small and knows nothing of the host crate: set-up must run on a machine on which the host
//! cannot be compiled yet. What needs the host is run as a program.

mod bench;
mod bindings;
mod chaos;
mod demo;
mod fuzz;
mod guest;
mod loghub;
mod machine;
mod rig;
mod setup;
mod shell;
mod show;
mod test;

use std::process::ExitCode;

use clap::Parser;

use crate::machine::Machine;

/// Every chore of the project.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Chore {
    /// Get what building, running and testing needs; does only what is missing, and says why.
    Setup(setup::Args),
    /// Write what `wit/` looks like from Rust into the SDK.
    Bindings {
        /// Write nothing, only say whether the files still fit `wit/`.
        #[arg(long)]
        check: bool,
    },
    /// Watch an agent write parsers for logs in formats that nobody taught it.
    Demo(demo::Args),
    /// Measure the parsers that it writes against logs whose truth is known.
    Loghub(loghub::Args),
    /// Measure the stated figures on a release build.
    Bench(bench::Args),
    /// Kill, freeze and cut off hosts and the broker at random, and check that every record counts once.
    Chaos(chaos::Args),
    /// Feed every parser of untrusted bytes with what makes it do something new.
    Fuzz(fuzz::Args),
    /// Run every check and every suite, after a set-up of what is missing.
    Test(test::Args),
}

fn main() -> ExitCode {
    let done = Machine::new().and_then(|machine| match Chore::parse() {
        Chore::Setup(args) => setup::command(&machine, &args),
        Chore::Bindings { check } => bindings::run(check).map(|()| ExitCode::SUCCESS),
        Chore::Demo(args) => demo::command(&machine, &args),
        Chore::Loghub(args) => loghub::command(&machine, &args),
        Chore::Bench(args) => bench::command(&machine, &args),
        Chore::Chaos(args) => chaos::command(&machine, &args),
        Chore::Fuzz(args) => fuzz::command(&machine, &args),
        Chore::Test(args) => test::command(&machine, &args),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{} {error:#}", console::style("failed:").red().bold().for_stderr());
            ExitCode::FAILURE
        }
    }
}
