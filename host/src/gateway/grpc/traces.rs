//! `wasmill.v1.Traces`

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{BoxStream, unfold};
use tokio::time::{Interval, interval};
use tonic::{Request, Response, Status};

use super::agents::asker;
use super::proto::trace_event::What;
use super::proto::traces_server::Traces;
use super::proto::{Attribute, Span, SpanKind, TraceEvent, WatchTraces, attribute};
use super::status::of;
use crate::gateway::asker::{Asker, Standing};
use crate::gateway::live::CHECK_EVERY;
use crate::gateway::state::SharedGateway;
use crate::host::Host;
use crate::permissions::Duty;
use crate::problem::{Problem, ProblemKind};
use crate::telemetry::{self, Ended, Listener, Told, Value};

/// Traces of this gateway's host.
pub(super) struct Service(pub SharedGateway);

#[tonic::async_trait]
impl Traces for Service {
    type WatchStream = BoxStream<'static, Result<TraceEvent, Status>>;

    async fn watch(&self, request: Request<WatchTraces>) -> Result<Response<Self::WatchStream>, Status> {
        let Asker(client) = asker(&request)?;
        let trace = request.into_inner().trace_id;
        if !trace.is_empty() && !is_trace_id(&trace) {
            let next = "Give 32 hexadecimal digits in lower case, or nothing for all traces.";
            return Err(of(&Problem::invalid("trace.id", "this is no id of a trace", next)));
        }
        let host = self.0.host().await.map_err(|problem| of(&problem))?.clone();
        let listener = host.telemetry().listen();
        let listener = listener.ok_or_else(|| {
            let message = "nothing is recorded outside of a running host";
            of(&Problem::new(ProblemKind::Unavailable, "trace.none", message, "Ask a running host."))
        })?;
        let watcher = Watcher { host, client, trace, listener, checks: interval(CHECK_EVERY) };
        let events = unfold(Some(watcher), async |watcher| {
            let mut watcher = watcher?;
            let event = watcher.next().await?;
            let rest = event.is_ok().then_some(watcher);
            Some((event, rest))
        });
        Ok(Response::new(events.boxed()))
    }
}

fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

struct Watcher {
    host: Arc<Host>,
    client: String,
    /// Only this one; empty: all.
    trace: String,
    listener: Listener,
    checks: Interval,
}

impl Watcher {
    /// The next event; none when the host ends, an error where the client may watch no more.
    async fn next(&mut self) -> Option<Result<TraceEvent, Status>> {
        loop {
            tokio::select! {
                biased;
                _ = self.checks.tick() => {
                    if let Err(denied) = Standing::Rows.may(&self.host, &self.client, Duty::Read) {
                        return Some(Err(of(&denied)));
                    }
                }
                told = self.listener.next() => match told? {
                    Told::Missed(missed) => return Some(Ok(TraceEvent { what: Some(What::Missed(missed)) })),
                    Told::Span(span) if self.trace.is_empty() || span.trace_id() == self.trace => {
                        return Some(Ok(TraceEvent { what: Some(What::Span(shown(&span))) }));
                    }
                    Told::Span(_) => {}
                },
            }
        }
    }
}

fn shown(span: &Ended) -> Span {
    let attributes = span.attributes.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => attribute::Value::Text(text.clone()),
            Value::Number(number) => attribute::Value::Number(*number),
        };
        Attribute { key: (*key).to_owned(), value: Some(value) }
    });
    let kind = match span.kind {
        telemetry::SpanKind::Internal => SpanKind::Internal,
        telemetry::SpanKind::Server => SpanKind::Server,
        telemetry::SpanKind::Client => SpanKind::Client,
        telemetry::SpanKind::Producer => SpanKind::Producer,
        telemetry::SpanKind::Consumer => SpanKind::Consumer,
    };
    Span {
        trace_id: span.trace_id(),
        span_id: span.span_id(),
        parent_span_id: span.parent_id().unwrap_or_default(),
        name: span.name.clone(),
        kind: kind.into(),
        start_time_unix_nano: span.began_ns,
        end_time_unix_nano: span.ended_ns,
        attributes: attributes.collect(),
        has_failed: span.has_failed,
    }
}
