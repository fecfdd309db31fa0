//! `wasmill permission`

mod export;
mod share;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use console::{Term, style};
use serde::Serialize;

use super::Context;
use super::progress::Progress;
use crate::gateway::{ExplainReply, ExplainRequest, MatrixReply};
use crate::permissions::{Column, Matrix, Principal};
use crate::problem::Problem;

/// Verbs of `permission`.
#[derive(Debug, Subcommand)]
pub(super) enum Permission {
    /// Show who may do what: a row per row, a column per column
    #[command(after_help = "Examples:
  wasmill permission matrix
  wasmill permission matrix --output json")]
    Matrix,
    /// Explain what somebody may do and why, or why one action is allowed or denied
    #[command(after_help = "Examples:
  wasmill permission explain agent:logsmith
  wasmill permission explain agent:counter topics.write payments
  wasmill permission explain tool:logsmith.web http 'GET api.example.com'
  wasmill permission explain agent:counter state")]
    Explain(Explain),
    /// Check a permission file without using it: exit code 0 where a host would take it, 2 where not
    #[command(after_help = "Examples:
  wasmill permission check
  wasmill permission check new-permissions.toml")]
    Check(Check),
    /// Write the access rules that the host's Kafka user needs: everything that agents may do, and what the host does
    /// for them. Changes nothing
    #[command(after_help = "Prints command lines of Kafka's own kafka-acls.sh. `wasmill doctor` compares a broker's
rules with these.

Examples:
  wasmill permission export --kafka > acls.sh
  wasmill permission export --kafka --clients
  wasmill permission export --kafka --principal User:CN=mill --output json")]
    Export(export::Export),
    /// Sign this home's permissions.toml and trust.toml as an admin, for every host on the same database
    #[command(after_help = "Each host takes them within seconds, where it trusts the key as an admin's now.

Examples:
  wasmill permission share
  wasmill permission share --key /media/stick/admin.key")]
    Share(share::Share),
}

/// Explains.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// agent:NAME, tool:NAME or client:NAME
    principal: Principal,
    /// Column of the matrix, to ask about one action
    #[arg(value_parser = column)]
    column: Option<Column>,
    /// What the action is about: a topic, a tool, 'METHOD HOST', …; nothing for state and clock
    name: Option<String>,
}

/// Checks a file.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The file [default: permissions.toml of the home]
    file: Option<PathBuf>,
}

/// A file that a host would take.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    revision: String,
    rows: usize,
}

fn column(word: &str) -> Result<Column, String> {
    Column::from_word(word).ok_or_else(|| format!("no column; there are {}", Column::ALL.map(Column::word).join(", ")))
}

impl Permission {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Matrix => matrix(cx).await,
            Self::Explain(command) => command.run(cx).await,
            Self::Check(command) => command.run(cx),
            Self::Export(command) => command.run(cx).await,
            Self::Share(command) => command.run(cx).await,
        }
    }
}

async fn matrix(cx: &Context) -> Result<(), Problem> {
    let reply: MatrixReply = cx.client().await?.get("/v1/permissions").await?;
    cx.output.show(&reply, |reply| {
        let refused = reply.rejected.as_ref().map(|reason| format!("the file as it is now is refused: {reason}"));
        let veto = reply.veto.as_ref().map(|veto| match &veto.broken {
            None => format!("a veto policy (revision {}) may deny any of this\n", veto.revision),
            Some(broken) => format!("nothing is allowed now: the veto policy can't be asked ({broken})\n"),
        });
        let text = reply.grid.render(width()) + &veto.unwrap_or_default() + &refused.unwrap_or_default();
        text.trim_end().to_owned()
    })
}

impl Explain {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let request = ExplainRequest { principal: self.principal.to_string(), column: self.column, name: self.name };
        let progress = Progress::start(cx.output, "Verifying components");
        let reply: ExplainReply = cx.client().await?.post("/v1/permissions/explain", &request).await?;
        drop(progress);
        cx.output.show(&reply, render)
    }
}

fn render(reply: &ExplainReply) -> String {
    if let Some(answer) = &reply.answer {
        let word = if answer.allowed { style("allowed").green() } else { style("denied").red() };
        return format!("{}: {}", word.bold(), answer.text);
    }
    let text = reply.explanation.render(width());
    match &reply.component {
        Some(component) => format!("{component} is {}", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

impl Check {
    fn run(self, cx: &Context) -> Result<(), Problem> {
        let file = match self.file {
            Some(file) => file,
            None => cx.home()?.permissions_file(),
        };
        let matrix = Matrix::load(&file)?;
        let checked = Checked { revision: matrix.revision().to_string(), rows: matrix.rows().len(), file };
        cx.output.show(&checked, |checked| {
            format!("{} is fine; rows: {}, revision {}", checked.file.display(), checked.rows, checked.revision)
        })
    }
}

/// Characters that a line of this terminal holds.
fn width() -> u16 {
    Term::stdout().size().1
}
