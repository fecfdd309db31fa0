//! One request, called and answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::{self, Envelope, Reply};
use super::request::Request;
use crate::agents::given_traceparent;
use crate::capabilities::{Caller, ToolCalls, problem};
use crate::catalog::{Catalog, Toolbox, is_about_time};
use crate::home::ToolTopicsConfig;
use crate::problem::{Problem, ProblemKind};
use crate::store::now_ms;
use crate::streams::{Batch, Output};
use crate::telemetry::{About, Span, SpanKind, Work, is_traceparent};

/// What all calls of a pair of topics share.
pub struct Around {
    /// The pair.
    pub config: ToolTopicsConfig,
    /// Where the client's rows and the log are.
    pub catalog: Arc<Catalog>,
    /// Calls tools.
    pub toolbox: Arc<Toolbox>,
}

/// What becomes of a record.
#[derive(Debug)]
pub enum Outcome {
    /// Its answer.
    Answered(Box<Output>),
    /// It is set aside; why.
    SetAside(Problem),
}

impl Outcome {
    /// What it takes in memory, roughly, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Answered(output) => output.keys.bytes.len() + output.values.bytes.len(),
            Self::SetAside(_) => 0,
        }
    }
}

/// A request with what its record says about it.
pub struct Order {
    request: Request,
    answer_id: String,
    /// The trace that it came with.
    traceparent: Option<String>,
    /// When the answer must be there, milliseconds since 1970; none: the limits of client and tool decide.
    until_ms: Option<i64>,
}

impl Order {
    /// The order of a record that is alone in its batch.
    ///
    /// # Errors
    /// Where it is none.
    pub fn of(record: &Batch) -> Result<Self, Problem> {
        let request = Request::parse(record.value(0))?;
        let offset = record.offsets.first().copied().unwrap_or_default();
        let written_ms = record.timestamps_ms.first().copied().unwrap_or(-1);
        Ok(Self {
            answer_id: format!("{}-{}-{offset}", record.topic, record.partition),
            traceparent: traceparent(record, &request),
            until_ms: request.deadline_ms.map(|ms| until(written_ms, ms, now_ms())),
            request,
        })
    }

    /// Requests of one session are answered in their order.
    pub fn session(&self) -> &[u8] {
        self.request.session_id.as_bytes()
    }

    /// Calls the tool as the pair's client, with its rows as they are now.
    pub async fn answer(&self, around: &Around) -> Outcome {
        let began = Instant::now();
        let mut span = self.span(around);
        let (traceparent, client) = (span.traceparent().clone(), around.config.client.as_str().into());
        let work = Work { traceparent: Some(traceparent.clone()), client: Some(client), ..Work::default() };
        let outcome = work.scope(self.call(around, &traceparent)).await;
        if let Err(problem) = &outcome {
            span.fail(&problem.code);
        }
        let reply = Reply::new(outcome, began.elapsed());
        let envelope = Envelope {
            topic: &around.config.results,
            event_id: &self.answer_id,
            traceparent: &traceparent,
            size_max: around.catalog.services().streams.record_bytes_max(),
        };
        match answer::record(&self.request, &reply, envelope) {
            Ok(output) => Outcome::Answered(Box::new(output)),
            Err(problem) => Outcome::SetAside(problem),
        }
    }

    /// A request under way, by OpenTelemetry's conventions for messaging.
    fn span(&self, around: &Around) -> Span {
        let services = around.catalog.services();
        services.telemetry.span(self.traceparent.as_deref(), || {
            let topic = &around.config.requests;
            About::new(format!("process {topic}"), SpanKind::Consumer)
                .with("messaging.system", services.streams.system())
                .with("messaging.operation.name", "process")
                .with("messaging.operation.type", "process")
                .with("messaging.destination.name", topic.clone())
                .with("messaging.message.id", self.answer_id.clone())
        })
    }

    async fn call(&self, around: &Around, traceparent: &Arc<str>) -> Result<Value, Problem> {
        let invocation = self.request.invocation().ok_or_else(|| {
            let message = format!("`{}` names no function of a tool", self.request.tool_name);
            Problem::invalid("tool.name", message, "write `tool/function`, or `tool@version/function`")
        })?;
        let Caller { identity, context } = around.catalog.client(&around.config.client, traceparent.clone());
        let deadline = context.deadline.min(self.deadline().unwrap_or(context.deadline));
        let caller = Caller { identity, context: context.until(deadline) };
        let answer = around.toolbox.call(&caller, invocation).await.map_err(|error| self.late(problem(&error)))?;
        serde_json::from_str(&answer).map_err(|error| Problem::invalid("tool.answer", error, ""))
    }

    /// The sender's own deadline.
    fn deadline(&self) -> Option<Instant> {
        let left = u64::try_from(self.until_ms?.saturating_sub(now_ms())).unwrap_or(0);
        Instant::now().checked_add(Duration::from_millis(left))
    }

    /// A limit of time in the words of whoever set it.
    fn late(&self, problem: Problem) -> Problem {
        let is_own = self.until_ms.is_some_and(|until| until <= now_ms()) && is_about_time(&problem);
        if !is_own {
            return problem;
        }
        let message = format!("no answer in the {} ms of the request", self.request.deadline_ms.unwrap_or_default());
        Problem::new(ProblemKind::Limit, "tool.deadline", message, "ask again with a longer `metadata.deadline_ms`")
    }
}

/// When the time is over that a record leaves, milliseconds since 1970. One without a time counts from now.
fn until(written_ms: i64, deadline_ms: u64, now_ms: i64) -> i64 {
    let from = if written_ms < 0 { now_ms } else { written_ms };
    from.saturating_add(i64::try_from(deadline_ms).unwrap_or(i64::MAX))
}

/// The trace of the record's headers, or of its `trace_context`.
fn traceparent(record: &Batch, request: &Request) -> Option<String> {
    let in_value = || request.trace_context.as_ref()?.get("traceparent").map(String::as_str);
    given_traceparent(record).or_else(|| in_value().filter(|text| is_traceparent(text))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_counts_from_when_the_record_was_written() {
        assert_eq!(until(1_000, 50, 9_999), 1_050);
        assert_eq!(until(-1, 50, 9_999), 10_049);
        assert_eq!(until(1_000, u64::MAX, 9_999), i64::MAX);
    }
}
