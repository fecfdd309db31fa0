//! The hostile agent. Each record's value is a JSON object whose `attack` names one; what came of it goes to the topic
//! `evil.results`, with the record's key, as `{"attack", "result"}` or `{"attack", "code", "message"}`,
//! with `"retry_after_ms"` where the host said so.
//!
//! One module per kind of attack; the sentence beside each name says what must happen. It needs rows that let it read
//! `evil.attacks`, write `evil.results`, keep state, set timers, start `none`, call nothing, forge `rust` and ask the model `allowed`; without one
//! of them it must be refused when it is loaded, with the import named.

mod columns;
mod forging;
mod limits;
mod lost;
mod memory;
mod others;
mod starting;
mod stored;
mod timers;
mod topic;

use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, Record, json};

/// Something that must not succeed.
#[derive(Clone, Copy)]
pub struct Attack {
    /// What `attack` says.
    name: &'static str,
    /// What must happen.
    must: &'static str,
    /// Tries it. The text is what it got.
    run: fn(&Case<'_>, &mut Outbox) -> Result<String, Failure>,
}

/// What an attack is given.
pub struct Case<'a> {
    /// The record that asked for it.
    record: Record<'a>,
    /// Its value.
    arguments: Value,
}

const KINDS: [&[Attack]; 10] = [
    columns::ATTACKS,
    forging::ATTACKS,
    limits::ATTACKS,
    lost::ATTACKS,
    memory::ATTACKS,
    others::ATTACKS,
    starting::ATTACKS,
    stored::ATTACKS,
    timers::ATTACKS,
    topic::ATTACKS,
];

/// Topic that the outcomes go to.
const RESULTS: &str = "evil.results";

#[derive(Default)]
struct Evil;

impl Agent for Evil {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let case = Case { record, arguments: json::parse(record.value_str().unwrap_or_default())? };
            let report = case.run(out)?;
            out.send(RESULTS, record.key(), Some(report.to_string().as_bytes()))?;
        }
        Ok(())
    }

    fn timer(&mut self, timer: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
        timers::fire(timer, out)
    }
}

wasmill_sdk::agent!(Evil);

impl Case<'_> {
    /// Runs the attack. Only one that wants the batch to fail makes it fail; all other errors are outcomes.
    fn run(&self, out: &mut Outbox) -> Result<Value, Failure> {
        let name = self.arguments["attack"].as_str().unwrap_or_default();
        if name == "list" {
            let all: Vec<_> =
                KINDS.concat().iter().map(|attack| json!({ "attack": attack.name, "must": attack.must })).collect();
            return Ok(Value::Array(all));
        }
        let attacks = KINDS.concat();
        let attack = attacks.iter().find(|attack| attack.name == name).ok_or_else(|| Error::no_function(name))?;
        match (attack.run)(self, out) {
            Ok(result) => Ok(json!({ "attack": name, "result": result })),
            // A flood ends as with any agent that passes errors on.
            Err(failure) if failure.reason.code() == lost::CODE || name == "amplify" => Err(failure),
            Err(failure) => {
                let mut told =
                    json!({ "attack": name, "code": failure.reason.code(), "message": failure.reason.message() });
                if let Some(ms) = failure.reason.problem().retry_after_ms {
                    told["retry_after_ms"] = json!(ms);
                }
                Ok(told)
            }
        }
    }

    fn number(&self, name: &str, default: u64) -> u64 {
        evil_kit::number(&self.arguments, name, default)
    }

    fn text(&self, name: &str, default: &'static str) -> &str {
        evil_kit::text(&self.arguments, name, default)
    }
}
