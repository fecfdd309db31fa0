//! A tool in JavaScript: no compiler, no sandbox, milliseconds.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::rig::Wasmill;
use crate::show;

/// The source of the tool.
const SOURCE: &str = include_str!("slug.js");
const TITLE: &str = r#"{"title": "Crème brûlée: a short history"}"#;

/// What the forge says of it.
#[derive(Debug, Deserialize)]
struct Outcome {
    outcome: String,
    #[serde(default)]
    timings: Vec<Timing>,
}

#[derive(Debug, Deserialize)]
struct Timing {
    micros: u64,
}

/// Makes the tool and calls it.
///
/// # Errors
/// When anything goes another way.
pub fn show(wasmill: &Wasmill) -> Result<()> {
    show::say(
        "A tool may be JavaScript as well: it is its source, run by an engine that was compiled when the host started.",
    );
    let file = wasmill.home().join("slug.js");
    fs::write(&file, SOURCE)?;
    let build = ["forge", "build", &file.display().to_string()];
    show::command(&wasmill.shown(&build));
    let built: Outcome = wasmill.ask(&build)?;
    ensure!(built.outcome == "callable", "the forge says {}", built.outcome);
    let took = Duration::from_micros(built.timings.iter().map(|timing| timing.micros).sum());
    show::done("read, tried, signed and callable", Some(took));
    let call = ["tool", "call", "cli.slug", "slug", TITLE];
    show::command(&wasmill.shown(&call));
    let answer: Value = wasmill.ask(&call)?;
    ensure!(answer == "creme-brulee-a-short-history", "cli.slug answers {answer}");
    show::done(&format!("cli.slug answers {answer}"), None);
    Ok(())
}
