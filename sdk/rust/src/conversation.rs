//! Messages of conversations, in the format of the topics `conversation.inbound` and `conversation.outbound`.
//!
//! ```no_run
//! use wasmill_sdk::conversation::Message;
//! use wasmill_sdk::{Agent, Batch, Failure, Outbox};
//!
//! #[derive(Default)]
//! struct Echo;
//!
//! impl Agent for Echo {
//!     fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
//!         for record in batch {
//!             let message = Message::read(&record)?;
//!             message.answers(batch, &record).say(out, &message.text)?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! wasmill_sdk::agent!(Echo);
//! # fn main() {}
//! ```

use serde_json::{Map, Value, json};

use crate::{Batch, Error, Outbox, Record};

/// Topic that answers go to, unless [`Answers::on`] names another.
const OUTBOUND: &str = "conversation.outbound";

/// What somebody says.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The conversation that it belongs to.
    pub session: String,
    /// The text.
    pub text: String,
    /// `user`, `assistant`, `system` or `tool`.
    pub role: String,
    /// What its sender added.
    pub metadata: Map<String, Value>,
    persona: Option<String>,
    trace: Option<Value>,
}

impl Message {
    /// Reads a record.
    ///
    /// # Errors
    /// `invalid` with `conversation.message` where it is no message.
    pub fn read(record: &Record<'_>) -> Result<Self, Error> {
        Self::parse(record.value_str().unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why: String| {
            Error::invalid("conversation.message", why).with_next("Send it as docs/conversations.md says.")
        };
        let mut value: Value = serde_json::from_str(text).map_err(|error| refused(format!("not JSON: {error}")))?;
        let field = |name: &str| {
            let text = value.get(name).and_then(Value::as_str);
            text.map(str::to_owned).ok_or_else(|| refused(format!("`{name}` is no text, or missing")))
        };
        let (session, text, role) = (field("session_id")?, field("message")?, field("role")?);
        let metadata = match value.get_mut("metadata").map(Value::take) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(metadata)) => metadata,
            Some(_) => return Err(refused("`metadata` is no object".into())),
        };
        let persona = value.get("persona_id").and_then(Value::as_str).map(str::to_owned);
        let trace = value.get("trace_context").filter(|trace| trace.is_object()).cloned();
        Ok(Self { session, text, role, metadata, persona, trace })
    }

    /// What is answered to it, on behalf of a record: the same work done again gives the same ids.
    pub fn answers(&self, batch: &Batch, record: &Record<'_>) -> Answers<'_> {
        let id = format!("{}-{}-{}", batch.topic(), batch.partition(), record.offset());
        Answers { message: self, topic: OUTBOUND.to_owned(), id, count: 0 }
    }
}

/// Answers to a message, in their order. All belong to its session and its trace.
#[derive(Debug)]
pub struct Answers<'m> {
    message: &'m Message,
    topic: String,
    id: String,
    count: u32,
}

impl Answers<'_> {
    /// Answers on another topic.
    #[must_use]
    pub fn on(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.topic);
        self
    }

    /// Says a whole message.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn say(&mut self, out: &mut Outbox, text: &str) -> Result<(), Error> {
        self.send(out, "assistant", "message", text, &self.message.metadata.clone())
    }

    /// Says a part of a message that comes whole later.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn part(&mut self, out: &mut Outbox, text: &str) -> Result<(), Error> {
        self.send(out, "assistant", "part", text, &self.message.metadata.clone())
    }

    /// Shows that a tool is called: `tool` is `name/function`, `arguments` its JSON.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn calling(&mut self, out: &mut Outbox, tool: &str, arguments: &Value) -> Result<(), Error> {
        let metadata = Map::from_iter([("tool_name".into(), tool.into()), ("args".into(), arguments.clone())]);
        self.send(out, "tool", "tool.call", &format!("calls {tool}"), &metadata)
    }

    /// Shows what a tool answered, or why it did not.
    ///
    /// # Errors
    /// As [`Outbox::send`].
    pub fn called(&mut self, out: &mut Outbox, tool: &str, answer: &Result<String, Error>) -> Result<(), Error> {
        let (status, payload) = match answer {
            Ok(json) => ("success", serde_json::from_str(json).unwrap_or_else(|_| json.as_str().into())),
            Err(Error::Denied(_)) => ("blocked", said(answer)),
            Err(_) => ("error", said(answer)),
        };
        let fields = [("tool_name", tool.into()), ("status", status.into()), ("payload", payload)];
        let metadata = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.send(out, "tool", "tool.result", &format!("{tool}: {status}"), &metadata)
    }

    fn send(
        &mut self,
        out: &mut Outbox,
        role: &str,
        kind: &str,
        text: &str,
        metadata: &Map<String, Value>,
    ) -> Result<(), Error> {
        let event_id = format!("{}-{}", self.id, self.count);
        self.count += 1;
        let value = self.value(&event_id, role, kind, text, metadata).to_string();
        let session = self.message.session.as_bytes();
        let headers: [(&str, &[u8]); 4] = [
            ("schema", b"conversation_message"),
            ("event_type", b"conversation.outbound"),
            ("event_id", event_id.as_bytes()),
            ("session_id", session),
        ];
        let persona = self.message.persona.as_ref().map(|persona| ("persona_id", persona.as_bytes()));
        let headers = headers.into_iter().chain(persona);
        out.send_with_headers(&self.topic, Some(session), Some(value.as_bytes()), headers)
    }

    fn value(&self, event_id: &str, role: &str, kind: &str, text: &str, metadata: &Map<String, Value>) -> Value {
        let mut value = json!({
            "event_id": event_id, "session_id": self.message.session, "role": role, "type": kind, "message": text,
            "metadata": metadata,
        });
        if let Some(persona) = &self.message.persona {
            value["persona_id"] = persona.as_str().into();
        }
        if let Some(trace) = &self.message.trace {
            value["trace_context"] = trace.clone();
        }
        value
    }
}

/// An error as others see it.
fn said(answer: &Result<String, Error>) -> Value {
    match answer {
        Ok(_) => Value::Null,
        Err(error) => json!({ "code": error.code(), "message": error.message() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &str = r#"{"event_id":"e","session_id":"c/s","persona_id":"p","role":"user","message":"hi",
        "metadata":{"k":1},"trace_context":{"traceparent":"t"}}"#;

    #[test]
    fn a_message_is_read_and_its_answers_belong_to_it() {
        let message = Message::parse(WIRE).unwrap();
        assert_eq!((&*message.session, &*message.text, &*message.role), ("c/s", "hi", "user"));
        let answers = Answers { message: &message, topic: OUTBOUND.into(), id: "t-0-7".into(), count: 0 };
        assert_eq!(
            answers.value("t-0-7-0", "assistant", "message", "ho", &message.metadata),
            json!({
                "event_id": "t-0-7-0", "session_id": "c/s", "persona_id": "p", "role": "assistant", "type": "message",
                "message": "ho", "metadata": { "k": 1 }, "trace_context": { "traceparent": "t" },
            })
        );
    }

    #[test]
    fn what_is_no_message_says_why() {
        for (text, why) in [
            ("", "not JSON"),
            (r#"{"session_id":"s","role":"user"}"#, "`message`"),
            (r#"{"session_id":7,"message":"a","role":"user"}"#, "`session_id`"),
            (r#"{"session_id":"s","message":"a","role":"user","metadata":[]}"#, "`metadata`"),
        ] {
            let error = Message::parse(text).unwrap_err();
            assert!(error.message().contains(why), "{error:?}");
            assert_eq!(error.code(), "conversation.message");
        }
    }
}
