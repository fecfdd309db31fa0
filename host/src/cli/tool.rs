//! `wasmill tool`

use clap::{Args, Subcommand};
use console::style;
use serde_json::Value;

use super::Context;
use super::output::{printable, table};
use super::progress::Progress;
use crate::catalog::RolledBack;
use crate::gateway::{CallReply, CallRequest, ToolReply};
use crate::problem::Problem;

/// Verbs of `tool`.
#[derive(Debug, Subcommand)]
pub(super) enum Tool {
    /// List callable tools
    #[command(after_help = "Examples:
  wasmill tool list
  wasmill tool list --output json")]
    List,
    /// Show a tool's functions and their schemas
    #[command(after_help = "Examples:
  wasmill tool show json-query
  wasmill tool show json-query@0.1.0 --output json")]
    Show {
        /// `name` or `name@version`
        tool: String,
    },
    /// Call a function of a tool
    #[command(
        after_help = "The call is made as the client `cli`: a row for \"client:cli\" in permissions.toml must allow it.

Examples:
  wasmill tool call text-metrics count '{\"text\": \"one two\"}'
  wasmill tool call greeter@0.1.0 greet '{\"name\": \"Ada\"}' --output json"
    )]
    Call(Call),
    /// Let calls by plain name reach a version again that was rolled back because it failed
    #[command(after_help = "A host takes no version back by itself that was restored once.

Examples:
  wasmill tool restore logsmith.parse-dpkg@0.1.3")]
    Restore {
        /// NAME@VERSION
        tool: wasmill_registry::Reference,
    },
}

/// Calls a function.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// `name` or `name@version`
    tool: String,
    /// Function
    function: String,
    /// Arguments: a JSON object
    #[arg(default_value = "{}")]
    arguments: String,
}

impl Tool {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List => list(cx).await,
            Self::Show { tool } => show(cx, &tool).await,
            Self::Call(call) => call.run(cx).await,
            Self::Restore { tool } => restore(cx, &tool).await,
        }
    }
}

impl Call {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let arguments: Value = serde_json::from_str(&self.arguments).map_err(|error| {
            let next = "Write an object, in single quotes for the shell: '{\"text\": \"one\"}'.";
            Problem::invalid("tool.arguments", format!("the arguments are not JSON: {error}"), next)
        })?;
        let request = CallRequest { function: self.function, arguments };
        let progress = Progress::start(cx.output, format!("Calling {}", self.tool));
        let reply: CallReply = cx.client().await?.post(&format!("/v1/tools/{}/calls", self.tool), &request).await?;
        drop(progress);
        cx.output.show(&reply.result, |result| serde_json::to_string_pretty(result).unwrap_or_default())
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    // Where no host runs, this process loads all that is installed.
    let progress = Progress::start(cx.output, "Loading tools");
    let tools: Vec<ToolReply> = cx.client().await?.get("/v1/tools").await?;
    drop(progress);
    cx.output.show(&tools, |tools| {
        if tools.is_empty() {
            return "No tools. Install one with `wasmill plugin install FOLDER`.".to_owned();
        }
        let rows = tools.iter().map(|tool| {
            let functions: Vec<&str> = tool.functions.iter().map(|f| f.name.as_str()).collect();
            let maker = tool.maker.clone().unwrap_or_else(|| "-".into());
            [tool.name.clone(), versions(tool), functions.join(", "), maker, tool.description.clone()]
        });
        table(["TOOL", "VERSION", "FUNCTIONS", "MADE FOR", "DESCRIPTION"], rows)
    })
}

/// The version that the plain name reaches, and those that it doesn't because they fail.
fn versions(tool: &ToolReply) -> String {
    let failing: Vec<&str> = tool.rolled_back.iter().map(|rolled| rolled.version.as_str()).collect();
    if failing.is_empty() { tool.version.clone() } else { format!("{} ({} fails)", tool.version, failing.join(", ")) }
}

async fn restore(cx: &Context, tool: &wasmill_registry::Reference) -> Result<(), Problem> {
    let restored: RolledBack = cx.client().await?.delete(&format!("/v1/rollbacks/{tool}")).await?;
    cx.output.show(&restored, |restored| format!("Restored {}@{}", restored.tool, restored.version))
}

async fn show(cx: &Context, tool: &str) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, "Loading tools");
    let tool: ToolReply = cx.client().await?.get(&format!("/v1/tools/{tool}")).await?;
    drop(progress);
    cx.output.show(&tool, |tool| {
        let mut text = format!("{}@{}  {}\n{}", style(&tool.name).bold(), tool.version, tool.digest, tool.description);
        for rolled in &tool.rolled_back {
            let said = format!("{} was rolled back: {}", rolled.version, printable(&rolled.reason));
            text.push_str(&format!("\n{}", style(said).yellow()));
        }
        for function in &tool.functions {
            let name = style(&function.name).cyan();
            text.push_str(&format!("\n\n{name}  {}", function.description));
            text.push_str(&format!("\n  takes   {}\n  returns {}", function.input_schema, function.output_schema));
        }
        text
    })
}
