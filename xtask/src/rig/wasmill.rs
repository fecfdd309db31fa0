//! The command line `wasmill` on one home.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::shell;

/// The binary and the home that it works on.
#[derive(Debug, Clone)]
pub struct Wasmill {
    binary: PathBuf,
    home: PathBuf,
}

/// What a command says when it does not do what it was asked.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    /// Stable identifier.
    pub code: String,
    /// For a person.
    pub message: String,
    /// What to do about it; may be empty.
    #[serde(default)]
    pub next: String,
}

impl Wasmill {
    /// Runs this binary on this home.
    pub fn new(binary: &Path, home: &Path) -> Self {
        Self { binary: binary.to_owned(), home: home.to_owned() }
    }

    /// The home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A command without its output format.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--home").arg(&self.home).args(arguments);
        command
    }

    /// The command as a person pastes it where this process was started.
    pub fn shown(&self, arguments: &[&str]) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        let binary = self.binary.strip_prefix(&here).unwrap_or(&self.binary);
        let mut command = Command::new(binary);
        shell::line(command.arg("--home").arg(&self.home).args(arguments))
    }

    /// Runs a command and reads its answer.
    ///
    /// # Errors
    /// When it fails, with its own words; when the answer has another shape.
    pub fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let output = self.run(arguments, None)?;
        let answer = self.answer(arguments, &output)?;
        serde_json::from_str(answer.trim())
            .with_context(|| format!("`{}` answers {}", self.shown(arguments), answer.trim()))
    }

    /// Runs a command that may be refused.
    ///
    /// # Errors
    /// When it cannot be run, or ends without an answer and without a reason.
    pub fn try_ask(&self, arguments: &[&str]) -> Result<Result<Value, Refusal>> {
        let output = self.run(arguments, None)?;
        if output.status.success() {
            return Ok(Ok(serde_json::from_slice(&output.stdout)?));
        }
        let reason = serde_json::from_slice(&output.stderr);
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(Err(reason.with_context(|| format!("`{}` ended with {}", self.shown(arguments), said.trim()))?))
    }

    /// Sends lines to a topic, keyed by their source.
    ///
    /// # Errors
    /// When they cannot be sent.
    pub fn send(&self, topic: &str, source: &str, lines: &[u8]) -> Result<()> {
        let arguments = ["record", "send", topic, "--key", source];
        let output = self.run(&arguments, Some(lines))?;
        self.answer(&arguments, &output).map(|_| ())
    }

    fn answer(&self, arguments: &[&str], output: &Output) -> Result<String> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        match serde_json::from_slice::<Refusal>(&output.stderr) {
            Ok(Refusal { message, next, .. }) if next.is_empty() => bail!("{message}\n  by: {}", self.shown(arguments)),
            Ok(Refusal { message, next, .. }) => bail!("{message}\n  next: {next}\n  by: {}", self.shown(arguments)),
            Err(_) => bail!("`{}` ended with {}: {}", self.shown(arguments), output.status, said.trim()),
        }
    }

    fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Output> {
        let mut command = self.command(arguments);
        command.args(["--output", "json"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let start = || format!("start {}", self.binary.display());
        let mut child = command.spawn().with_context(start)?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // Where the command ends early, its own words say more than the broken pipe.
            let _ = pipe.write_all(input);
        }
        child.wait_with_output().with_context(start)
    }
}
