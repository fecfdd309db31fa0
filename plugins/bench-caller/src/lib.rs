//! Turns one field of JSON records into capitals, by itself or by a tool: what a tool call costs an agent.

use wasmill_sdk::tools::{self, Invocation};
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, config};

/// Most calls of one `call_all`.
const CALLS_MAX: usize = 64;

/// Sends each record, its field `name` in capitals, to the topic of the setting `to`. The setting `way` says who does it.
#[derive(Default)]
struct Caller {
    settings: Option<(String, Way)>,
}

/// Who turns names into capitals.
#[derive(Clone, Copy)]
enum Way {
    /// This agent.
    Inline,
    /// The tool, called for each record, many calls at once.
    Each,
    /// The tool, called once for all records of a batch.
    Batch,
}

impl Agent for Caller {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        let (to, way) = self.settings.get_or_insert_with(settings);
        match way {
            Way::Inline => inline(batch, to, out),
            Way::Each => each(batch, to, out),
            Way::Batch => all(batch, to, out),
        }
    }
}

fn settings() -> (String, Way) {
    let way = match config::get("way").as_deref() {
        Some("each") => Way::Each,
        Some("batch") => Way::Batch,
        _ => Way::Inline,
    };
    (config::get("to").unwrap_or_default(), way)
}

fn inline(batch: &Batch, to: &str, out: &mut Outbox) -> Result<(), Failure> {
    for record in batch {
        let value = record.value().unwrap_or_default();
        let mut done = Ok(());
        out.send_written(to, record.key(), |bytes| done = bench_kit::upper(value, bytes))?;
        done.map_err(|error| Failure::of(&record, error.to_string()))?;
    }
    Ok(())
}

fn each(batch: &Batch, to: &str, out: &mut Outbox) -> Result<(), Failure> {
    let records: Vec<_> = batch.iter().collect();
    for part in records.chunks(CALLS_MAX) {
        let calls: Vec<Invocation> = part
            .iter()
            .map(|record| {
                let arguments = format!(r#"{{"record":{}}}"#, record.value_str().unwrap_or("null"));
                tools::invocation("bench-tool", "upper", &arguments)
            })
            .collect();
        for (record, answer) in part.iter().zip(tools::call_all(&calls)?) {
            out.send(to, record.key(), Some(answer?.as_bytes()))?;
        }
    }
    Ok(())
}

fn all(batch: &Batch, to: &str, out: &mut Outbox) -> Result<(), Failure> {
    let mut arguments = String::from(r#"{"records":["#);
    for record in batch {
        if record.row() > 0 {
            arguments.push(',');
        }
        arguments.push_str(record.value_str().unwrap_or("null"));
    }
    arguments.push_str("]}");
    let answer = tools::call("bench-tool", "upper-all", &arguments)?;
    let values: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(&answer).map_err(|error| Error::invalid("json.result", error.to_string()))?;
    for (record, value) in batch.iter().zip(values) {
        out.send(to, record.key(), Some(value.get().as_bytes()))?;
    }
    Ok(())
}

wasmill_sdk::agent!(Caller);
