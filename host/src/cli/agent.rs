//! `wasmill agent`

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use crate::gateway::StartedReply;
use crate::problem::Problem;

/// Verbs of `agent`.
#[derive(Debug, Subcommand)]
pub(super) enum Agent {
    /// List the agents that agents have started; installed ones are in `wasmill status`
    #[command(after_help = "Examples:
  wasmill agent list
  wasmill agent list --output json")]
    List,
    /// Stop an agent that an agent has started, on every host
    #[command(after_help = "Examples:
  wasmill agent stop writer.night")]
    Stop(Stop),
}

/// Stops.
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Its name, as `wasmill agent list` shows it
    name: String,
}

impl Agent {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List => list(cx).await,
            Self::Stop(command) => command.run(cx).await,
        }
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let started: Vec<StartedReply> = cx.client().await?.get("/v1/agents/started").await?;
    cx.output.show(&started, |started| {
        if started.is_empty() {
            return "No agent has started another one.".to_owned();
        }
        let rows = started.iter().map(|one| {
            let state = one.reason.as_deref().unwrap_or("may work");
            [one.name.clone(), one.started.component.clone(), one.started.reads.join(" "), state.to_owned()]
        });
        table(["AGENT", "COMPONENT", "READS", "STATE"], rows)
    })
}

impl Stop {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_component_name(&self.name)?;
        let path = format!("/v1/agents/started/{}", self.name);
        let stopped: String = cx.client().await?.delete(&path).await?;
        cx.output.show(&stopped, |name| format!("Stopped {name}"))
    }
}
