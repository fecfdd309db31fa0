//! Files of cases, as docs/plugin-guide.md describes them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use wasmill_registry::{DocumentError, Kind, line_of, parse_document};

use crate::agents::Time;

/// A file of cases that can't be used, and where.
pub type CaseError = DocumentError;

/// What one file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases(pub Vec<Case>);

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// Settings for the component.
    pub config: BTreeMap<String, String>,
    /// What is done, and what must come of it.
    pub task: Task,
}

/// What is done, by the kind of the component.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// A call.
    Tool(ToolCase),
    /// A batch.
    Agent(AgentCase),
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCase {
    /// The function.
    pub function: String,
    /// Its arguments.
    pub arguments: Value,
    /// What it must answer; none: any result will do.
    pub expected: Option<Result<Value, Expected>>,
}

/// One batch for an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentCase {
    /// Its records; none where only time passes.
    pub records: Vec<Record>,
    /// What the clock shows then, and how long timers fire afterwards.
    pub time: Time,
    /// What must be sent, or how it must fail.
    pub expected: Result<Vec<Record>, Expected>,
    /// State afterwards; none: it doesn't matter.
    pub state: Option<BTreeMap<String, String>>,
}

/// An error that must come; what is left out doesn't matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Row of the batch.
    pub row: Option<u32>,
    /// Case, as in `wit/errors.wit`.
    pub case: Option<String>,
    /// Code.
    pub code: Option<String>,
}

/// A record, in or out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Topic.
    pub topic: String,
    /// Key; none: absent.
    pub key: Option<Text>,
    /// Value; none: absent.
    pub value: Option<Text>,
    /// Value as JSON, instead of `value`.
    pub json: Option<Value>,
    /// Headers; none: not looked at on the way out.
    pub headers: Option<Vec<(String, Text)>>,
    /// Milliseconds since 1970; only on the way in.
    pub timestamp_ms: Option<i64>,
}

/// Bytes: as text, or as `{ base64 = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "text, or { base64 = \"…\" }")]
pub enum Text {
    /// Text.
    Plain(String),
    /// Bytes that are no text.
    Encoded {
        /// In base64, with padding.
        #[serde(deserialize_with = "decoded")]
        base64: Vec<u8>,
    },
}

impl Text {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text.as_bytes(),
            Self::Encoded { base64 } => base64,
        }
    }
}

fn decoded<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

