//! Spans of an agent's work, by OpenTelemetry's conventions for messaging: one for each batch (or turn of a run), and one
//! for each transaction.

use std::sync::Arc;

use super::group::group_of;
use super::headers;
use super::partition::{Done, Surroundings};
use crate::catalog::Agent;
use crate::problem::Problem;
use crate::streams::{Batch, StreamError};
use crate::telemetry::{About, LINKS_MAX, Span, SpanKind, Work, same_trace};

/// A batch under way. It goes on with the trace of its first record that somebody records, else of its first record, else
/// with one of its own; it is linked with the other traces of its records that somebody records.
pub fn process(around: &Surroundings, batch: &Batch) -> Span {
    let telemetry = &around.services.telemetry;
    if !telemetry.is_on() {
        return Span::unrecorded(headers::traceparent(batch));
    }
    let mut sampled = headers::sampled_traceparents(batch);
    let parent = sampled.next().or_else(|| headers::given_traceparent(batch));
    telemetry.span(parent, || about(around, batch).linked(others(parent, sampled)))
}

/// A turn of a run under way, of the trace that the run has had from its beginning.
pub fn turn(around: &Surroundings, batch: &Batch, run: &str, traceparent: &Arc<str>) -> Span {
    let telemetry = &around.services.telemetry;
    let about = || about(around, batch).with("wasmill.run", run.to_owned());
    match headers::given_traceparent(batch) {
        Some(_) => telemetry.below(traceparent, about),
        None => telemetry.first(traceparent, about),
    }
}

/// A call of `idle`.
pub fn idle(around: &Surroundings, partition: u32) -> Span {
    around.services.telemetry.span(None, || {
        About::new("idle", SpanKind::Internal)
            .with("wasmill.agent", around.agent.identity.component.to_string())
            .with("messaging.destination.partition.id", partition.to_string())
    })
}

/// A transaction under way, below the first of the batches in it that are recorded, and linked with the others; of none,
/// nothing is recorded.
pub fn commit(around: &Surroundings, batches: &[Arc<str>], records: u64) -> Option<Span> {
    let (first, others) = batches.split_first()?;
    Some(around.services.telemetry.below(first, || {
        let agent = &around.agent;
        of_agent(About::new("commit", SpanKind::Client), around, agent)
            .with("messaging.operation.name", "commit")
            .with("messaging.operation.type", "settle")
            .with("messaging.batch.message_count", number(records))
            .linked(others.iter().map(|other| &**other))
    }))
}

/// Says how a batch ended.
pub fn ended(span: &mut Span, done: &Result<Done, Problem>) {
    match done {
        Ok(done) => {
            let sent: usize = done.outputs.iter().map(|output| output.values.len()).sum();
            span.set("wasmill.records.sent", number(sent as u64));
            span.set("wasmill.state.changes", number(done.state.len() as u64));
            span.set("wasmill.records.dead_letters", number(done.dead_letters));
        }
        Err(problem) => span.fail(&problem.code),
    }
}

/// Says how a transaction ended.
pub fn committed(span: Option<Span>, outcome: &Result<(), StreamError>) {
    if let (Some(mut span), Err(error)) = (span, outcome) {
        span.fail(error.code());
    }
}

impl Surroundings {
    /// The agent's work below a span.
    pub fn work(&self, span: &Span) -> Work {
        let agent = Some(self.agent.identity.component.clone());
        Work { traceparent: Some(span.traceparent().clone()), agent, ..Work::default() }
    }
}

fn about(around: &Surroundings, batch: &Batch) -> About {
    let about = About::new(format!("process {}", batch.topic), SpanKind::Consumer);
    of_agent(about, around, &around.agent)
        .with("messaging.operation.name", "process")
        .with("messaging.operation.type", "process")
        .with("messaging.destination.name", batch.topic.clone())
        .with("messaging.destination.partition.id", batch.partition.to_string())
        .with("messaging.batch.message_count", number(batch.len() as u64))
        .with("messaging.kafka.offset", number(batch.offsets.first().copied().unwrap_or_default()))
}

fn of_agent(about: About, around: &Surroundings, agent: &Agent) -> About {
    about
        .with("messaging.system", around.services.streams.system())
        .with("messaging.consumer.group.name", group_of(agent.identity.principal.name()))
        .with("wasmill.agent", agent.identity.component.to_string())
}

/// Traces beside that of `parent`, one of each.
fn others<'a>(parent: Option<&str>, sampled: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut others: Vec<&str> = Vec::new();
    for one in sampled {
        let is_known = parent.into_iter().chain(others.iter().copied()).any(|known| same_trace(known, one));
        if !is_known && others.len() < LINKS_MAX {
            others.push(one);
        }
    }
    others
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_other_trace_is_linked_once() {
        let of =
            |trace: u8, span: u8| format!("00-0af7651916cd43dd8448eb211c8031{trace:02}-b7ad6b71692033{span:02}-01");
        let (parent, one, again, two) = (of(1, 1), of(2, 1), of(2, 2), of(3, 1));
        let given = [parent.as_str(), &one, &again, &two, &one];
        assert_eq!(others(Some(&parent), given.into_iter()), [&one, &two]);
        let many: Vec<String> = (2..90).map(|trace| of(trace, 1)).collect();
        assert_eq!(others(Some(&parent), many.iter().map(String::as_str)).len(), LINKS_MAX);
    }
}
