//! `wasmill run`

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Context;
use super::output::{printable, table};
use super::progress::Progress;
use crate::agents::Replayed;
use crate::gateway::RunReply;
use crate::problem::Problem;
use crate::store::{RunRow, RunStatus, StepRow};

/// Digits of an id in lists: enough to tell a few thousand runs apart.
const ID_SHOWN: usize = 12;
/// Most characters of a request in lists.
const REQUEST_SHOWN: usize = 60;

/// Verbs of `run`.
#[derive(Debug, Subcommand)]
pub(super) enum Run {
    /// List runs, the newest first
    #[command(after_help = "Examples:
  wasmill run list
  wasmill run list --agent courier --status diverged
  wasmill run list --output json")]
    List(List),
    /// Show a run with everything that it asked, and how long each answer took
    #[command(after_help = "Examples:
  wasmill run show 3f0a9c11
  wasmill run show 3f0a9c11 --output json | jq .steps")]
    Show(One),
    /// Let a run wait at its next host call; others of its partition go on until it has enough in hand
    #[command(after_help = "Examples:
  wasmill run pause 3f0a9c11")]
    Pause(One),
    /// Let a paused run go on
    #[command(after_help = "Examples:
  wasmill run resume 3f0a9c11")]
    Resume(One),
    /// End a run: its record goes to the dead-letter topic
    #[command(after_help = "Examples:
  wasmill run cancel 3f0a9c11")]
    Cancel(One),
    /// Let a run begin from nothing: everything is asked again
    #[command(after_help = "Examples:
  wasmill run restart 3f0a9c11")]
    Restart(One),
    /// Let a diverged run go on with the version of its agent that began it
    #[command(after_help = "Examples:
  wasmill run pin 3f0a9c11")]
    Pin(One),
    /// Run a past run once more from its journal, with nothing sent, and compare
    #[command(after_help = "Examples:
  wasmill run replay 3f0a9c11
  wasmill run replay 3f0a9c11 --output json | jq .is_same")]
    Replay(One),
}

/// Lists.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only runs of this agent
    #[arg(long)]
    agent: Option<String>,
    /// Only runs that stand so: running, paused, diverged, finished, failed, done, dead, cancelled
    #[arg(long, value_parser = status)]
    status: Option<RunStatus>,
    /// Most runs to list
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max: u32,
}

/// One run.
#[derive(Debug, Args)]
pub(super) struct One {
    /// Its id, or the beginning of it, as `wasmill run list` shows it
    run: String,
}

fn status(word: &str) -> Result<RunStatus, String> {
    serde_json::from_value(word.into()).map_err(|_| format!("runs stand in no such way as `{word}`"))
}

impl Run {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List(command) => command.run(cx).await,
            Self::Show(one) => show(cx, &one.checked()?).await,
            Self::Pause(one) => order(cx, &one.checked()?, "pause").await,
            Self::Resume(one) => order(cx, &one.checked()?, "resume").await,
            Self::Cancel(one) => order(cx, &one.checked()?, "cancel").await,
            Self::Restart(one) => order(cx, &one.checked()?, "restart").await,
            Self::Pin(one) => order(cx, &one.checked()?, "pin").await,
            Self::Replay(one) => replay(cx, &one.checked()?).await,
        }
    }
}

impl One {
    /// The id, which becomes a part of a path.
    fn checked(self) -> Result<String, Problem> {
        if self.run.is_empty() || !self.run.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("`{}` is no run: an id has digits 0-9 and a-f", self.run.escape_default());
            return Err(Problem::invalid("run.id", message, "See `wasmill run list`."));
        }
        Ok(self.run.to_ascii_lowercase())
    }
}

impl List {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let mut path = format!("/v1/runs?limit={}", self.max);
        if let Some(agent) = &self.agent {
            wasmill_registry::check_component_name(agent)?;
            path.push_str(&format!("&agent={agent}"));
        }
        if let Some(status) = self.status {
            path.push_str(&format!("&status={}", status.word()));
        }
        let runs: Vec<RunRow> = cx.client().await?.get(&path).await?;
        cx.output.show(&runs, |runs| {
            if runs.is_empty() {
                return "No runs. Agents with `mode = \"task\"` have them.".to_owned();
            }
            table(["RUN", "AGENT", "RECORD", "KEY", "STATUS", "TURNS", "STARTED", "PROBLEM"], runs.iter().map(row))
        })
    }
}

