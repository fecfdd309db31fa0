//! `wasmill agent`

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use crate::gateway::{StartReply, StartRequest, StartedReply};
use crate::problem::Problem;

/// Verbs of `agent`.
#[derive(Debug, Subcommand)]
pub(super) enum Agent {
    /// Start an installed agent once more, below this client's name, for topics of its own, on every host
    #[command(after_help = "What it may do is what the rows for client:cli and for the agent's new name both allow.

Examples:
  wasmill agent start upper --name night --read orders.night
  wasmill agent start writer --name fr --read drafts.fr --set language=fr")]
    Start(Start),
    /// List the agents that agents and clients have started; installed ones are in `wasmill status`
    #[command(after_help = "Examples:
  wasmill agent list
  wasmill agent list --output json")]
    List,
    /// Stop an agent that was started so, on every host
    #[command(after_help = "Examples:
  wasmill agent stop writer.night")]
    Stop(Stop),
}

/// Starts.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// Name of an installed agent
    component: String,
    /// Name below this client's: `night` becomes `cli.night`
    #[arg(long)]
    name: String,
    /// Topic that it reads; may be given several times
    #[arg(long = "read", value_name = "TOPIC", required = true)]
    reads: Vec<String>,
    /// A setting, KEY=VALUE; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a setting is written KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
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
            Self::Start(command) => command.run(cx).await,
            Self::List => list(cx).await,
            Self::Stop(command) => command.run(cx).await,
        }
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let started: Vec<StartedReply> = cx.client().await?.get("/v1/agents/started").await?;
    cx.output.show(&started, |started| {
        if started.is_empty() {
            return "Nobody has started an agent.".to_owned();
        }
        let rows = started.iter().map(|one| {
            let state = one.reason.as_deref().unwrap_or("may work");
            [one.name.clone(), one.started.component.clone(), one.started.reads.join(" "), state.to_owned()]
        });
        table(["AGENT", "COMPONENT", "READS", "STATE"], rows)
    })
}

impl Start {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let Self { component, name, reads, settings } = self;
        let request = StartRequest { name, component, reads, settings: settings.into_iter().collect() };
        let started: StartReply = cx.client().await?.post("/v1/agents/started", &request).await?;
        cx.output.show(&started, |started| match started.is_new {
            true => format!("Started {}; `wasmill status` shows it when a host has taken it up", started.name),
            false => format!("{} is at work already", started.name),
        })
    }
}

impl Stop {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_component_name(&self.name)?;
        let path = format!("/v1/agents/started/{}", self.name);
        let stopped: String = cx.client().await?.delete(&path).await?;
        cx.output.show(&stopped, |name| format!("Stopped {name}"))
    }
}
