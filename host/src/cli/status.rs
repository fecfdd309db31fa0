//! `wasmill status`

use clap::Args;
use console::style;
use serde_json::Value;

use super::Context;
use super::output::table;
use crate::problem::Problem;

/// Shows agents, tools, what waits and what was refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  wasmill status
  wasmill status --output json")]
pub(super) struct Status;

impl Status {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let client = cx.client().await?;
        let running = client.is_running();
        let status: Value = client.get("/v1/status").await?;
        cx.output.show(&status, |status| human(status, running))
    }
}

fn human(status: &Value, running: bool) -> String {
    let list = |name: &str| status[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let state = |of: &Value| match of["reason"].as_str() {
        Some(reason) => format!("waits: {reason}"),
        None => text(&of["state"]),
    };
    let head = if running { style("a host is up").green() } else { style("no host is up (see `wasmill up`)").yellow() };
    let mut parts = vec![format!("{head}, policy {}", text(&status["permissions"]["revision"]))];
    if let Some(rejected) = status["permissions"]["rejected"].as_str() {
        parts.push(format!("{} {rejected}", style("permissions.toml is refused, the old one stays:").red()));
    }
    let agents = list("agents");
    if !agents.is_empty() {
        let rows = agents
            .iter()
            .map(|a| [text(&a["agent"]), a["records"].to_string(), a["dead_letters"].to_string(), state(a)]);
        parts.push(table(["AGENT", "RECORDS", "DEAD LETTERS", "STATE"], rows));
    }
    let pairs = list("tool_topics");
    if !pairs.is_empty() {
        let rows = pairs.iter().map(|pair| {
            let client = format!("client:{}", text(&pair["client"]));
            [
                text(&pair["requests"]),
                client,
                pair["answers"].to_string(),
                pair["dead_letters"].to_string(),
                state(pair),
            ]
        });
        parts.push(table(["TOOL REQUESTS", "AS", "ANSWERS", "DEAD LETTERS", "STATE"], rows));
    }
    let talks = &status["conversations"];
    if !talks.is_null() {
        let count = |name: &str| talks[name].to_string();
        let row = [
            text(&talks["inbound"]),
            text(&talks["outbound"]),
            count("messages"),
            count("events"),
            count("listeners"),
            state(talks),
        ];
        parts.push(table(["CONVERSATIONS", "ANSWERS", "MESSAGES", "EVENTS", "LISTENERS", "STATE"], [row]));
    }
    let tools = list("tools");
    if !tools.is_empty() {
        parts.push(format!("tools: {}", tools.iter().map(text).collect::<Vec<_>>().join(", ")));
    }
    for waiting in list("waiting") {
        let component = text(&waiting["component"]);
        let next = format!("`wasmill approval show {component}`");
        parts.push(format!("{} {component}: {next}", style("waits for an admin:").yellow()));
    }
    for refused in list("refused") {
        let (component, reason) = (text(&refused["component"]), text(&refused["reason"]));
        parts.push(format!("{} {component}: {reason}", style("refused:").red()));
    }
    parts.join("\n\n")
}
