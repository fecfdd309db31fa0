//! The one reader of the outbound topic.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};

use super::Conversations;
use super::event::Event;
use crate::agents::AgentState;
use crate::problem::Problem;
use crate::streams::{Batch, StreamError};

/// Records of one look at a partition.
const READ_RECORDS: usize = 512;
/// How long one look waits for records.
const READ_WAIT: Duration = Duration::from_secs(2);
/// How often is looked whether the topic has more partitions.
const LOOK: Duration = Duration::from_secs(10);

/// Tells what comes until something fails; then it goes on where it was.
///
/// # Errors
/// What failed; whoever calls tries again.
pub async fn read(all: &Conversations) -> Result<Infallible, Problem> {
    if !all.services.topics.contain(&all.services.streams, &all.config.inbound).await? {
        return Err(StreamError::UnknownTopic(all.config.inbound.clone()).into());
    }
    begin(all, true).await?;
    all.board.set(&all.config.outbound, AgentState::Running);
    let mut reading = FuturesUnordered::new();
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for partition in reading.len()..all.hub.partitions() as usize {
            reading.push(look(all, u32::try_from(partition).unwrap_or(u32::MAX)));
        }
        tokio::select! {
            Some(read) = reading.next() => {
                let batch = read?;
                reading.push(look(all, tell(all, &batch)));
            }
            _ = ticks.tick() => begin(all, false).await?,
        }
    }
}

/// Begins to read partitions that are not read yet: at their end where the host begins, else at their first record.
async fn begin(all: &Conversations, is_start: bool) -> Result<(), Problem> {
    let (streams, outbound) = (&all.services.streams, &all.config.outbound);
    let topics = streams.topics().await?;
    let found = topics.iter().find(|topic| topic.name == *outbound);
    let partitions = found.ok_or_else(|| StreamError::UnknownTopic(outbound.clone()))?.partitions;
    let is_start = is_start && all.hub.partitions() == 0;
    // All at once: what is known of some partitions only would make a session's partition another one.
    let mut marks = Vec::new();
    for partition in all.hub.partitions()..partitions {
        let found = streams.watermarks(outbound, partition).await?;
        marks.push(if is_start { found.next } else { found.first });
    }
    all.hub.begin(marks);
    Ok(())
}

async fn look(all: &Conversations, partition: u32) -> Result<Batch, StreamError> {
    let next = all.hub.next(partition);
    let batch = all.services.streams.read(&all.config.outbound, partition, next, READ_RECORDS, READ_WAIT).await?;
    Ok(Batch { partition, ..batch })
}

/// Tells a batch, and says of which partition it was.
fn tell(all: &Conversations, batch: &Batch) -> u32 {
    let Some(last) = batch.offsets.last() else { return batch.partition };
    let read = |(row, offset): (usize, &u64)| Some((*offset, Event::parse(batch.key(row), batch.value(row))?));
    let events: Vec<_> = batch.offsets.iter().enumerate().filter_map(read).collect();
    all.board.told(events.len(), batch.len() - events.len());
    all.hub.tell(batch.partition, events, last + 1);
    batch.partition
}
