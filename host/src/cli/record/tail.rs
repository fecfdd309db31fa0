//! `wasmill record tail`

use clap::Args;
use console::style;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::super::Context;
use super::super::output::printable;
use crate::gateway::{Client, ReadReply, RecordOut, TopicReply};
use crate::problem::Problem;

/// How long one request waits for new records, in milliseconds.
const WAIT_MS: u64 = 2000;
/// Records of one request.
const READ_RECORDS: u64 = 500;

/// Reads records.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Topic to read
    topic: String,
    /// Where to begin: `start`, `end`, or an offset
    #[arg(long, value_name = "PLACE", default_value = "start", value_parser = place)]
    from: Place,
    /// Stop after so many records
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Read this partition only
    #[arg(long)]
    partition: Option<u32>,
    /// Stop where the topic ends now, instead of waiting for more
    #[arg(long)]
    no_follow: bool,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    End,
    Offset(u64),
}

fn place(text: &str) -> Result<Place, String> {
    match text {
        "start" => Ok(Place::Start),
        "end" => Ok(Place::End),
        number => number.parse().map(Place::Offset).map_err(|_| "write `start`, `end` or an offset".to_owned()),
    }
}

/// How far one partition has been read.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    partition: u32,
    next: u64,
    /// Where to stop; none: never.
    end: Option<u64>,
}

impl Tail {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        wasmill_registry::check_topic_name(&self.topic)?;
        let client = cx.client().await?;
        let topic: TopicReply = client.get(&format!("/v1/topics/{}", self.topic)).await?;
        let cursors = self.cursors(&topic)?;

        // One waiting request per partition: records are shown in the order in which they arrive.
        let mut waiting: FuturesUnordered<_> = cursors.into_iter().map(|cursor| self.read(&client, cursor)).collect();
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(answer) = waiting.next().await else { break };
            let (mut cursor, records) = answer?;
            let nothing = records.is_empty();
            for record in records {
                cursor.next = record.offset + 1;
                if left == 0 || cursor.end.is_some_and(|end| record.offset >= end) {
                    break;
                }
                cx.output.show(&record, human)?;
                left -= 1;
            }
            // The last offsets of a partition may belong to no record (a transaction's end): then nothing comes.
            let done = cursor.end.is_some_and(|end| nothing || cursor.next >= end);
            if !done {
                waiting.push(self.read(&client, cursor));
            }
        }
        Ok(())
    }

    fn cursors(&self, topic: &TopicReply) -> Result<Vec<Cursor>, Problem> {
        let all = topic.watermarks.iter().zip(0..);
        let cursors: Vec<Cursor> = all
            .filter(|(_, partition)| self.partition.is_none_or(|wanted| wanted == *partition))
            .map(|(marks, partition)| Cursor {
                partition,
                next: match self.from {
                    Place::Start => marks.first,
                    Place::End => marks.next,
                    Place::Offset(offset) => offset,
                },
                end: self.no_follow.then_some(marks.next),
            })
            .collect();
        match (cursors.is_empty(), self.partition) {
            (true, Some(partition)) => {
                Err(crate::streams::StreamError::UnknownPartition { topic: self.topic.clone(), partition }.into())
            }
            _ => Ok(cursors.into_iter().filter(|cursor| cursor.end.is_none_or(|end| cursor.next < end)).collect()),
        }
    }

    async fn read(&self, client: &Client, cursor: Cursor) -> Result<(Cursor, Vec<RecordOut>), Problem> {
        let Cursor { partition, next, end } = cursor;
        let max = self.count.unwrap_or(READ_RECORDS).clamp(1, READ_RECORDS);
        // With an end in sight there is nothing to wait for.
        let wait = if end.is_some() { 0 } else { WAIT_MS };
        let path =
            format!("/v1/topics/{}/records?partition={partition}&offset={next}&limit={max}&wait_ms={wait}", self.topic);
        let reply: ReadReply = client.get(&path).await?;
        Ok((cursor, reply.records))
    }
}

fn human(record: &RecordOut) -> String {
    let place = style(format!("{}:{}", record.partition, record.offset)).dim();
    let key = record.key.as_ref().map(|key| format!("{} ", style(printable(&key.to_string())).cyan()));
    let value = match &record.value {
        Some(value) => printable(&value.to_string()),
        None => style("(no value)").dim().to_string(),
    };
    format!("{place} {}{value}", key.unwrap_or_default())
}
