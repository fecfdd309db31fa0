//! `wasmill tool`

use clap::{Args, Subcommand};
use console::style;
use serde_json::Value;

use super::Context;
use super::output::table;
use super::progress::Progress;
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
            [tool.name.clone(), tool.version.clone(), functions.join(", "), maker, tool.description.clone()]
        });
        table(["TOOL", "VERSION", "FUNCTIONS", "MADE FOR", "DESCRIPTION"], rows)
    })
}

async fn show(cx: &Context, tool: &str) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, "Loading tools");
    let tool: ToolReply = cx.client().await?.get(&format!("/v1/tools/{tool}")).await?;
    drop(progress);
    cx.output.show(&tool, |tool| {
        let mut text = format!("{}@{}  {}\n{}", style(&tool.name).bold(), tool.version, tool.digest, tool.description);
        for function in &tool.functions {
            let name = style(&function.name).cyan();
            text.push_str(&format!("\n\n{name}  {}", function.description));
            text.push_str(&format!("\n  takes   {}\n  returns {}", function.input_schema, function.output_schema));
        }
        text
    })
}
