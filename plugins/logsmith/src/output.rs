//! Records for `logs.parsed`.

use std::collections::HashMap;

use logsmith_core::runtime::head;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use wasmill_sdk::{Error, Outbox, tools};

/// Where parsed lines go.
pub const TOPIC: &str = "logs.parsed";

/// A tool's answer to `parse`. What only passes through stays JSON text.
#[derive(Debug, Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
}

/// Template, time, level, other fields of the head, variables.
#[derive(Debug, Deserialize)]
struct Row<'a>(
    Option<u32>,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
);

/// The templates of a tool by their numbers, as JSON texts.
pub type Templates = HashMap<u32, String>;

/// Templates of the tools that were called before. A tool of one version always has the same.
#[derive(Debug, Default)]
pub struct Texts {
    known: HashMap<String, Templates>,
}

/// Tools whose templates are remembered at once.
const KNOWN_MAX: usize = 64;

impl Texts {
    /// The templates of a tool; none where it cannot be called.
    pub fn of(&mut self, tool: &str) -> Result<Option<&Templates>, Error> {
        if !self.known.contains_key(tool) {
            let answer = match tools::call(tool, "templates", "{}") {
                Ok(answer) => answer,
                Err(Error::Denied(_) | Error::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(tool.to_owned(), templates(&answer)?);
        }
        Ok(self.known.get(tool))
    }
}

/// Reads an answer to `templates`.
pub fn templates(answer: &str) -> Result<Templates, Error> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        templates: Vec<(u32, &'a RawValue)>,
    }
    let list: List<'_> = serde_json::from_str(answer).map_err(|error| malformed(&error.to_string()))?;
    Ok(list.templates.into_iter().map(|(number, text)| (number, text.get().to_owned())).collect())
}

/// Sends one record per line. Lines without a template also go into `strange`. False, and nothing sent, where the answer has
/// the wrong shape.
pub fn rows<'l>(
    source: &str,
    lines: &[&'l str],
    answer: &str,
    templates: &Templates,
    out: &mut Outbox,
    strange: &mut Vec<&'l str>,
) -> Result<bool, Error> {
    let answer: Answer<'_> = match serde_json::from_str(answer) {
        Ok(answer) => answer,
        Err(_) => return Ok(false),
    };
    if answer.rows.len() != lines.len() {
        return Ok(false);
    }
    let name = text(source);
    for (row, line) in answer.rows.iter().zip(lines) {
        if row.0.is_none() {
            strange.push(line);
        }
        out.send_written(TOPIC, Some(source.as_bytes()), |bytes| record(bytes, &name, row, line, templates))?;
    }
    Ok(true)
}

/// Sends lines that no parser has seen.
pub fn unparsed(source: &str, lines: &[&str], out: &mut Outbox) -> Result<(), Error> {
    let answer = json!({ "rows": vec![json!([null, "", "", [], []]); lines.len()] }).to_string();
    rows(source, lines, &answer, &Templates::new(), out, &mut Vec::new()).map(|_| ())
}

/// Writes one record: an object with `source`, `time`, `level`, `template_id`, `template`, `variables`, `fields`, and for a
/// line without a template the `line` itself, as far as a parser looks at it.
fn record(bytes: &mut Vec<u8>, name: &str, row: &Row<'_>, line: &str, templates: &Templates) {
    let Row(number, time, level, fields, variables) = row;
    let id = number.map_or_else(|| "null".to_owned(), |number| number.to_string());
    let template = number.as_ref().and_then(|number| templates.get(number)).map_or("null", String::as_str);
    for part in [
        "{\"source\":",
        name,
        ",\"time\":",
        time.get(),
        ",\"level\":",
        level.get(),
        ",\"template_id\":",
        &id,
        ",\"template\":",
        template,
        ",\"variables\":",
        variables.get(),
        ",\"fields\":",
        fields.get(),
    ] {
        bytes.extend_from_slice(part.as_bytes());
    }
    if number.is_none() {
        bytes.extend_from_slice(b",\"line\":");
        bytes.extend_from_slice(text(head::clip(line)).as_bytes());
    }
    bytes.push(b'}');
}

/// A JSON text.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn malformed(why: &str) -> Error {
    Error::failed("logsmith.answer", format!("a parser's answer has the wrong shape: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: &str, line: &str) -> serde_json::Value {
        let answer: Answer<'_> = serde_json::from_str(answer).unwrap();
        let templates = templates(r#"{"templates":[[3,"user <*> \"left\""]]}"#).unwrap();
        let mut bytes = Vec::new();
        record(&mut bytes, &text("a\"b"), &answer.rows[0], line, &templates);
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_record_says_everything_about_its_line() {
        let record = written(r#"{"rows":[[3,"12:00","INFO",["42"],["é\"x"]]]}"#, "the line");
        assert_eq!(
            record,
            serde_json::json!({"source": "a\"b", "time": "12:00", "level": "INFO", "template_id": 3,
                "template": "user <*> \"left\"", "variables": ["é\"x"], "fields": ["42"]})
        );
    }

    #[test]
    fn a_line_without_a_template_is_in_its_record() {
        let record = written(r#"{"rows":[[null,"","",[],[]]]}"#, "st\range \"line\"");
        assert_eq!(record["line"], "st\range \"line\"");
        assert!(record["template"].is_null() && record["template_id"].is_null());
    }
}
