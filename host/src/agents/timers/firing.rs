//! What is due as batches, and what becomes of it.

use wasmill_registry::Cron;

use crate::capabilities::StateView;
use crate::capabilities::timers::{Kind, Planned, due, next_number};
use crate::runtime::bindings::errors::Error;
use crate::streams::{Batch, BatchBuilder, StateReader, StreamError};

/// Most bytes of names and payloads that fire at once in one partition; the last one may exceed it.
const FIRED_BYTES_MAX: usize = 1024 * 1024;

/// True for a batch of what fires. It has no offset that a group could commit.
pub fn fires(batch: &Batch) -> bool {
    Kind::of_topic(&batch.topic).is_some()
}

/// What is due in a partition, the earliest first: at most `rows_max` rows. Their offsets are the numbers of the firings,
/// which go on for ever and are the same when the same work is done again.
///
/// # Errors
/// Those of the log.
pub fn batches(
    state: &dyn StateReader,
    crons: &[Cron],
    partition: u32,
    now_ms: u64,
    rows_max: usize,
) -> Result<Vec<Batch>, StreamError> {
    let all = due(state, partition, now_ms, rows_max, FIRED_BYTES_MAX)?;
    let mut number = next_number(state, partition)?;
    let mut batches = Vec::new();
    for kind in Kind::ALL {
        let mut batch = BatchBuilder::new(kind.topic(), partition);
        for one in all.iter().filter(|one| one.kind == kind) {
            let payload = match kind {
                Kind::Timer => &one.payload[..],
                Kind::Cron => find(crons, &one.name).map_or(&[][..], |cron| cron.payload.as_bytes()),
            };
            let timestamp_ms = i64::try_from(one.due_ms).unwrap_or(i64::MAX);
            batch.push(number, timestamp_ms, Some(&one.name), Some(payload), std::iter::empty());
            number += 1;
        }
        if !batch.is_empty() {
            batches.push(batch.finish());
        }
    }
    Ok(batches)
}

/// Notes that all of a batch has fired at `now_ms`: before the agent sees it, so that it may set the same timers again.
///
/// # Errors
/// Those of the log.
pub fn settle(state: &mut StateView, crons: &[Cron], batch: &Batch, now_ms: u64) -> Result<(), Error> {
    let Some(kind) = Kind::of_topic(&batch.topic) else { return Ok(()) };
    for (row, number) in batch.offsets.iter().enumerate() {
        let name = batch.key(row).unwrap_or_default();
        let again = find(crons, name).filter(|_| kind == Kind::Cron).and_then(|cron| next(cron, now_ms));
        state.fired(kind, name, *number, again)?;
    }
    Ok(())
}

/// The next time of a schedule. What was missed while no host was there fires once, and the rest is left out.
pub(super) fn next(cron: &Cron, now_ms: u64) -> Option<Planned> {
    Some(Planned {
        name: cron.name.clone().into_bytes(),
        schedule: cron.schedule.to_string().into_bytes(),
        due_ms: cron.schedule.next_after(now_ms)?,
    })
}

fn find<'a>(crons: &'a [Cron], name: &[u8]) -> Option<&'a Cron> {
    crons.iter().find(|cron| cron.name.as_bytes() == name)
}
