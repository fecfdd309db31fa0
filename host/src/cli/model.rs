//! `wasmill model`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use wasmill_registry::Money;

use super::Context;
use super::output::table;
use crate::gateway::ModelUsageReply;
use crate::problem::Problem;

/// Verbs of `model`.
#[derive(Debug, Subcommand)]
pub(super) enum Model {
    /// Show what questions to language models took: tokens and cost, by who asked
    #[command(after_help = "Counts all hosts on the same database. Budgets begin anew at midnight UTC.

Examples:
  wasmill model usage
  wasmill model usage --hours 168
  wasmill model usage --output json")]
    Usage(Usage),
}

/// Usage.
#[derive(Debug, Args)]
pub(super) struct Usage {
    /// How far back, in hours; the hour that it is now counts as one
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=744))]
    hours: i64,
}

impl Model {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Usage(command) => command.run(cx).await,
        }
    }
}

impl Usage {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let usage: ModelUsageReply = cx.client().await?.get(&format!("/v1/model/usage?hours={}", self.hours)).await?;
        cx.output.show(&usage, shown)
    }
}

/// Sums of one principal and model.
#[derive(Default)]
struct Sum {
    calls: u64,
    prompt: u64,
    completion: u64,
    cost_micros: u64,
}

fn shown(usage: &ModelUsageReply) -> String {
    if usage.uses.is_empty() && usage.today.is_empty() {
        return "No question to a model was answered.".to_owned();
    }
    let mut sums: BTreeMap<(&str, &str), Sum> = BTreeMap::new();
    for used in &usage.uses {
        let sum = sums.entry((&used.principal, &used.model)).or_default();
        sum.calls += used.calls;
        sum.prompt += used.prompt_tokens;
        sum.completion += used.completion_tokens;
        sum.cost_micros += used.cost_micros;
    }
    let cost = |micros: u64| format!("{} {}", Money::from_micros(micros), usage.currency).trim_end().to_owned();
    let rows = sums.iter().map(|((who, model), sum)| {
        let [calls, prompt, completion] = [sum.calls, sum.prompt, sum.completion].map(|count| count.to_string());
        [(*who).to_owned(), (*model).to_owned(), calls, prompt, completion, cost(sum.cost_micros)]
    });
    let used = table(["WHO", "MODEL", "ANSWERS", "TOKENS IN", "TOKENS OUT", "COST"], rows);
    let rows = usage.today.iter().map(|day| [day.principal.clone(), day.tokens.to_string(), cost(day.cost_micros)]);
    let today = table(["BUDGET OF TODAY", "TOKENS", "COST"], rows);
    format!("{used}\n\n{today}")
}
