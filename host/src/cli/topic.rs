//! `wasmill topic`

mod plan;

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use super::progress::Progress;
use crate::gateway::TopicReply;
use crate::problem::Problem;
use crate::streams::TopicSpec;

/// Verbs of `topic`.
#[derive(Debug, Subcommand)]
pub(super) enum Topic {
    /// Create a topic
    #[command(after_help = "Examples:
  wasmill topic create words
  wasmill topic create logs.raw --partitions 4
  wasmill topic create settings --compacted")]
    Create(Create),
    /// List topics with their partitions and records
    #[command(after_help = "Examples:
  wasmill topic list
  wasmill topic list --output json")]
    List,
    /// Show what leads from the topics that there are to those that topics.toml declares. Changes nothing
    #[command(after_help = "Ends with 1 where something declared can't be reached by any step.

Examples:
  wasmill topic plan
  wasmill topic plan --file production/topics.toml --output json")]
    Plan(plan::Plan),
    /// Create topics, grow them and change what they keep, as topics.toml declares. Shows the plan first
    #[command(after_help = "A topic that is not declared stays as it is. No topic and no partition is ever taken away.

Examples:
  wasmill topic apply
  wasmill topic apply --plan 3f9c21d07a44
  wasmill topic apply --yes --lose-records")]
    Apply(plan::Apply),
}

/// Creates a topic.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Name: 1 to 249 characters of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`
    name: String,
    /// Number of partitions: how many agents can work on it at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    partitions: u32,
    /// Keep only the newest record of each key
    #[arg(long)]
    compacted: bool,
}

impl Topic {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Create(command) => command.run(cx).await,
            Self::List => list(cx).await,
            Self::Plan(command) => command.run(cx).await,
            Self::Apply(command) => command.run(cx).await,
        }
    }
}

impl Create {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_topic_name(&self.name)?;
        let topic = TopicSpec { name: self.name, partitions: self.partitions, compacted: self.compacted };
        let _progress = Progress::start(cx.output, format!("Creating {}", topic.name));
        let made: TopicSpec = cx.client().await?.post("/v1/topics", &topic).await?;
        cx.output.show(&made, |topic| {
            let plural = if topic.partitions == 1 { "" } else { "s" };
            format!("Created topic {} with {} partition{plural}", topic.name, topic.partitions)
        })
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let client = cx.client().await?;
    let specs: Vec<TopicSpec> = client.get("/v1/topics").await?;
    let paths: Vec<String> = specs.iter().map(|spec| format!("/v1/topics/{}", spec.name)).collect();
    let topics: Vec<TopicReply> = futures::future::try_join_all(paths.iter().map(|path| client.get(path))).await?;
    cx.output.show(&topics, |topics| {
        if topics.is_empty() {
            return "No topics. Create one with `wasmill topic create NAME`.".to_owned();
        }
        let rows = topics.iter().map(|topic| {
            // Offsets that transactions and compaction leave out are counted too, hence "up to".
            let records: u64 = topic.watermarks.iter().map(|w| w.next.saturating_sub(w.first)).sum();
            let kind = if topic.spec.compacted { "compacted" } else { "-" };
            [topic.spec.name.clone(), topic.spec.partitions.to_string(), records.to_string(), kind.to_owned()]
        });
        table(["TOPIC", "PARTITIONS", "RECORDS (UP TO)", "KIND"], rows)
    })
}