impl Record {
    /// The value's bytes; none: absent.
    pub fn value_bytes(&self) -> Option<Vec<u8>> {
        let json = self.json.as_ref().map(|json| json.to_string().into_bytes());
        json.or_else(|| self.value.as_ref().map(|value| value.bytes().to_vec()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    #[serde(default)]
    config: BTreeMap<String, String>,
    function: Option<String>,
    arguments: Option<Value>,
    result: Option<Value>,
    error: Option<Expected>,
    records: Option<Vec<Record>>,
    sent: Option<Vec<Record>>,
    state: Option<BTreeMap<String, String>>,
    failure: Option<Expected>,
    clock_ms: Option<u64>,
    advance_ms: Option<u64>,
}

impl Cases {
    /// Reads a file of cases for a component of this kind.
    ///
    /// # Errors
    /// With the line: no TOML, unknown keys, keys that are for the other kind, or that contradict each other.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, CaseError> {
        let file: File = parse_document(text)?;
        let cases = file.case.into_iter().enumerate().map(|(i, raw)| {
            let at = i.to_string();
            raw.check(kind)
                .map_err(|(key, message)| DocumentError { line: line_of(text, &["case", &at, key]), message })
        });
        Ok(Self(cases.collect::<Result<_, _>>()?))
    }
}

type Wrong = (&'static str, String);

impl Raw {
    fn check(self, kind: Kind) -> Result<Case, Wrong> {
        let (of_tools, of_agents) = (
            vec![
                ("function", self.function.is_some()),
                ("arguments", self.arguments.is_some()),
                ("result", self.result.is_some()),
                ("error", self.error.is_some()),
            ],
            vec![
                ("records", self.records.is_some()),
                ("sent", self.sent.is_some()),
                ("state", self.state.is_some()),
                ("failure", self.failure.is_some()),
                ("clock_ms", self.clock_ms.is_some()),
                ("advance_ms", self.advance_ms.is_some()),
            ],
        );
        let (foreign, other) = if kind == Kind::Tool { (of_agents, "an agent") } else { (of_tools, "a tool") };
        if let Some((key, _)) = foreign.iter().find(|(_, there)| *there) {
            return Err((key, format!("`{key}` belongs to a case for {other}")));
        }
        let Self { name, config, .. } = &self;
        let (name, config) = (name.clone(), config.clone());
        let task = match kind {
            Kind::Tool => Task::Tool(self.tool()?),
            Kind::Agent => Task::Agent(self.agent()?),
            Kind::Engine => return Err(("name", "an engine has no cases: the tools that it runs have".to_owned())),
        };
        Ok(Case { name, config, task })
    }

    fn tool(self) -> Result<ToolCase, Wrong> {
        let function = self.function.ok_or_else(|| ("name", "a case for a tool needs `function`".to_owned()))?;
        if self.error.as_ref().is_some_and(|error| error.row.is_some()) {
            return Err(("error", "only the failure of an agent has a row".to_owned()));
        }
        let expected = match (self.result, self.error) {
            (Some(_), Some(_)) => return Err(("error", "a case has `result` or `error`, not both".to_owned())),
            (result, error) => result.map(Ok).or(error.map(Err)),
        };
        let arguments = self.arguments.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        Ok(ToolCase { function, arguments, expected })
    }

    fn agent(self) -> Result<AgentCase, Wrong> {
        let time = Time { clock_ms: self.clock_ms, advance_ms: self.advance_ms.unwrap_or_default() };
        let records = match self.records {
            None if time.advance_ms > 0 => Vec::new(),
            None => return Err(("name", "a case for an agent needs `records`, or `advance_ms`".to_owned())),
            Some(records) if records.is_empty() => {
                return Err(("records", "a batch has at least one record".to_owned()));
            }
            Some(records) => records,
        };
        if records.iter().any(|record| record.topic != records[0].topic) {
            return Err(("records", "a batch has records of one topic".to_owned()));
        }
        for (key, list) in [("records", Some(&records)), ("sent", self.sent.as_ref())] {
            if list.into_iter().flatten().any(|record| record.value.is_some() && record.json.is_some()) {
                return Err((key, "a record has `value` or `json`, not both".to_owned()));
            }
        }
        let expected = match (self.sent, self.failure) {
            (Some(_), Some(_)) => return Err(("failure", "what fails sends nothing: leave out `sent`".to_owned())),
            (_, Some(failure)) => Err(failure),
            (sent, None) => Ok(sent.unwrap_or_default()),
        };
        Ok(AgentCase { records, time, expected, state: self.state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (kind, text, line, says) in [
            (Kind::Tool, "[[case]]\nname = \"a\"\nfunction = \"f\"\nresults = 1\n", 4, "results"),
            (Kind::Tool, "[[case]]\nname = \"a\"\n", 2, "needs `function`"),
            (Kind::Tool, "[[case]]\nname = \"a\"\nfunction = \"f\"\nsent = []\n", 4, "for an agent"),
            (Kind::Tool, "[[case]]\nname = \"a\"\nfunction = \"f\"\nresult = 1\nerror = {}\n", 5, "not both"),
            (Kind::Agent, "[[case]]\nname = \"a\"\nfunction = \"f\"\n", 3, "for a tool"),
            (Kind::Agent, "[[case]]\nname = \"a\"\n", 2, "needs `records`"),
            (Kind::Agent, "[[case]]\nname = \"a\"\nrecords = []\n", 3, "at least one"),
            (Kind::Agent, "[[case]]\nname = \"a\"\nrecords = [{ topic = \"t\", value = 7 }]\n", 3, "base64"),
            (Kind::Agent, "[[case]]\nname = \"a\"\nrecords = [{ topic = \"t\" }, { topic = \"u\" }]\n", 3, "one topic"),
        ] {
            let error = Cases::parse(text, kind).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(says), "{error} does not say {says}");
        }
    }

    #[test]
    fn a_record_has_text_bytes_or_json() {
        let text = "[[case]]\nname = \"a\"\nrecords = [{ topic = \"t\", key = \"k\", value = { base64 = \"/w==\" } }, \
            { topic = \"t\", json = { a = [1] } }, { topic = \"t\" }]\n";
        let Cases(cases) = Cases::parse(text, Kind::Agent).unwrap();
        let Task::Agent(case) = &cases[0].task else { panic!("{cases:?}") };
        let values: Vec<_> = case.records.iter().map(Record::value_bytes).collect();
        assert_eq!(values, [Some(b"\xff".to_vec()), Some(b"{\"a\":[1]}".to_vec()), None]);
        assert_eq!(case.expected, Ok(vec![]), "without `sent` nothing may be sent");
    }
}
