//! Which dead letters wait: those behind the committed offsets of the group that sends them again.

use std::time::Duration;

use super::letter::DeadLetter;
use super::set_aside::topic_of;
use crate::capabilities::timers::Kind;
use crate::streams::{Batch, SharedStreams, StreamError};

/// How long a partition that seems to have records may take to give the first one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The consumer group that sends the dead letters of a topic again.
pub fn redrive_group_of(topic: &str) -> String {
    format!("wasmill.redrive.{topic}")
}

/// The oldest dead letters of a topic that have not been sent again, at most `max`.
///
/// # Errors
/// [`StreamError::UnknownTopic`] where there is no such topic; one without dead letters has none.
pub async fn list(streams: &SharedStreams, topic: &str, max: usize) -> Result<Vec<DeadLetter>, StreamError> {
    let batches = batches(streams, topic, max).await?;
    Ok(batches.iter().flat_map(|batch| (0..batch.len()).map(|row| DeadLetter::of(topic, batch, row))).collect())
}

/// The same of all topics, by name, and then of timers and schedules.
///
/// # Errors
/// Those of the log.
pub async fn list_all(streams: &SharedStreams, max: usize) -> Result<Vec<DeadLetter>, StreamError> {
    let topics = streams.topics().await?;
    let mut all = Vec::new();
    for name in topics.iter().map(|topic| topic.name.as_str()).chain(Kind::ALL.map(Kind::topic)) {
        if topics.iter().any(|other| other.name == topic_of(name)) {
            all.extend(list(streams, name, max.saturating_sub(all.len())).await?);
        }
    }
    Ok(all)
}

/// The records themselves: at most one batch per partition of the dead-letter topic, none of them empty.
pub(super) async fn batches(streams: &SharedStreams, topic: &str, max: usize) -> Result<Vec<Batch>, StreamError> {
    let topics = streams.topics().await?;
    if !topics.iter().any(|spec| spec.name == topic) && Kind::of_topic(topic).is_none() {
        return Err(StreamError::UnknownTopic(topic.to_owned()));
    }
    let dead = topic_of(topic);
    if !topics.iter().any(|spec| spec.name == dead) {
        return Ok(Vec::new());
    }
    let mut left = max;
    let mut batches = Vec::new();
    for (partition, committed) in (0..).zip(streams.committed(&redrive_group_of(topic), &dead).await?) {
        let marks = streams.watermarks(&dead, partition).await?;
        let from = committed.unwrap_or(0).max(marks.first);
        if from >= marks.next || left == 0 {
            continue;
        }
        let batch = streams.read(&dead, partition, from, left, FIRST_WAIT).await?;
        left = left.saturating_sub(batch.len());
        batches.extend((!batch.is_empty()).then_some(batch));
    }
    Ok(batches)
}
