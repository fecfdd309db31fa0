//! Spans as OTLP has them: `ExportTraceServiceRequest` of opentelemetry-proto 1, in protobuf's wire format. Only what a
//! host sends; docs/decisions/traces.md says why it is written here.

use super::traceparent::Context;

/// Who works for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Work inside of the host.
    Internal = 1,
    /// Work for somebody who waits for it.
    Server = 2,
    /// Somebody else's work, waited for.
    Client = 3,
    /// Something is sent that somebody will work on.
    Producer = 4,
    /// Work on what somebody has sent.
    Consumer = 5,
}

/// Value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// A name and its value.
pub type Attribute = (&'static str, Value);

/// A span that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Trace and span.
    pub(super) own: Context,
    /// The span that it is below; none for the first of a trace.
    pub(super) parent: Option<[u8; 8]>,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: SpanKind,
    /// When it began, nanoseconds since 1970.
    pub began_ns: u64,
    /// When it ended, nanoseconds since 1970.
    pub ended_ns: u64,
    /// Names and values.
    pub attributes: Vec<Attribute>,
    /// Spans of other traces.
    pub(super) links: Vec<Context>,
    /// Whether it failed.
    pub has_failed: bool,
}

impl Ended {
    /// Its trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        hex::encode(self.own.trace)
    }

    /// Its own id, 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        hex::encode(self.own.span)
    }

    /// The span that it is below; none for the first of a trace.
    pub fn parent_id(&self) -> Option<String> {
        self.parent.map(hex::encode)
    }
}

/// A request with these spans, of whoever `resource` describes.
pub(super) fn request(resource: &[Attribute], spans: &[Ended]) -> Vec<u8> {
    let scope = Message::default().text(1, "wasmill").text(2, env!("CARGO_PKG_VERSION"));
    let scoped = spans.iter().fold(Message::default().message(1, scope), |all, span| all.message(2, span_of(span)));
    let of_host = Message::default().message(1, attributes(Message::default(), 1, resource)).message(2, scoped);
    Message::default().message(1, of_host).0
}

fn span_of(span: &Ended) -> Message {
    let mut message = Message::default().bytes(1, &span.own.trace).bytes(2, &span.own.span);
    if let Some(parent) = &span.parent {
        message = message.bytes(4, parent);
    }
    message = message.text(5, &span.name).number(6, span.kind as u64).fixed(7, span.began_ns).fixed(8, span.ended_ns);
    message = attributes(message, 9, &span.attributes);
    for link in &span.links {
        message = message.message(13, Message::default().bytes(1, &link.trace).bytes(2, &link.span));
    }
    // STATUS_CODE_ERROR
    if span.has_failed { message.message(15, Message::default().number(3, 2)) } else { message }
}

fn attributes(into: Message, field: u64, all: &[Attribute]) -> Message {
    all.iter().fold(into, |message, (key, value)| {
        let any = match value {
            Value::Text(text) => Message::default().text(1, text),
            // Negative numbers go as two's complement.
            Value::Number(number) => Message::default().number(3, *number as u64),
        };
        message.message(field, Message::default().text(1, key).message(2, any))
    })
}

/// A message that grows field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn fixed(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_protobuf_writes_them() {
        let message = Message::default().number(1, 150).text(2, "testing").fixed(7, 1);
        let expected = "089601120774657374696e67390100000000000000";
        assert_eq!(hex::encode(message.0), expected, "the examples of protobuf's own description");
        assert_eq!(Message::default().number(3, -1i64 as u64).0.len(), 11);
    }
}
