//! What an answer looks like. Decides only.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::request::Request;
use crate::catalog::is_about_time;
use crate::problem::{Problem, ProblemKind};
use crate::streams::{Column, Output, StreamError};

/// How a call ended. `circuit_open` of the format is never said: nothing here stops asking a tool that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The payload is the tool's result.
    Success,
    /// The payload is the problem.
    Error,
    /// The same, and it was a limit of time.
    Timeout,
    /// No row of the client allows it; whether there is such a tool is not said.
    Blocked,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// How it ended.
    pub status: Status,
    /// Result or problem.
    pub payload: Value,
    /// How long it took.
    pub took: Duration,
}

impl Reply {
    /// Of a call that took so long.
    pub fn new(outcome: Result<Value, Problem>, took: Duration) -> Self {
        match outcome {
            Ok(payload) => Self { status: Status::Success, payload, took },
            Err(problem) => {
                let status = status_of(&problem);
                Self { status, payload: serde_json::to_value(&problem).unwrap_or_default(), took }
            }
        }
    }
}

fn status_of(problem: &Problem) -> Status {
    match problem.kind {
        ProblemKind::Denied => Status::Blocked,
        _ if is_about_time(problem) => Status::Timeout,
        _ => Status::Error,
    }
}

/// The fields as they are on the wire.
#[derive(Serialize)]
struct Fields<'a> {
    event_id: &'a str,
    session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    persona_id: Option<&'a str>,
    tool_name: &'a str,
    status: Status,
    payload: &'a Value,
    metadata: &'a Map<String, Value>,
    /// Seconds.
    execution_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_context: Option<&'a BTreeMap<String, String>>,
}

/// Where an answer goes, and what it is known by.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Topic.
    pub topic: &'a str,
    /// The answer's own id: the same where the same request is answered again.
    pub event_id: &'a str,
    /// Trace that it belongs to, well-formed.
    pub traceparent: &'a str,
    /// Most bytes that the log takes as key and value.
    pub size_max: usize,
}

/// The record of an answer. A result that is too large for the log is answered as an error.
///
/// # Errors
/// Where not even that error finds room.
pub fn record(request: &Request, reply: &Reply, envelope: Envelope<'_>) -> Result<Output, Problem> {
    sized(request, reply, envelope).or_else(|problem| sized(request, &Reply::new(Err(problem), reply.took), envelope))
}

fn sized(request: &Request, reply: &Reply, envelope: Envelope<'_>) -> Result<Output, Problem> {
    let Envelope { topic, event_id, traceparent, size_max } = envelope;
    let fields = Fields {
        event_id,
        session_id: &request.session_id,
        persona_id: request.persona_id.as_deref(),
        tool_name: &request.tool_name,
        status: reply.status,
        payload: &reply.payload,
        metadata: &request.metadata,
        execution_time: reply.took.as_secs_f64(),
        trace_context: request.trace_context.as_ref(),
    };
    let value =
        serde_json::to_vec(&fields).map_err(|error| Problem::new(ProblemKind::Failed, "tool.answer", error, ""))?;
    let size = request.session_id.len() + value.len();
    if size > size_max {
        return Err(StreamError::RecordTooLarge { topic: topic.to_owned(), size, limit: size_max }.into());
    }
    let (mut keys, mut values) = (Column::default(), Column::default());
    keys.push(request.session_id.as_bytes());
    values.push(&value);
    let common_headers = headers(request, event_id, traceparent).into();
    Ok(Output { topic: topic.to_owned(), keys, values, common_headers, ..Output::default() })
}

fn headers(request: &Request, event_id: &str, traceparent: &str) -> Vec<(String, Vec<u8>)> {
    // A `traceparent` is `00-TRACE-SPAN-FLAGS`.
    let mut ids = traceparent.split('-').skip(1);
    let all = [
        ("schema", Some("tool_result")),
        ("event_type", Some("tool.result")),
        ("event_id", Some(event_id)),
        ("session_id", Some(&*request.session_id)),
        ("persona_id", request.persona_id.as_deref()),
        ("tenant_id", request.tenant()),
        ("traceparent", Some(traceparent)),
        ("trace_id", ids.next()),
        ("span_id", ids.next()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.as_bytes().to_vec()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn request() -> Request {
        let wire = json!({
            "event_id": "e1", "session_id": "s1", "persona_id": "p", "tool_name": "a/b", "args": {},
            "metadata": { "request_id": "r", "tenant": "t" }, "trace_context": { "k": "v" },
        });
        Request::parse(Some(wire.to_string().as_bytes())).unwrap()
    }

    fn made(reply: &Reply, size_max: usize) -> Result<Output, Problem> {
        record(&request(), reply, Envelope { topic: "out", event_id: "in-0-7", traceparent: TRACE, size_max })
    }

    fn value(output: &Output) -> Value {
        serde_json::from_slice(output.values.row(0)).unwrap()
    }

    #[test]
    fn an_answer_has_the_fields_and_headers_of_the_format() {
        let reply = Reply::new(Ok(json!([1])), Duration::from_millis(1500));
        let output = made(&reply, 10_000).unwrap();
        assert_eq!((output.topic.as_str(), output.keys.row(0)), ("out", &b"s1"[..]));
        assert_eq!(
            value(&output),
            json!({
                "event_id": "in-0-7", "session_id": "s1", "persona_id": "p", "tool_name": "a/b", "status": "success",
                "payload": [1], "metadata": { "request_id": "r", "tenant": "t" }, "execution_time": 1.5,
                "trace_context": { "k": "v" },
            })
        );
        let headers: Vec<(&str, &str)> =
            output.common_headers.iter().map(|(name, value)| (&**name, std::str::from_utf8(value).unwrap())).collect();
        let expected = [
            ("schema", "tool_result"),
            ("event_type", "tool.result"),
            ("event_id", "in-0-7"),
            ("session_id", "s1"),
            ("persona_id", "p"),
            ("tenant_id", "t"),
            ("traceparent", TRACE),
            ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
            ("span_id", "b7ad6b7169203331"),
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_problem_has_its_status_and_is_the_payload() {
        let status = |kind, code, message: &str| {
            Reply::new(Err(Problem::new(kind, code, message, "next")), Duration::ZERO).status
        };
        assert_eq!(status(ProblemKind::Denied, "permission.denied", "no row"), Status::Blocked);
        assert_eq!(status(ProblemKind::NotFound, "tool.unknown", "none"), Status::Error);
        assert_eq!(status(ProblemKind::Limit, "tool.deadline", "late"), Status::Timeout);
        assert_eq!(status(ProblemKind::Limit, "tool.depth", "deep"), Status::Error);
        let reply = Reply::new(Err(Problem::invalid("a.b", "words", "next")), Duration::ZERO);
        assert_eq!(reply.payload, json!({ "code": "a.b", "message": "words", "next": "next" }));
    }

    #[test]
    fn a_result_that_is_too_large_is_an_error_and_an_error_that_is_too_large_is_none() {
        let reply = Reply::new(Ok(json!("x".repeat(2000))), Duration::ZERO);
        let answer = value(&made(&reply, 1000).unwrap());
        assert_eq!((&answer["status"], &answer["payload"]["code"]), (&json!("error"), &json!("record.too-large")));
        assert_eq!(made(&reply, 100).unwrap_err().code, "record.too-large");
        let exact = value(&made(&reply, usize::MAX).unwrap()).to_string().len() + 2;
        assert!(value(&made(&reply, exact).unwrap())["status"] == "success");
        assert!(value(&made(&reply, exact - 1).unwrap())["status"] == "error");
    }
}
