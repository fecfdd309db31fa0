//! `wasmill approval`

mod grant;
mod show;

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use super::progress::Progress;
use crate::approvals::{Case, CaseState};
use crate::gateway::DenyRequest;
use crate::problem::Problem;

/// Verbs of `approval`.
#[derive(Debug, Subcommand)]
pub(super) enum Approval {
    /// List the components that need an approval, and where each stands
    #[command(after_help = "Examples:
  wasmill approval list
  wasmill approval list --output json")]
    List,
    /// Show all that there is to judge one by: permissions, imports, source, how it was made
    #[command(after_help = "Examples:
  wasmill approval show logsmith.web
  wasmill approval show logsmith.web@1.0.0 --output json")]
    Show(show::Show),
    /// Approve one: sign its component, manifest and permissions with an admin's key
    #[command(after_help = "Examples:
  wasmill approval grant logsmith.web
  wasmill approval grant logsmith.web@1.0.0 --key ~/keys/boss.key --expires 2030-01-31T12:00:00Z")]
    Grant(grant::Grant),
    /// Refuse one, or withdraw its approval
    #[command(after_help = "Examples:
  wasmill approval deny logsmith.web --reason 'it may not talk to the outside'")]
    Deny(Deny),
}

/// Refuses.
#[derive(Debug, Args)]
pub(super) struct Deny {
    /// NAME, or NAME@VERSION
    reference: wasmill_registry::Reference,
    /// Why, for whoever asks later
    #[arg(long, default_value = "")]
    reason: String,
}

impl Approval {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List => list(cx).await,
            Self::Show(command) => command.run(cx).await,
            Self::Grant(command) => command.run(cx).await,
            Self::Deny(command) => command.run(cx).await,
        }
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, "Verifying components");
    let cases: Vec<Case> = cx.client().await?.get("/v1/approvals").await?;
    drop(progress);
    cx.output.show(&cases, |cases| {
        if cases.is_empty() {
            return "No component asks for anything privileged.".to_owned();
        }
        let rows = cases.iter().map(|case| {
            let from = case.maker.clone().unwrap_or_else(|| format!("{} ({})", case.signer.name, case.signer.role));
            [case.component.clone(), standing(&case.state), case.privileged.join(", "), from, case.description.clone()]
        });
        table(["COMPONENT", "STATE", "PRIVILEGED", "FROM", "ABOUT"], rows)
    })
}

/// Where a case stands, as a person reads it.
fn standing(state: &CaseState) -> String {
    match state {
        CaseState::Waiting { needed: 1, .. } => "waiting".into(),
        CaseState::Waiting { signers, needed } => format!("waiting, {} of {needed} admins signed", signers.len()),
        CaseState::Granted { signers, expires } => {
            let names: Vec<&str> = signers.iter().map(|signer| signer.name.as_str()).collect();
            let until = expires.map(|at| format!(" until {}", at.date())).unwrap_or_default();
            format!("granted by {}{until}", names.join(", "))
        }
        CaseState::Denied { reason, .. } if reason.is_empty() => "denied".into(),
        CaseState::Denied { reason, .. } => format!("denied: {reason}"),
    }
}

impl Deny {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let path = format!("/v1/approvals/{}/deny", self.reference);
        let case: Case = cx.client().await?.post(&path, &DenyRequest { reason: self.reason }).await?;
        cx.output.show(&case, |case| format!("Denied {}; it stays where it is and is not loaded", case.component))
    }
}
