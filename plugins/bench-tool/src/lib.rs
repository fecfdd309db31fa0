//! Turns one field of JSON objects into capitals: what the benchmarks' agent calls instead of doing it itself.

use bench_kit::Event;
use serde::Deserialize;
use wasmill_sdk::{Error, Function, Tool};

/// `upper` for one object, `upper-all` for many.
struct Upper;

#[derive(Deserialize)]
struct One<'a> {
    #[serde(borrow)]
    record: Event<'a>,
}

#[derive(Deserialize)]
struct Many<'a> {
    #[serde(borrow)]
    records: Vec<Event<'a>>,
}

const ONE: &str = r#"{"type": "object", "properties": {"record": {"type": "object"}}, "required": ["record"]}"#;
const MANY: &str = r#"{"type": "object", "properties": {"records": {"type": "array", "items": {"type": "object"}}},
    "required": ["records"]}"#;

impl Tool for Upper {
    fn describe() -> Vec<Function> {
        vec![
            Function::new("upper", "Turns the name of one record into capitals.", ONE, r#"{"type": "object"}"#),
            Function::new("upper-all", "Turns the names of many records into capitals.", MANY, r#"{"type": "array"}"#),
        ]
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        let done = match function {
            "upper" => serde_json::from_str(arguments).and_then(|One { mut record }| {
                record.raise();
                serde_json::to_string(&record)
            }),
            "upper-all" => serde_json::from_str(arguments).and_then(|Many { mut records }| {
                records.iter_mut().for_each(Event::raise);
                let mut answer = Vec::with_capacity(arguments.len());
                serde_json::to_writer(&mut answer, &records)?;
                // What serde_json writes is UTF-8.
                Ok(String::from_utf8(answer).unwrap_or_default())
            }),
            other => return Err(Error::no_function(other)),
        };
        done.map_err(|error| Error::invalid("json.arguments", error.to_string()))
    }
}

wasmill_sdk::tool!(Upper);
