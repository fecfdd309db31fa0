//! An agent for tests of task mode. A record's value is a list of steps, each an object with one key that names it; what
//! each gave goes as a list to `steps.done`, with the record's key.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmill_sdk::http::{self, Request};
use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, json, model, state, tools};

/// Sent with each request. A test makes another version of this agent by changing the digit in the finished component,
/// so the text is too long for the compiler to take apart.
const VARIANT: &str =
    "variant-1, which is a rather long text, so that it lies in the component in one piece, as it is.";

#[derive(Default)]
struct Stepper;

impl Agent for Stepper {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let steps: Value = json::parse(record.value_str().unwrap_or_default())?;
            let steps = steps.as_array().ok_or("steps are a list")?;
            let results = steps.iter().map(step).collect::<Result<Vec<_>, _>>()?;
            out.send("steps.done", record.key(), Some(Value::Array(results).to_string().as_bytes()))?;
        }
        Ok(())
    }
}

/// Does one step.
fn step(step: &Value) -> Result<Value, Error> {
    let (name, given) = step.as_object().and_then(|step| step.iter().next()).ok_or("a step is an object")?;
    let text = || given.as_str().unwrap_or_default();
    Ok(match name.as_str() {
        // The status and the body; what doesn't answer well may pass.
        "get" => {
            let response = http::send(&Request::get(text()).with_header("x-variant", VARIANT))?;
            if response.status >= 500 {
                return Err(Error::unavailable("stepper.later", format!("{} answered {}", text(), response.status)));
            }
            json!(String::from_utf8_lossy(&response.body))
        }
        // [tool, function, arguments]
        "call" => {
            let part = |index: usize| given[index].as_str().unwrap_or_default();
            json::parse(&tools::call(part(0), part(1), &given[2].to_string())?)?
        }
        // [tool, function, arguments, arguments, …]
        "call-all" => {
            let part = |index: usize| given[index].as_str().unwrap_or_default();
            let all = given.as_array().into_iter().flatten().skip(2);
            let calls: Vec<_> = all.map(|a| tools::invocation(part(0), part(1), &a.to_string())).collect();
            let answers = tools::call_all(&calls)?.into_iter().map(|answer| json::parse(&answer?));
            Value::Array(answers.collect::<Result<_, Error>>()?)
        }
        "ask" => json!(model::ask(text())?.content),
        // Random numbers of the standard library come from `wasi:random`.
        "random" => json!(RandomState::new().build_hasher().finish()),
        "time" => {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            json!([wall.as_nanos().to_string(), Instant::now().elapsed().as_nanos().to_string()])
        }
        // Counts in the state, under this name.
        "count" => {
            let before = state::get(text())?.and_then(|value| value.first().copied()).unwrap_or_default();
            state::set(text(), [before + 1])?;
            json!(before + 1)
        }
        // Milliseconds.
        "sleep" => {
            std::thread::sleep(Duration::from_millis(given.as_u64().unwrap_or_default()));
            Value::Null
        }
        "compute" => {
            let rounds = given.as_u64().unwrap_or_default();
            json!((0..rounds).fold(1u64, |x, n| std::hint::black_box(x.wrapping_mul(31).wrapping_add(n))))
        }
        "fail" => return Err(Error::failed("stepper.failed", text())),
        "fail-for-now" => return Err(Error::unavailable("stepper.unavailable", text())),
        "trap" => deep(given.as_u64().unwrap_or_default()),
        other => return Err(Error::no_function(other)),
    })
}

/// Traps some calls further down.
#[inline(never)]
fn deep(levels: u64) -> Value {
    if levels == 0 {
        std::process::abort();
    }
    let below = deep(std::hint::black_box(levels) - 1);
    json!([below])
}

wasmill_sdk::agent!(Stepper);
