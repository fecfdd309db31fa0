//! Stages that run the main job as a person would: nothing is looked at from inside.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::report::Outcome;
use crate::machine::Machine;
use crate::shell;

/// Lines of the log that is made up for [`loghub`], as many as the published sets have.
const LINES: usize = 2_000;
/// Least grouping accuracy on it: its formats are plain ones.
const ACCURACY_MIN: f64 = 0.99;

/// `cargo xtask demo`, which fails where anything that it tells of does not happen.
pub fn demo(machine: &Machine) -> Result<Outcome> {
    shell::run(xtask(machine)?.arg("demo"))?;
    Ok(Outcome::Passed)
}

/// `cargo xtask loghub` on a log whose truth is known because it is made here.
pub fn loghub(machine: &Machine) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let (mut log, mut truth) = (String::new(), String::from("LineId,EventId\n"));
    for number in 0..LINES {
        let (event, message) = message(number);
        let (minute, second) = (number / 60 % 60, number % 60);
        writeln!(
            log,
            "2026-03-0{} 09:{minute:02}:{second:02},{:03} INFO shop: {message}",
            1 + number / 500,
            number % 997
        )?;
        writeln!(truth, "{},{event}", number + 1)?;
    }
    std::fs::write(folder.path().join("Shop_2k.log"), log)?;
    std::fs::write(folder.path().join("Shop_2k.log_structured.csv"), truth)?;
    let accuracy = accuracy(machine, folder.path())?;
    println!("  grouping accuracy {accuracy:.4}");
    ensure!(accuracy >= ACCURACY_MIN, "the grouping accuracy is {accuracy}, and {ACCURACY_MIN} was to be reached");
    Ok(Outcome::Passed)
}

fn accuracy(machine: &Machine, folder: &Path) -> Result<f64> {
    let answer = shell::capture(xtask(machine)?.arg("loghub").arg(folder).args(["--output", "json"]))?;
    let figures: serde_json::Value = serde_json::from_str(&answer)?;
    figures[0]["grouping_accuracy"].as_f64().with_context(|| format!("no grouping accuracy in {answer}"))
}

/// This program again, as its own process: it is what a person starts.
fn xtask(machine: &Machine) -> Result<Command> {
    let mut xtask = Command::new(std::env::current_exe()?);
    xtask.current_dir(&machine.root);
    Ok(xtask)
}

/// The event of a line, and its message.
fn message(number: usize) -> (&'static str, String) {
    match number * 7 % 5 {
        0 => ("E1", format!("order {} of customer {} accepted", 1000 + number, number * 31 % 400)),
        1 => ("E2", format!("payment {} failed after {} ms", 70_000 + number, number % 900)),
        2 => ("E3", format!("Connection from 10.0.{}.{}:{} closed", number % 9, number % 250, 30_000 + number)),
        3 => ("E4", format!("cache has {} entries", number * 3)),
        _ => ("E5", format!("worker {} picked up job {:08x}", number % 16, number * 2_654_435)),
    }
}
