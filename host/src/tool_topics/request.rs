//! What a record asks for. Reads only.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::error::RequestError;
use crate::capabilities::Invocation;
use crate::catalog::names;

/// Largest request, bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest id or name, bytes.
const NAME_BYTES_MAX: usize = 256;
/// Largest `metadata`, bytes of JSON: all of it comes back in the answer.
const METADATA_BYTES_MAX: usize = 64 * 1024;
/// Largest `trace_context`, bytes of JSON: it comes back too.
const TRACE_BYTES_MAX: usize = 4 * 1024;
/// The key of `metadata` by which whoever asked knows the answer.
const REQUEST_ID: &str = "request_id";
/// The key of `metadata` with the time that the answer may take, in milliseconds.
const DEADLINE_MS: &str = "deadline_ms";

/// A request, within all limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its sender's name for it.
    pub event_id: String,
    /// Requests of one session are answered in their order.
    pub session_id: String,
    /// On whose behalf.
    pub persona_id: Option<String>,
    /// Tool and function, as the sender wrote them.
    pub tool_name: String,
    /// JSON text of an object.
    pub arguments: String,
    /// What comes back with the answer, a `request_id` always in it.
    pub metadata: Map<String, Value>,
    /// What comes back with the answer.
    pub trace_context: Option<BTreeMap<String, String>>,
    /// How long the answer may take from when the record was written, milliseconds.
    pub deadline_ms: Option<u64>,
}

/// The fields as they are on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    event_id: String,
    session_id: String,
    persona_id: Option<String>,
    tool_name: String,
    args: Map<String, Value>,
    metadata: Map<String, Value>,
    trace_context: Option<BTreeMap<String, String>>,
}

impl Request {
    /// Reads the value of a record.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(value: Option<&[u8]>) -> Result<Self, RequestError> {
        let value = value.ok_or(RequestError::Empty)?;
        if value.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLarge { size: value.len(), limit: REQUEST_BYTES_MAX });
        }
        let fields: Fields = serde_json::from_slice(value).map_err(|error| match error.classify() {
            Category::Data => RequestError::Fields(error.to_string()),
            _ => RequestError::Json(error.to_string()),
        })?;
        let Fields { event_id, session_id, persona_id, tool_name, args, mut metadata, trace_context } = fields;
        let persona = persona_id.as_deref().map(|id| ("persona_id", id));
        let names = [("event_id", &*event_id), ("session_id", &session_id), ("tool_name", &tool_name)];
        for (field, text) in names.into_iter().chain(persona) {
            length(field, text.len(), NAME_BYTES_MAX)?;
        }
        length("metadata", json_size(&metadata), METADATA_BYTES_MAX)?;
        if let Some(trace) = &trace_context {
            length("trace_context", json_size(trace), TRACE_BYTES_MAX)?;
        }
        let deadline_ms = match metadata.get(DEADLINE_MS) {
            None | Some(Value::Null) => None,
            Some(number) => Some(number.as_u64().ok_or(RequestError::Deadline)?),
        };
        metadata.entry(REQUEST_ID).or_insert_with(|| event_id.clone().into());
        let arguments = Value::Object(args).to_string();
        Ok(Self { event_id, session_id, persona_id, tool_name, arguments, metadata, trace_context, deadline_ms })
    }

    /// The call that it asks for; none where the name names no function.
    pub fn invocation(&self) -> Option<Invocation> {
        let (tool, function) = match self.tool_name.split_once('/') {
            Some((tool, function)) => (tool.to_owned(), function.to_owned()),
            None => names::meant(&self.tool_name)?,
        };
        let is_named = !tool.is_empty() && !function.is_empty();
        is_named.then(|| Invocation { tool, function, arguments: self.arguments.clone() })
    }

    /// The tenant that its metadata names.
    pub fn tenant(&self) -> Option<&str> {
        self.metadata.get("tenant")?.as_str().filter(|tenant| tenant.len() <= NAME_BYTES_MAX)
    }
}

fn length(field: &'static str, size: usize, limit: usize) -> Result<(), RequestError> {
    if (1..=limit).contains(&size) { Ok(()) } else { Err(RequestError::Length { field, size, limit }) }
}

fn json_size(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wire(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = json!({
            "event_id": "e1", "session_id": "s1", "persona_id": null, "tool_name": "text-metrics/count",
            "args": { "text": "a" }, "metadata": { "tenant": "t" },
        });
        change(&mut value);
        value.to_string().into_bytes()
    }

    fn code(value: &[u8]) -> &'static str {
        Request::parse(Some(value)).unwrap_err().code()
    }

    #[test]
    fn a_request_is_read_and_has_an_id_to_match_by() {
        let request = Request::parse(Some(&wire(|_| {}))).unwrap();
        assert_eq!((request.tenant(), &request.metadata["request_id"]), (Some("t"), &json!("e1")));
        let own =
            Request::parse(Some(&wire(|v| v["metadata"] = json!({ "request_id": 7, "deadline_ms": 20 })))).unwrap();
        assert_eq!((&own.metadata["request_id"], own.deadline_ms), (&json!(7), Some(20)));
        let traced = wire(|v| v["trace_context"] = json!({ "traceparent": "x" }));
        assert_eq!(Request::parse(Some(&traced)).unwrap().trace_context.unwrap()["traceparent"], "x");
    }

    #[test]
    fn a_name_is_a_tool_and_a_function() {
        for (name, meant) in [
            ("text-metrics/count", Some(("text-metrics", "count"))),
            ("maker.tool@1.2.0/f", Some(("maker.tool@1.2.0", "f"))),
            ("maker_tool__f", Some(("maker.tool", "f"))),
            ("echo", None),
            ("/f", None),
            ("tool/", None),
        ] {
            let request = Request::parse(Some(&wire(|v| v["tool_name"] = name.into()))).unwrap();
            let found = request.invocation().map(|call| (call.tool, call.function));
            assert_eq!(found, meant.map(|(tool, function)| (tool.to_owned(), function.to_owned())), "{name}");
        }
    }

    #[test]
    fn what_is_no_request_says_why() {
        assert_eq!(Request::parse(None).unwrap_err(), RequestError::Empty);
        assert_eq!(code(b"hello"), "request.json");
        assert_eq!(code(b"{\"event_id\": \"\xff\"}"), "request.json");
        let deep = "[".repeat(200) + &"]".repeat(200);
        let nested = String::from_utf8(wire(|_| {})).unwrap().replace("\"a\"", &deep);
        assert_eq!(code(nested.as_bytes()), "request.json");
        assert_eq!(code(&vec![b' '; REQUEST_BYTES_MAX + 1]), "request.too-large");
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for (field, value, expected) in [
            ("extra", json!(1), "request.fields"),
            ("args", json!([]), "request.fields"),
            ("metadata", json!(null), "request.fields"),
            ("trace_context", json!({ "a": 1 }), "request.fields"),
            ("event_id", json!(long), "request.length"),
            ("session_id", json!(""), "request.length"),
            ("persona_id", json!(long), "request.length"),
            ("tool_name", json!(long), "request.length"),
            ("metadata", json!({ "a": "x".repeat(METADATA_BYTES_MAX) }), "request.length"),
            ("trace_context", json!({ "a": "x".repeat(TRACE_BYTES_MAX) }), "request.length"),
            ("metadata", json!({ "deadline_ms": -1 }), "request.deadline"),
            ("metadata", json!({ "deadline_ms": "5" }), "request.deadline"),
        ] {
            assert_eq!(code(&wire(|v| v[field] = value.clone())), expected, "{field}: {value:.60}");
        }
    }
}
