//! The way back: dead letters are sent to the topic that they come from, each once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::letter::DeadLetter;
use super::set_aside::{HEADER_PREFIX, topic_of};
use super::waiting::{batches, redrive_group_of};
use crate::capabilities::timers::Kind;
use crate::streams::{Batch, HeaderColumns, Membership, Output, SharedStreams, StreamError, Work};

/// How long the whole may take. On Kafka a group needs some seconds to find together.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one poll waits.
const POLL_WAIT: Duration = Duration::from_secs(1);
/// Most records of one transaction.
const BATCH_RECORDS_MAX: usize = 500;
/// Most bytes of one transaction.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What was sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Redriven {
    /// Records that are on their topic again.
    pub records: u64,
    /// Letters without their record, which was too large to be kept: they don't wait any more, and what they are about
    /// can be read where it was.
    pub omitted: Vec<DeadLetter>,
}

/// Sends the oldest dead letters of a topic to it again, at most `max`, with key, value and headers that they had. Those
/// that become dead letters meanwhile are not among them, so it ends even where all fail again.
///
/// They go to the topic whose dead letters they are, not where their headers say: whoever can write to a dead-letter
/// topic can't have an admin send records elsewhere.
///
/// # Errors
/// [`StreamError::UnknownTopic`]; [`StreamError::InvalidTopic`] for what timers come as, which nobody can send;
/// [`StreamError::Unavailable`] where it takes too long. What was sent by then stays sent
/// and doesn't wait any more.
pub async fn redrive(streams: &SharedStreams, topic: &str, max: usize) -> Result<Redriven, StreamError> {
    if Kind::of_topic(topic).is_some() {
        let reason = "timers don't come from a topic, only their agent can set them again".to_owned();
        return Err(StreamError::InvalidTopic { name: topic.to_owned(), reason });
    }
    let waiting = batches(streams, topic, max).await?;
    let mut last_of: BTreeMap<u32, u64> =
        waiting.iter().filter_map(|batch| Some((batch.partition, *batch.offsets.last()?))).collect();
    let mut redriven = Redriven::default();
    if last_of.is_empty() {
        return Ok(redriven);
    }
    let membership = Membership {
        group: redrive_group_of(topic),
        topics: vec![topic_of(topic)],
        state: None,
        batch_records_max: BATCH_RECORDS_MAX,
        batch_bytes_max: BATCH_BYTES_MAX,
    };
    let mut worker = streams.join(membership).await?;
    let begun = Instant::now();
    while !last_of.is_empty() {
        if begun.elapsed() > PATIENCE {
            let text = format!("{} records of `{topic}` were sent again, then nothing came", redriven.records);
            return Err(StreamError::Unavailable(text));
        }
        let polled = worker.poll(POLL_WAIT).await?.batches;
        let step = Step::of(topic, &polled, &last_of);
        if !step.work.offsets.is_empty() {
            match worker.commit(step.work).await {
                Ok(()) => {
                    redriven.records += step.done.records;
                    redriven.omitted.extend(step.done.omitted);
                }
                Err(StreamError::Fenced(_)) => {
                    worker.rewind().await?;
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        for partition in step.finished {
            last_of.remove(&partition);
        }
    }
    Ok(redriven)
}

/// What one poll leads to.
#[derive(Default)]
struct Step {
    work: Work,
    done: Redriven,
    /// Partitions that have nothing left to send.
    finished: Vec<u32>,
}

impl Step {
    fn of(topic: &str, polled: &[Batch], last_of: &BTreeMap<u32, u64>) -> Self {
        let mut step = Self::default();
        for batch in polled {
            let Some(&last) = last_of.get(&batch.partition) else { continue };
            let rows = batch.offsets.partition_point(|&offset| offset <= last);
            // Nothing more comes up to there: sent by this, or by somebody else meanwhile.
            if batch.offsets.iter().any(|&offset| offset >= last) {
                step.finished.push(batch.partition);
            }
            let Some(&newest) = rows.checked_sub(1).and_then(|row| batch.offsets.get(row)) else { continue };
            step.work.offsets.push((batch.topic.clone(), batch.partition, newest + 1));
            let letters = (0..rows).map(|row| DeadLetter::of(topic, batch, row));
            let (omitted, kept): (Vec<_>, Vec<_>) = letters.enumerate().partition(|(_, letter)| letter.is_omitted);
            step.done.omitted.extend(omitted.into_iter().map(|(_, letter)| letter));
            if !kept.is_empty() {
                step.done.records += kept.len() as u64;
                step.work.outputs.push(as_it_was(topic, batch, kept.into_iter().map(|(row, _)| row)));
            }
        }
        step
    }
}

/// Rows as they were before they were set aside.
fn as_it_was(topic: &str, batch: &Batch, rows: impl Iterator<Item = usize>) -> Output {
    let mut output = Output { topic: topic.to_owned(), ..Output::default() };
    let mut own = HeaderColumns::default();
    for row in rows {
        output.keys.push(batch.key(row).unwrap_or_default());
        output.key_present.push(u8::from(batch.key(row).is_some()));
        output.values.push(batch.value(row).unwrap_or_default());
        output.value_present.push(u8::from(batch.value(row).is_some()));
        for (name, value) in batch.headers.iter().flat_map(|headers| headers.of(row)) {
            if !name.starts_with(HEADER_PREFIX.as_bytes()) {
                own.names.push(name);
                own.values.push(value);
            }
        }
        own.ends.push(u32::try_from(own.names.ends.len()).unwrap_or(u32::MAX));
    }
    output.headers = Some(own);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dead letters at these offsets; the last one without its record.
    fn batch(offsets: &[u64]) -> Batch {
        let mut headers = HeaderColumns::default();
        let mut batch = Batch { topic: "t.dlq".into(), offsets: offsets.to_vec(), ..Batch::default() };
        for row in 0..offsets.len() {
            batch.keys.push(b"k");
            batch.values.push(row.to_string().as_bytes());
            let mark = if row + 1 == offsets.len() { "wasmill-dlq-omitted" } else { "wasmill-dlq-topic" };
            for name in [mark, "own"] {
                headers.names.push(name.as_bytes());
                headers.values.push(b"elsewhere");
            }
            headers.ends.push(headers.names.ends.len() as u32);
        }
        batch.key_present = vec![1; offsets.len()];
        batch.value_present = vec![1; offsets.len()];
        Batch { headers: Some(headers), ..batch }
    }

    #[test]
    fn records_go_back_to_their_topic_as_they_were() {
        let step = Step::of("t", &[batch(&[4, 6, 7])], &BTreeMap::from([(0, 7)]));
        assert_eq!((step.done.records, step.finished), (2, vec![0]));
        assert_eq!(step.done.omitted.iter().map(|letter| letter.offset).collect::<Vec<_>>(), [7]);
        assert_eq!(step.work.offsets, [("t.dlq".into(), 0, 8)]);
        let [output] = &step.work.outputs[..] else { panic!("one output") };
        assert_eq!((output.topic.as_str(), output.values.row(1)), ("t", &b"1"[..]));
        let names: Vec<&[u8]> = output.headers.as_ref().unwrap().of(1).map(|(name, _)| name).collect();
        assert_eq!(names, [b"own"]);
    }

    #[test]
    fn letters_that_came_later_wait_for_the_next_time() {
        let step = Step::of("t", &[batch(&[4, 6, 7])], &BTreeMap::from([(0, 6)]));
        assert_eq!((step.done.records, step.finished), (2, vec![0]));
        assert_eq!(step.work.offsets, [("t.dlq".into(), 0, 7)]);
    }

    #[test]
    fn what_somebody_else_has_sent_meanwhile_is_not_waited_for() {
        let step = Step::of("t", &[batch(&[9, 10])], &BTreeMap::from([(0, 6)]));
        assert!(step.work.offsets.is_empty() && step.work.outputs.is_empty());
        assert_eq!(step.finished, [0]);
    }
}
