//! A candidate tried with random inputs: no call may trap or reach a limit, and every answer fits what the function says
//! of its answers. Errors that the tool gives itself are answers too.
//!
//! Nothing that leads out of an instance is reached meanwhile.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::diagnostics::{Diagnostic, Severity};
use super::super::inputs::{Inputs, Seed, smaller};
use super::super::outcome::{Problem, ProblemKind};
use super::measure::Meter;
use super::subject::{Described, Reach, Subject, Unanswered};
use super::{Misfit, cut};
use crate::schemas::{self, Schema};

/// How often another input is drawn where one doesn't fit the schema.
const DRAWS_MAX: usize = 8;
/// Most calls that look for a smaller input which fails.
const SHRINKING_CALLS_MAX: usize = 48;

/// How many random inputs there are, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomPlan {
    /// Inputs of each function.
    pub inputs: u32,
    /// Time for all of them together. The call at hand is not ended by it, but by its own limits.
    pub time: Duration,
    /// Where they begin from.
    pub seed: Seed,
}

/// How random inputs were borne: all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomFindings {
    /// The same seed gives the same inputs for the same schemas.
    pub seed: Seed,
    /// Inputs that were meant for each function.
    pub inputs: u32,
    /// Calls that were made, of all functions together.
    pub calls: u64,
    /// How many of them ended with an error that the tool gave itself.
    pub errors: u64,
    /// Functions that got no input: none was found that fits their schema, or the time was over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untried: Vec<String>,
}

/// An input that a tool can't bear, as its maker is told.
#[derive(Debug, Serialize)]
struct Failing<'a> {
    function: &'a str,
    arguments: &'a Value,
    happened: String,
    seed: Seed,
}

/// One function on trial.
struct Trial {
    name: String,
    inputs: Inputs,
    takes: Schema,
    gives: Schema,
    calls: u64,
}

/// False also where a check would not come to an end soon.
fn takes(schema: &Schema, value: &Value) -> bool {
    schema.check(value, value.to_string().len()).is_ok()
}

/// What doesn't fit; nothing where a check would not come to an end soon.
fn contradiction(schema: &Schema, value: &Value) -> Option<String> {
    match schema.check(value, value.to_string().len()) {
        Err(schemas::Misfit::Wrong { what, .. }) => Some(what),
        Err(schemas::Misfit::Costly) | Ok(()) => None,
    }
}

impl Trial {
    fn of(function: Described, seed: Seed) -> Option<Self> {
        let (takes, gives) =
            (Schema::parse(&function.input_schema).ok()?, Schema::parse(&function.output_schema).ok()?);
        let inputs = Inputs::new(takes.text().clone(), seed, &function.name);
        Some(Self { inputs, takes, gives, name: function.name, calls: 0 })
    }

    /// An input that fits. None where none is found.
    fn draw(&mut self, until: Instant) -> Option<Value> {
        let draws = (0..DRAWS_MAX).take_while(|_| Instant::now() < until);
        draws.map(|_| self.inputs.draw()).find(|input| takes(&self.takes, input))
    }
}

/// Tries every function, one input each in turn.
///
/// # Errors
/// With the first input that the tool can't bear, made smaller where that is quickly done.
pub(super) async fn try_out(
    subject: &dyn Subject,
    plan: &RandomPlan,
    meter: &mut Meter,
) -> Result<RandomFindings, Misfit> {
    let RandomPlan { inputs, time, seed } = *plan;
    let until = Instant::now() + time;
    let mut trials: Vec<Trial> =
        subject.functions().into_iter().filter_map(|function| Trial::of(function, seed)).collect();
    let mut errors = 0;
    for _ in 0..inputs {
        for trial in &mut trials {
            let Some(input) = trial.draw(until) else { continue };
            match call(subject, trial, &input, meter).await {
                Ended::Well => trial.calls += 1,
                Ended::WithItsError => {
                    trial.calls += 1;
                    errors += 1;
                }
                Ended::NotCalled => {}
                Ended::Badly(happened) => {
                    let (input, happened) = shrink(subject, trial, input, happened, until, meter).await;
                    return Err(misfit(trial, &input, happened, plan));
                }
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
    let untried = trials.iter().filter(|trial| trial.calls == 0).map(|trial| trial.name.clone()).collect();
    Ok(RandomFindings { seed, inputs, calls: trials.iter().map(|trial| trial.calls).sum(), errors, untried })
}

/// How a call with a random input ended.
enum Ended {
    Well,
    WithItsError,
    /// The host had no room for it.
    NotCalled,
    Badly(String),
}

async fn call(subject: &dyn Subject, trial: &Trial, input: &Value, meter: &mut Meter) -> Ended {
    let answer = subject.call(&trial.name, &input.to_string(), Reach::Nowhere).await;
    meter.add(&answer);
    let text = match answer.result {
        Ok(text) => text,
        Err(Unanswered::Said(_)) => return Ended::WithItsError,
        Err(Unanswered::Unavailable(_)) => return Ended::NotCalled,
        Err(Unanswered::Ended(message)) => return Ended::Badly(message),
    };
    let Ok(given) = serde_json::from_str::<Value>(&text) else {
        return Ended::Badly(format!("it answered what is not JSON: {}", cut(&text)));
    };
    match contradiction(&trial.gives, &given) {
        None => Ended::Well,
        Some(misfit) => Ended::Badly(format!(
            "its answer doesn't fit the output schema: {}; it answered {}",
            cut(&misfit),
            cut(&text)
        )),
    }
}

/// Looks for a smaller input that ends badly too, as long as there is time.
async fn shrink(
    subject: &dyn Subject,
    trial: &Trial,
    mut input: Value,
    mut happened: String,
    until: Instant,
    meter: &mut Meter,
) -> (Value, String) {
    let mut calls_left = SHRINKING_CALLS_MAX;
    'smaller: loop {
        for less in smaller(&input).into_iter().filter(|less| takes(&trial.takes, less)) {
            if calls_left == 0 || Instant::now() >= until {
                return (input, happened);
            }
            calls_left -= 1;
            if let Ended::Badly(how) = call(subject, trial, &less, meter).await {
                (input, happened) = (less, how);
                continue 'smaller;
            }
        }
        return (input, happened);
    }
}

fn misfit(trial: &Trial, input: &Value, happened: String, plan: &RandomPlan) -> Misfit {
    let message = format!("`{}` can't bear a random input that fits its schema: {happened}", trial.name);
    let next = "Let it answer such an input, with an error of its own where it can do nothing with it; or have its input \
                schema not take it.";
    let failing = Failing { function: &trial.name, arguments: input, happened, seed: plan.seed };
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        code: Some("forge.random".to_owned()),
        message: format!("`{}` with {}: {}", trial.name, cut(&input.to_string()), failing.happened),
        line: 0,
        column: 0,
        // It is made of text and JSON alone.
        rendered: serde_json::to_string(&failing).unwrap_or_default(),
    };
    (Problem::new(ProblemKind::Failed, "forge.random", message, next), vec![diagnostic])
}

#[cfg(test)]
#[path = "random_tests.rs"]
mod tests;
