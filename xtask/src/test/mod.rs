//! `cargo xtask test`: every check and every suite, each stage even when one before it failed, and a
//! summary that leaves nothing to search for. CI runs exactly this.

mod checks;
mod report;
mod suites;
mod whole;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;
use console::style;

use self::report::{Outcome, Report};
use crate::machine::Machine;
use crate::setup::{self, Purpose};

/// Arguments of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run only tests whose name contains this, and no checks.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run only this stage; may be given several times.
    #[arg(long, value_enum, value_name = "STAGE")]
    only: Vec<Stage>,
}

/// The stages, in their order: what is quick to say no comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// Formatting of every workspace.
    Format,
    /// Licences, sources and versions of all dependencies.
    Deny,
    /// Clippy on every workspace, warnings are errors.
    Lint,
    /// Plugins are built to components; tests of the SDK and the plugins run natively.
    Guests,
    /// Tests of host, registry and xtask.
    Unit,
    /// The end-to-end suites, against real Kafka and PostgreSQL.
    E2e,
    /// A minute of made-up inputs for all parsers of untrusted bytes together.
    Fuzz,
    /// The demo, from a new home to its end.
    Demo,
    /// The parsers that logsmith writes, measured on a log whose truth is known.
    Loghub,
}

impl Stage {
    fn title(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Deny => "dependencies",
            Self::Lint => "clippy",
            Self::Guests => "plugins and SDK",
            Self::Unit => "unit tests",
            Self::E2e => "end-to-end suites",
            Self::Fuzz => "fuzzing",
            Self::Demo => "demo",
            Self::Loghub => "loghub",
        }
    }

    /// Whether it runs tests, which a filter can choose from.
    fn has_tests(self) -> bool {
        matches!(self, Self::Guests | Self::Unit | Self::E2e)
    }
}

/// The command.
///
/// # Errors
/// When the machine cannot be set up; a failing stage is an exit code.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    let missing = setup::ensure(machine, Purpose::Test)?;
    let mut report = Report::new(missing)?;
    let filter = args.filter.as_deref();
    for &stage in Stage::value_variants() {
        let chosen = args.only.is_empty() || args.only.contains(&stage);
        if !chosen || (filter.is_some() && !stage.has_tests()) {
            continue;
        }
        println!("\n{} {}", style("▶").cyan().bold(), style(stage.title()).bold());
        let start = Instant::now();
        let outcome =
            run(stage, machine, filter, &mut report).unwrap_or_else(|error| Outcome::Failed(error.to_string()));
        report.stage(stage.title(), start.elapsed(), outcome);
    }
    Ok(report.finish())
}

fn run(stage: Stage, machine: &Machine, filter: Option<&str>, report: &mut Report) -> Result<Outcome> {
    match stage {
        Stage::Format => checks::format(machine),
        Stage::Deny => checks::deny(machine),
        Stage::Lint => checks::lint(machine),
        Stage::Guests => suites::guests(machine, filter, report),
        Stage::Unit => suites::unit(machine, filter, report),
        Stage::E2e => suites::e2e(machine, filter, report),
        Stage::Fuzz => checks::fuzz(machine),
        Stage::Demo => whole::demo(machine),
        Stage::Loghub => whole::loghub(machine),
    }
}