fn row(run: &RunRow) -> [String; 8] {
    [
        run.id.chars().take(ID_SHOWN).collect(),
        run.component.clone(),
        format!("{}:{}:{}", run.topic, run.partition, run.offset),
        short(run.key.as_deref().unwrap_or("-")),
        run.status.word().to_owned(),
        run.turns.to_string(),
        time(run.started_ms),
        problem(run, "code").unwrap_or_default(),
    ]
}

fn problem(run: &RunRow, field: &str) -> Option<String> {
    run.problem.as_ref().and_then(|problem| problem[field].as_str()).map(printable)
}

async fn show(cx: &Context, id: &str) -> Result<(), Problem> {
    let reply: RunReply = cx.client().await?.get(&format!("/v1/runs/{id}")).await?;
    cx.output.show(&reply, human)
}

fn human(reply: &RunReply) -> String {
    let run = &reply.run;
    let mut lines = vec![
        format!("run {} of {}: {}", run.id, run.component, run.status.word()),
        format!(
            "record {}:{}:{}, key {}",
            run.topic,
            run.partition,
            run.offset,
            short(run.key.as_deref().unwrap_or("-"))
        ),
        format!("began {}; turns: {}, failed attempts: {}", time(run.started_ms), run.turns, run.attempts),
    ];
    if let (Some(code), Some(message)) = (problem(run, "code"), problem(run, "message")) {
        lines.push(format!("{code}: {message}"));
    }
    if let Some(next) = problem(run, "next").filter(|next| !next.is_empty()) {
        lines.push(format!("next: {next}"));
    }
    if let Some(stack) = problem(run, "stack") {
        lines.push(stack.trim_end().to_owned());
    }
    lines.push(String::new());
    if reply.steps.is_empty() {
        lines.push("It has asked nothing.".into());
    } else {
        let rows = reply.steps.iter().map(|step| step_row(step, run.started_ms));
        lines.push(table(["STEP", "KIND", "AFTER", "TOOK", "ASKED", "REQUEST"], rows));
    }
    lines.join("\n")
}

fn step_row(step: &StepRow, started_ms: i64) -> [String; 6] {
    let took = step.answered_ms.map_or("under way".into(), |at| format!("{} ms", at - step.asked_ms));
    let asked = if step.asks == 1 { "once".into() } else { format!("{} times", step.asks) };
    let after = format!("{} ms", step.asked_ms - started_ms);
    [step.seq.to_string(), step.kind.clone(), after, took, asked, short(&step.request)]
}

async fn order(cx: &Context, id: &str, order: &str) -> Result<(), Problem> {
    let run: RunRow = cx.client().await?.post(&format!("/v1/runs/{id}/{order}"), &()).await?;
    cx.output.show(&run, |run| {
        let more = match order {
            "pause" => ". It waits at its next host call, and its partition commits nothing after it until it goes on.",
            "cancel" => ". Its record goes to the dead-letter topic.",
            "restart" => ". It begins from nothing.",
            _ => ".",
        };
        format!("run {} is {}{more}", run.id, run.status.word())
    })
}

async fn replay(cx: &Context, id: &str) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, format!("Replaying {id}"));
    let replayed: Replayed = cx.client().await?.post(&format!("/v1/runs/{id}/replay"), &()).await?;
    drop(progress);
    cx.output.show(&replayed, |replayed| {
        let steps = replayed.steps.iter().map(|step| {
            let same = if step.is_repeated { "same" } else { "not asked" };
            [step.step.seq.to_string(), step.step.kind.clone(), same.into(), short(&step.step.request)]
        });
        let mut lines = vec![table(["STEP", "KIND", "REPLAY", "REQUEST"], steps)];
        if let Some(problem) = &replayed.problem {
            lines.push(format!("{}: {}", problem.code, printable(&problem.message)));
        }
        let digest = |digest: &Option<String>| digest.as_deref().unwrap_or("none").chars().take(16).collect::<String>();
        let (then, now) = (digest(&replayed.outputs_then), digest(&replayed.outputs_now));
        let same = if replayed.is_same { "the same" } else { "NOT the same" };
        lines.push(format!("{} ({}): outputs then {then}, now {now}: {same}", replayed.component, replayed.end));
        lines.join("\n")
    })
}

/// One line of text that fits a table.
fn short(text: &str) -> String {
    let line = printable(text).replace(['\n', '\t'], " ");
    if line.chars().count() <= REQUEST_SHOWN {
        return line;
    }
    line.chars().take(REQUEST_SHOWN).chain(['…']).collect()
}

fn time(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    let at = at.and_then(|at| at.replace_millisecond(0).unwrap_or(at).format(&Rfc3339).ok());
    at.unwrap_or_else(|| ms.to_string())
}
