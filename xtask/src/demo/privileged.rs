//! A generated tool that asks for more than its maker can give: it waits until an admin has signed.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::roster::Roster;
use crate::rig::Wasmill;
use crate::show::{self, Step};

/// The source of the tool.
const SOURCE: &str = include_str!("on-call.rs.txt");
/// Its full name: made for the client `cli`.
pub const TOOL: &str = "cli.on-call";

/// What the forge says of it.
#[derive(Debug, Deserialize)]
struct Outcome {
    outcome: String,
    #[serde(default)]
    timings: Vec<Timing>,
    #[serde(flatten)]
    rest: Value,
}

#[derive(Debug, Deserialize)]
struct Timing {
    micros: u64,
}

/// Rows that let the tool, and whoever has it made, reach this server.
pub fn rows(roster: &Roster) -> String {
    let rule = wanted(roster);
    format!(
        "\n# What a tool of yours may ask for; `http` is privileged, so an admin has to sign it as well.\n\
         [[row]]\nprincipal = \"client:cli\"\n{rule}\n\n[[row]]\nprincipal = \"tool:{TOOL}\"\n{rule}\n"
    )
}

fn wanted(roster: &Roster) -> String {
    format!("http = [{{ host = \"{}\", methods = [\"GET\"] }}]", roster.host)
}

/// Makes the tool, shows that it cannot be called, approves it, calls it.
///
/// # Errors
/// When anything goes another way.
pub fn show(wasmill: &Wasmill, roster: &Roster) -> Result<()> {
    show::say("You ask the forge for a tool that sends HTTP requests. That is a privileged column of the matrix.");
    let file = wasmill.home().join("on-call.rs");
    fs::write(&file, SOURCE)?;
    let (file, wanted) = (file.display().to_string(), wanted(roster));
    let about = "Says who is on call.";
    let build = ["forge", "build", &file, "--dependency", "schemars", "--description", about, "--permissions", &wanted];
    show::command(&wasmill.shown(&build));
    let step = Step::start("built in the sandbox, tried, signed");
    let built: Outcome = wasmill.ask(&build)?;
    ensure!(built.outcome == "waiting", "the forge says {}: {}", built.outcome, built.rest);
    let took = Duration::from_micros(built.timings.iter().map(|timing| timing.micros).sum());
    drop(step);
    show::done(&format!("built, tried and signed; {TOOL} waits for an admin"), Some(took));

    let arguments = json!({ "roster": roster.url() }).to_string();
    let call = ["tool", "call", TOOL, "who", &arguments];
    show::command(&wasmill.shown(&call));
    match wasmill.try_ask(&call)? {
        Err(refusal) => {
            show::refused(&format!("{} ({})", refusal.message, refusal.code));
            if !refusal.next.is_empty() {
                show::quote(&refusal.next);
            }
        }
        Ok(answer) => bail!("{TOOL} answers {answer} without an approval"),
    }

    show::say("What waits, what exactly it would be allowed, and the admin's signature on it:");
    list(wasmill)?;
    details(wasmill)?;
    let grant = ["approval", "grant", TOOL];
    show::command(&wasmill.shown(&grant));
    let step = Step::start("signed with the admin's key");
    wasmill.ask::<Value>(&grant)?;
    step.done("signed with the admin's key, over the component and these permissions");

    show::command(&wasmill.shown(&call));
    let answer: Value = wasmill.ask(&call)?;
    show::done(&format!("{TOOL} answers {answer}"), None);
    Ok(())
}

fn list(wasmill: &Wasmill) -> Result<()> {
    let list = ["approval", "list"];
    show::command(&wasmill.shown(&list));
    let cases: Vec<Value> = wasmill.ask(&list)?;
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let columns: Vec<&str> =
            case["privileged"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        show::quote(&format!(
            "{}  {}  {}  for {}",
            text("component"),
            text("state"),
            columns.join(", "),
            text("maker")
        ));
    }
    Ok(())
}

fn details(wasmill: &Wasmill) -> Result<()> {
    let show = ["approval", "show", TOOL];
    show::command(&wasmill.shown(&show));
    let case: Value = wasmill.ask(&show)?;
    for rule in case["permissions"]["http"].as_array().into_iter().flatten() {
        let methods: Vec<&str> = rule["methods"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        show::quote(&format!("http {} {}", methods.join(", "), rule["host"].as_str().unwrap_or_default()));
    }
    let digest = case["digest"].as_str().unwrap_or_default();
    let lines = case["source"].as_str().unwrap_or_default().lines().count();
    show::quote(&format!("component sha256 {digest}, {lines} lines of source"));
    Ok(())
}
