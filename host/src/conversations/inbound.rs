//! What a client says, as a record of the inbound topic. Decides only.

use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ConversationError;
use super::session::Session;
use crate::streams::Record;
use crate::telemetry::{Work, is_traceparent, new_traceparent};

/// Longest message, bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Longest id, bytes.
const ID_BYTES_MAX: usize = 256;
/// Largest `metadata`, and largest `attachments`, bytes of JSON.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// What a client says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The text.
    pub message: String,
    /// The client's name for it; none: the host makes one.
    #[serde(default)]
    pub event_id: Option<String>,
    /// To whom, or on whose behalf: what it means is the agent's business.
    #[serde(default)]
    pub persona_id: Option<String>,
    /// References to what belongs to it.
    #[serde(default)]
    pub attachments: Vec<Value>,
    /// What the agent may use, and usually gives back.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// The id and the record of what is said in a session.
///
/// # Errors
/// The first thing that is empty or too long.
pub fn record(session: &Session, said: Said, traceparent: Option<&str>) -> Result<(String, Record), ConversationError> {
    let Said { message, event_id, persona_id, attachments, metadata } = said;
    length("message", message.len(), MESSAGE_BYTES_MAX)?;
    let event_id = event_id.unwrap_or_else(new_id);
    length("event_id", event_id.len(), ID_BYTES_MAX)?;
    if let Some(persona) = &persona_id {
        length("persona_id", persona.len(), ID_BYTES_MAX)?;
    }
    length("metadata", json_size(&metadata), JSON_BYTES_MAX)?;
    length("attachments", json_size(&attachments), JSON_BYTES_MAX)?;
    let given = traceparent.filter(|text| is_traceparent(text));
    // What a client gave its request is above the request's own span, where that is recorded.
    let traceparent = Work::current_trace().or(given.map(Into::into)).unwrap_or_else(new_traceparent);
    let mut value = json!({
        "event_id": event_id, "session_id": session.id(), "role": "user", "message": message, "metadata": metadata,
        "trace_context": { "traceparent": &*traceparent },
    });
    if let Some(persona) = &persona_id {
        value["persona_id"] = persona.as_str().into();
    }
    if !attachments.is_empty() {
        value["attachments"] = attachments.into();
    }
    // `00-TRACE-SPAN-FLAGS`.
    let mut ids = traceparent.split('-').skip(1);
    let headers = [
        ("schema", Some("conversation_message")),
        ("event_type", Some("conversation.inbound")),
        ("event_id", Some(&*event_id)),
        ("session_id", Some(session.id())),
        ("persona_id", persona_id.as_deref()),
        ("traceparent", Some(&*traceparent)),
        ("trace_id", ids.next()),
        ("span_id", ids.next()),
    ];
    let headers = headers.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.as_bytes().to_vec())));
    let record = Record {
        key: Some(session.id().as_bytes().to_vec()),
        value: Some(value.to_string().into_bytes()),
        headers: headers.collect(),
        ..Record::default()
    };
    Ok((event_id, record))
}

fn new_id() -> String {
    let mut bytes = [0u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn length(field: &'static str, size: usize, limit: usize) -> Result<(), ConversationError> {
    if (1..=limit).contains(&size) { Ok(()) } else { Err(ConversationError::Length { field, size, limit }) }
}

fn json_size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn session() -> Session {
        Session::of("desk", "s").unwrap()
    }

    fn said(message: &str) -> Said {
        Said { message: message.into(), ..Said::default() }
    }

    #[test]
    fn a_record_has_the_fields_and_headers_of_the_format() {
        let whole = Said {
            event_id: Some("e".into()),
            persona_id: Some("p".into()),
            attachments: vec![json!({ "name": "a.txt" })],
            metadata: Map::from_iter([("k".into(), 1.into())]),
            ..said("hello")
        };
        let (id, record) = record(&session(), whole, Some(TRACE)).unwrap();
        let value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        assert_eq!((id.as_str(), record.key.as_deref()), ("e", Some(&b"desk/s"[..])));
        assert_eq!(
            value,
            json!({
                "event_id": "e", "session_id": "desk/s", "persona_id": "p", "role": "user", "message": "hello",
                "attachments": [{ "name": "a.txt" }], "metadata": { "k": 1 }, "trace_context": { "traceparent": TRACE },
            })
        );
        let headers: Vec<(&str, &str)> =
            record.headers.iter().map(|(name, value)| (&**name, std::str::from_utf8(value).unwrap())).collect();
        let expected = [
            ("schema", "conversation_message"),
            ("event_type", "conversation.inbound"),
            ("event_id", "e"),
            ("session_id", "desk/s"),
            ("persona_id", "p"),
            ("traceparent", TRACE),
            ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
            ("span_id", "b7ad6b7169203331"),
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn ids_and_traces_are_made_where_none_that_counts_came() {
        let id = |trace| {
            let (id, record) = record(&session(), said("a"), trace).unwrap();
            let value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
            assert!(is_traceparent(value["trace_context"]["traceparent"].as_str().unwrap()));
            assert!(value.get("persona_id").is_none() && value.get("attachments").is_none());
            id
        };
        assert_ne!(id(None), id(Some("00-xyz")));
    }

    #[test]
    fn what_is_empty_or_too_long_is_named() {
        let long = "x".repeat(JSON_BYTES_MAX);
        for (said, field) in [
            (said(""), "message"),
            (said(&"x".repeat(MESSAGE_BYTES_MAX + 1)), "message"),
            (Said { event_id: Some(String::new()), ..said("a") }, "event_id"),
            (Said { persona_id: Some("x".repeat(ID_BYTES_MAX + 1)), ..said("a") }, "persona_id"),
            (Said { metadata: Map::from_iter([("k".into(), long.clone().into())]), ..said("a") }, "metadata"),
            (Said { attachments: vec![long.into()], ..said("a") }, "attachments"),
        ] {
            let Err(ConversationError::Length { field: found, .. }) = record(&session(), said, None) else {
                panic!("{field} passed")
            };
            assert_eq!(found, field);
        }
        assert!(record(&session(), said(&"x".repeat(MESSAGE_BYTES_MAX)), None).is_ok());
    }
}
