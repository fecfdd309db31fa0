//! `wasmill generate`: what packages of this program carry besides it, made of its own definitions.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Subcommand};
use clap_complete::Shell;
use serde_json::json;

use super::{Cli, Context};
use crate::gateway::openapi_document;
use crate::problem::{Problem, ProblemKind};

/// Verbs of `generate`.
#[derive(Debug, Subcommand)]
pub(super) enum Generate {
    /// Write completions for a shell to standard output
    #[command(after_help = "Examples:
  wasmill generate completions bash > /etc/bash_completion.d/wasmill
  wasmill generate completions zsh > ~/.zfunc/_wasmill
  wasmill generate completions fish > ~/.config/fish/completions/wasmill.fish")]
    Completions(Completions),
    /// Write a manual page for each command into a folder
    #[command(after_help = "Examples:
  wasmill generate man /usr/local/share/man/man1")]
    Man(Man),
    /// Write the gateway's OpenAPI document to standard output
    #[command(after_help = "Examples:
  wasmill generate openapi > openapi.json")]
    Openapi,
}

/// Writes completions.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Writes manual pages.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where to; it is made where it isn't there
    folder: PathBuf,
}

impl Generate {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(cx),
            Self::Openapi => cx.output.show(openapi_document(), |document| format!("{document:#}")),
        }
    }
}

impl Completions {
    fn run(self) -> Result<(), Problem> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "wasmill", &mut script);
        // A shell reads it as it is, whatever --output says.
        let written = std::io::stdout().lock().write_all(&script);
        written.map_err(|error| Problem::new(ProblemKind::Failed, "output.failed", error, ""))
    }
}

impl Man {
    fn run(self, cx: &Context) -> Result<(), Problem> {
        let failed = |error: std::io::Error| Problem::io(&self.folder, &error);
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(failed)?;
        let folder = self.folder.display().to_string();
        cx.output
            .show(&json!({ "folder": folder }), |_| format!("Manual pages are in {folder}: man {folder}/wasmill.1"))
    }
}
