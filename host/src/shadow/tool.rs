//! Two versions of a tool.

use serde_json::{Value, json};
use wasmill_registry::Kind;

use super::given::{Call, call_of, call_of_example};
use super::report::{Given, ShadowReport, Side};
use super::run::{Scene, out_of_time};
use crate::capabilities::problem;
use crate::catalog::Tool;
use crate::problem::{Problem, ProblemKind};
use crate::runs::Answers;
use crate::store::now_ms;

pub(super) async fn compare(
    scene: &Scene,
    current: &Tool,
    candidate: &Tool,
    examples: &[Value],
    last: u32,
) -> Result<ShadowReport, Problem> {
    let name = &candidate.manifest.name;
    let kept = scene.catalog.store().tool_requests(name, last).await?;
    let mut calls: Vec<Call> = kept.iter().rev().filter_map(|shown| call_of(name, shown)).collect();
    let mut given = Given::Calls;
    if calls.is_empty() {
        calls = examples.iter().filter_map(call_of_example).take(last as usize).collect();
        given = Given::Examples;
    }
    if calls.is_empty() {
        let message = format!("no call of `{name}` is kept, and it has no examples");
        let next = "Calls are kept in the journals of runs of agents in task mode; or give examples when it is made.";
        return Err(Problem::new(ProblemKind::NotFound, "shadow.nothing", message, next));
    }
    let mut report = ShadowReport::new(Kind::Tool, &candidate.identity.component, &current.identity.component, given);
    // The same for both.
    let clock_ms = u64::try_from(now_ms()).unwrap_or_default();
    for call in &calls {
        let both =
            async { (answer(scene, current, call, clock_ms).await, answer(scene, candidate, call, clock_ms).await) };
        let Some((one, other)) = scene.in_time(both).await else {
            report.cut = out_of_time();
            break;
        };
        report.add(|| format!("{} {}", call.function, crate::catalog::plain(&call.arguments, 512)), one, other);
    }
    Ok(report)
}

async fn answer(scene: &Scene, tool: &Tool, call: &Call, clock_ms: u64) -> Side {
    scene.shadow.begin(Answers::default());
    let tried = scene.catalog.try_beside(&scene.services, tool, (&call.function, &call.arguments), clock_ms).await;
    let asked = scene.shadow.take();
    match tried.result {
        Ok(answer) => {
            // The host has seen that it is JSON.
            let answer = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
            Side { output: json!({ "answer": answer }), asked, micros: tried.micros }
        }
        Err(error) => {
            let mut problem = problem(&error);
            // Errors name the version, which is never the same.
            problem.message = problem.message.replace(&*tool.identity.component, &tool.manifest.name);
            Side::failed(&problem, asked, tried.micros)
        }
    }
}
