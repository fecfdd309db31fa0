//! `wasmill dlq`

use clap::{Args, Subcommand};

use super::Context;
use super::output::{printable, table};
use super::progress::Progress;
use crate::agents::{DeadLetter, Redriven, topic_of};
use crate::gateway::{ReadReply, RecordOut, RedriveRequest};
use crate::problem::{Problem, ProblemKind};

/// Most characters of a reason in a list.
const REASON_SHOWN: usize = 60;

/// Verbs of `dlq`.
#[derive(Debug, Subcommand)]
pub(super) enum Dlq {
    /// List dead letters that wait, the oldest first
    #[command(after_help = "Examples:
  wasmill dlq list
  wasmill dlq list words --max 20
  wasmill dlq list words --output json")]
    List(List),
    /// Show a dead letter with its record and headers
    #[command(after_help = "Examples:
  wasmill dlq show words 3
  wasmill dlq show words 3 --output json | jq -r .value")]
    Show(Show),
    /// Send dead letters to their topic again, the oldest first, each once
    #[command(after_help = "Examples:
  wasmill dlq redrive words
  wasmill dlq redrive words --max 1")]
    Redrive(Redrive),
}

/// Lists.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Topic whose records failed; all of them where it isn't given
    topic: Option<String>,
    /// Most letters to list
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max: u32,
}

/// Shows.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Topic whose record failed
    topic: String,
    /// Offset of the letter, as `wasmill dlq list` shows it
    offset: u64,
    /// Partition of the dead-letter topic
    #[arg(long, default_value_t = 0)]
    partition: u32,
}

/// Sends again.
#[derive(Debug, Args)]
pub(super) struct Redrive {
    /// Topic whose records failed
    topic: String,
    /// Most records to send
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max: u32,
}

impl Dlq {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List(command) => command.run(cx).await,
            Self::Show(command) => command.run(cx).await,
            Self::Redrive(command) => command.run(cx).await,
        }
    }
}

impl List {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let path = match &self.topic {
            Some(topic) => {
                wasmill_registry::check_topic_name(topic)?;
                format!("/v1/dlq/{topic}")
            }
            None => "/v1/dlq".to_owned(),
        };
        let letters: Vec<DeadLetter> = cx.client().await?.get(&format!("{path}?limit={}", self.max)).await?;
        cx.output.show(&letters, |letters| {
            if letters.is_empty() {
                return "No dead letters wait.".to_owned();
            }
            table(["TOPIC", "LETTER", "RECORD", "AGENT", "ATTEMPTS", "CODE", "REASON"], letters.iter().map(row))
        })
    }
}

fn row(letter: &DeadLetter) -> [String; 7] {
    let text = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), printable);
    let origin = letter.origin.map_or("-".to_owned(), |origin| format!("{}:{}", origin.partition, origin.offset));
    [
        letter.topic.clone(),
        format!("{}:{}", letter.partition, letter.offset),
        origin,
        text(&letter.agent),
        letter.attempts.map_or("-".to_owned(), |attempts| attempts.to_string()),
        text(&letter.code),
        text(&letter.reason).chars().take(REASON_SHOWN).collect(),
    ]
}

impl Show {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_topic_name(&self.topic)?;
        let dead = topic_of(&self.topic);
        let (partition, offset) = (self.partition, self.offset);
        let path = format!("/v1/topics/{dead}/records?partition={partition}&offset={offset}&limit=1");
        let reply: ReadReply = cx.client().await?.get(&path).await?;
        let record = reply.records.into_iter().next().filter(|record| record.offset == offset);
        let record = record.ok_or_else(|| {
            let message = format!("topic `{dead}` has no record at {partition}:{offset}");
            Problem::new(ProblemKind::NotFound, "dlq.unknown", message, "See `wasmill dlq list`.")
        })?;
        cx.output.show(&record, human)
    }
}

fn human(record: &RecordOut) -> String {
    let text = |text: Option<&crate::gateway::Text>| text.map_or("(none)".to_owned(), |t| printable(&t.to_string()));
    let mut lines: Vec<String> =
        record.headers.iter().map(|(name, value)| format!("{}: {}", printable(name), text(Some(value)))).collect();
    lines.push(format!("key: {}", text(record.key.as_ref())));
    lines.push(format!("value: {}", text(record.value.as_ref())));
    lines.join("\n")
}

impl Redrive {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_topic_name(&self.topic)?;
        let _progress = Progress::start(cx.output, format!("Sending to {}", self.topic));
        let path = format!("/v1/dlq/{}/redrive", self.topic);
        let request = RedriveRequest { max: self.max as usize };
        let redriven: Redriven = cx.client().await?.post(&path, &request).await?;
        cx.output.show(&redriven, |redriven| {
            let plural = if redriven.records == 1 { "" } else { "s" };
            let mut lines = vec![format!("Sent {} record{plural} to {} again", redriven.records, self.topic)];
            lines.extend(redriven.omitted.iter().map(|letter| {
                let place =
                    letter.origin.map_or("an unknown place".to_owned(), |o| format!("{}:{}", o.partition, o.offset));
                format!("Not sent, since it was too large to be kept: the record at {place}")
            }));
            lines.join("\n")
        })
    }
}
