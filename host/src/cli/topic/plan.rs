//! `wasmill topic plan` and `wasmill topic apply`

use std::path::PathBuf;

use clap::Args;
use console::{Term, style};
use serde::Serialize;

use super::super::Context;
use super::super::progress::Progress;
use crate::gateway::{ApplyRequest, Client, PlanRequest};
use crate::problem::{Problem, ProblemKind};
use crate::topics::{self, ApplyError, DeclaredTopic, Refusal, RiskKind};

/// Plans.
#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    /// The declared topics [default: topics.toml of the home]
    #[arg(long)]
    file: Option<PathBuf>,
}

/// Applies.
#[derive(Debug, Args)]
pub(in crate::cli) struct Apply {
    /// The declared topics [default: topics.toml of the home]
    #[arg(long)]
    file: Option<PathBuf>,
    /// Do exactly the plan of this name that `wasmill topic plan` has shown, or nothing
    #[arg(long, value_name = "ID", conflicts_with = "yes")]
    plan: Option<String>,
    /// Show the plan and do it without asking
    #[arg(long)]
    yes: bool,
    /// Take it that keys go to other partitions than the state that agents keep for them
    #[arg(long)]
    move_keys: bool,
    /// Take it that records go which are there now
    #[arg(long)]
    lose_records: bool,
}

/// A plan that was carried out.
#[derive(Serialize)]
struct Applied {
    applied: usize,
    plan: topics::Plan,
}

impl Plan {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let declared = declared(cx, self.file)?;
        let plan = ask(cx, &cx.client().await?, &declared).await?;
        cx.output.show(&plan, human)?;
        // What can't be reached fails, also where everything else could be done.
        match plan.blocked.first() {
            Some(blocked) => Err(ApplyError::from(Refusal::Blocked(blocked.clone())).into()),
            None => Ok(()),
        }
    }
}

impl Apply {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let topics = declared(cx, self.file)?;
        let client = cx.client().await?;
        let plan = ask(cx, &client, &topics).await?;
        let risks = [(self.move_keys, RiskKind::MoveKeys), (self.lose_records, RiskKind::LoseRecords)];
        let taken: Vec<RiskKind> = risks.into_iter().filter(|(taken, _)| *taken).map(|(_, risk)| risk).collect();
        if cx.output.is_human() {
            cx.output.line(&human(&plan))?;
        }
        let is_named = self.plan.is_some();
        let shown = self.plan.unwrap_or_else(|| plan.id.clone());
        plan.check(&shown, &taken).map_err(ApplyError::from)?;
        if !(self.yes || is_named || plan.steps.is_empty() || is_agreed(cx, &plan)?) {
            return Err(Problem::new(ProblemKind::Failed, "topic.not-applied", "nothing was done", ""));
        }
        let progress = Progress::start(cx.output, "Changing topics");
        let request = ApplyRequest { topics, plan: shown, taken };
        let plan: topics::Plan = client.post("/v1/topic-plan/apply", &request).await?;
        drop(progress);
        cx.output.show(&Applied { applied: plan.steps.len(), plan }, |applied| match applied.applied {
            0 => "Nothing to do".to_owned(),
            1 => "1 step done".to_owned(),
            steps => format!("{steps} steps done"),
        })
    }
}

fn declared(cx: &Context, file: Option<PathBuf>) -> Result<Vec<DeclaredTopic>, Problem> {
    if let Some(path) = file {
        return Ok(topics::load(&path)?);
    }
    let home = cx.home()?;
    topics::of_home(&home)?.ok_or_else(|| {
        let message = format!("`{}` does not exist: no topics are declared", home.topics_file().display());
        let next = "Write one: [[topic]], name = \"logs.raw\", partitions = 4, retention = \"7d\".";
        Problem::new(ProblemKind::NotFound, "topic.undeclared", message, next)
    })
}

async fn ask(cx: &Context, client: &Client, topics: &[DeclaredTopic]) -> Result<topics::Plan, Problem> {
    let _progress = Progress::start(cx.output, "Comparing topics");
    client.post("/v1/topic-plan", &PlanRequest { topics: topics.to_vec() }).await
}

/// True where a person agrees to what was shown.
fn is_agreed(cx: &Context, plan: &topics::Plan) -> Result<bool, Problem> {
    let terminal = Term::stderr();
    if !cx.output.is_human() || !terminal.is_term() {
        let next = format!("Name it: `--plan {}`; or say `--yes`.", plan.id);
        return Err(Problem::invalid("topic.unasked", "nobody can be asked whether to apply this plan", next));
    }
    let failed = |error: std::io::Error| Problem::new(ProblemKind::Failed, "output.io", error.to_string(), "");
    terminal.write_str("Apply these steps? [y/N] ").map_err(failed)?;
    let answer = terminal.read_line().map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn human(plan: &topics::Plan) -> String {
    let mut lines = Vec::new();
    for step in &plan.steps {
        lines.push(format!("{} {}", style("+").green().bold(), step.text));
        if let Some(risk) = &step.risk {
            lines.push(format!("  {} {} (needs {})", style("careful:").yellow().bold(), risk.text, risk.kind.flag()));
        }
    }
    for blocked in &plan.blocked {
        lines.push(format!("{} {}: {}", style("x").red().bold(), blocked.topic, blocked.reason));
    }
    lines.extend(plan.notes.iter().map(|note| format!("  note: {}: {}", note.topic, note.text)));
    if !plan.undeclared.is_empty() {
        lines.push(format!("  not declared, left alone: {}", plan.undeclared.join(", ")));
    }
    lines.push(match plan.steps.len() {
        0 if plan.blocked.is_empty() => "Topics are as declared".to_owned(),
        0 => "No step is possible".to_owned(),
        steps => format!("Plan {}, steps: {steps}", plan.id),
    });
    lines.join("\n")
}
