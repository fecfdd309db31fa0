//! `wasmill record send`

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use super::super::Context;
use super::super::progress::Progress;
use crate::gateway::{AppendReply, AppendRequest, Client, RecordIn, Text};
use crate::problem::{Problem, ProblemKind};
use crate::streams::RECORD_SIZE_MAX;

/// Most records of one request.
const BATCH_RECORDS_MAX: usize = 1000;
/// Bytes of values after which a request goes off.
const BATCH_SIZE_MAX: usize = 1024 * 1024;
/// Longest line, in bytes: a record may be larger than the default limit where host and Kafka allow it.
const LINE_SIZE_MAX: usize = 16 * RECORD_SIZE_MAX;

/// Sends records.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Topic to send to
    topic: String,
    /// The value of one record; without it, each line of standard input is a record
    value: Option<String>,
    /// Key of every record
    #[arg(long, conflicts_with = "key_separator")]
    key: Option<String>,
    /// What stands between key and value in each line; a line without it has no key
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key_separator: Option<String>,
    /// A header of every record; may be given several times
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Partition to send to, instead of the one that the key decides
    #[arg(long)]
    partition: Option<u32>,
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[derive(Default, Serialize)]
struct Sent {
    topic: String,
    records: u64,
    partitions: BTreeSet<u32>,
}

impl Send {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_topic_name(&self.topic)?;
        let client = cx.client().await?;
        let progress = Progress::start(cx.output, format!("Sending to {}", self.topic));
        let mut sent = Sent { topic: self.topic.clone(), ..Sent::default() };
        match self.value.clone() {
            Some(value) => self.send(&client, vec![self.record(value.into_bytes())], &mut sent).await?,
            None => self.send_lines(&client, BufReader::new(tokio::io::stdin()), &progress, &mut sent).await?,
        }
        drop(progress);
        cx.output.show(&sent, |sent| {
            let plural = if sent.records == 1 { "" } else { "s" };
            format!("Sent {} record{plural} to {}", sent.records, sent.topic)
        })
    }

    async fn send_lines(
        &self,
        client: &Client,
        mut lines: impl AsyncBufRead + Unpin,
        progress: &Progress,
        sent: &mut Sent,
    ) -> Result<(), Problem> {
        let (mut batch, mut size) = (Vec::new(), 0);
        while let Some(line) = next_line(&mut lines, sent.records + batch.len() as u64 + 1).await? {
            size += line.len();
            batch.push(self.record(line));
            if batch.len() >= BATCH_RECORDS_MAX || size >= BATCH_SIZE_MAX {
                self.send(client, std::mem::take(&mut batch), sent).await?;
                size = 0;
                progress.say(format!("Sending to {}: {} records", self.topic, sent.records));
            }
        }
        if batch.is_empty() { Ok(()) } else { self.send(client, batch, sent).await }
    }

    async fn send(&self, client: &Client, records: Vec<RecordIn>, sent: &mut Sent) -> Result<(), Problem> {
        let path = format!("/v1/topics/{}/records", self.topic);
        let reply: Result<AppendReply, Problem> = client.post(&path, &AppendRequest { records }).await;
        // A person who sends a file must know how much of it has arrived.
        let reply = reply.map_err(|problem| match sent.records {
            0 => problem,
            records => problem.at(format!("after {records} records")),
        })?;
        sent.records += reply.positions.len() as u64;
        sent.partitions.extend(reply.positions.iter().map(|position| position.partition));
        Ok(())
    }

    fn record(&self, line: Vec<u8>) -> RecordIn {
        let split = self.key_separator.as_ref().and_then(|separator| {
            let separator = separator.as_bytes();
            let at = line.windows(separator.len()).position(|window| window == separator)?;
            Some((line[..at].to_vec(), line[at + separator.len()..].to_vec()))
        });
        let (key, value) = match split {
            Some((key, value)) => (Some(key.into()), value),
            None => (self.key.clone().map(Text::Plain), line),
        };
        RecordIn {
            partition: self.partition,
            key,
            value: Some(value.into()),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), Text::Plain(value.clone()))).collect(),
            timestamp_ms: None,
        }
    }
}

/// The next line without its end; none at the end of input.
async fn next_line(lines: &mut (impl AsyncBufRead + Unpin), number: u64) -> Result<Option<Vec<u8>>, Problem> {
    let mut line = Vec::new();
    let read = lines.take(LINE_SIZE_MAX as u64 + 1).read_until(b'\n', &mut line).await;
    read.map_err(|error| Problem::new(ProblemKind::Failed, "input.io", format!("standard input: {error}"), ""))?;
    if line.len() > LINE_SIZE_MAX {
        let message = format!("line {number} has more than {LINE_SIZE_MAX} bytes");
        return Err(Problem::new(ProblemKind::Limit, "record.too-large", message, "Send smaller lines."));
    }
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(line))
}
