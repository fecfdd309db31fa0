//! What a record of the outbound topic tells. Reads only.

use serde_json::Value;

/// How an event is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole message.
    Message,
    /// A part of a message that comes whole later: its `type` is `part`.
    Part,
    /// A tool that is called, or has answered, on the way.
    Tool,
}

impl Kind {
    /// The name of the event.
    pub fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Part => "part",
            Self::Tool => "tool",
        }
    }
}

/// An event of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The session's id.
    pub session: Box<str>,
    /// How it is to be shown.
    pub kind: Kind,
    /// The record's value, on one line.
    pub json: Box<str>,
}

impl Event {
    /// Reads a record; none where it is no event of a session: another shape, or a key that is not the session's id.
    pub fn parse(key: Option<&[u8]>, value: Option<&[u8]>) -> Option<Self> {
        let value: Value = serde_json::from_slice(value?).ok()?;
        let text = |field: &str| value.get(field).and_then(Value::as_str);
        let session = text("session_id")?;
        // Records of one session in different partitions could not be told in their order.
        if key.is_some_and(|key| key != session.as_bytes()) {
            return None;
        }
        text("event_id")?;
        text("message")?;
        let kind = match (text("role")?, text("type")) {
            ("tool", _) => Kind::Tool,
            ("assistant" | "system", Some("part")) => Kind::Part,
            ("assistant" | "system" | "user", _) => Kind::Message,
            _ => return None,
        };
        Some(Self { session: session.into(), kind, json: value.to_string().into() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({ "event_id": "e", "session_id": "a/s", "role": "assistant", "message": "hi", "metadata": {} })
    }

    fn read(key: Option<&[u8]>, change: impl FnOnce(&mut Value)) -> Option<Event> {
        let mut value = event();
        change(&mut value);
        Event::parse(key, Some(value.to_string().as_bytes()))
    }

    #[test]
    fn an_event_has_a_session_and_a_kind() {
        let whole = read(Some(b"a/s"), |_| {}).unwrap();
        assert_eq!((&*whole.session, whole.kind), ("a/s", Kind::Message));
        assert_eq!(serde_json::from_str::<Value>(&whole.json).unwrap(), event());
        let kind =
            |role: &str, kind: &str| read(None, |v| (v["role"], v["type"]) = (role.into(), kind.into())).unwrap().kind;
        assert_eq!(kind("assistant", "part"), Kind::Part);
        assert_eq!(kind("tool", "part"), Kind::Tool);
        assert_eq!(kind("system", "message"), Kind::Message);
    }

    #[test]
    fn what_is_none_is_told_to_nobody() {
        assert_eq!(Event::parse(None, None), None);
        assert_eq!(Event::parse(None, Some(b"{}")), None);
        assert_eq!(Event::parse(None, Some(b"\xff")), None);
        assert_eq!(read(Some(b"b/s"), |_| {}), None);
        for (field, value) in [
            ("session_id", json!(7)),
            ("event_id", json!(null)),
            ("message", json!(["a"])),
            ("role", json!("admin")),
            ("role", json!(null)),
        ] {
            assert_eq!(read(None, |v| v[field] = value.clone()), None, "{field}: {value}");
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let text = serde_json::to_string_pretty(&event()).unwrap();
        assert!(!Event::parse(None, Some(text.as_bytes())).unwrap().json.contains('\n'));
    }
}
