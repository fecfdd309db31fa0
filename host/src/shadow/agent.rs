//! Two versions of an agent.

use std::sync::Arc;

use serde_json::{Value, json};
use wasmill_registry::{Kind, Mode};

use super::given::records;
use super::report::{Given, ShadowReport, Side};
use super::run::{Scene, out_of_time};
use crate::agents::{Beside, Gave, journal_of};
use crate::catalog::Agent;
use crate::problem::Problem;
use crate::runs::Answers;
use crate::streams::{Batch, Output, present};

pub(super) async fn compare(
    scene: &Scene,
    current: Arc<Agent>,
    candidate: Arc<Agent>,
    last: u32,
) -> Result<ShadowReport, Problem> {
    let (given, cut) = records(&scene.services.streams, [&current, &candidate], last).await?;
    let (component, beside) = (&candidate.identity.component, &current.identity.component);
    let mut report = ShadowReport::new(Kind::Agent, component, beside, Given::Records);
    report.cut = cut;
    let stage = |agent: &Arc<Agent>| {
        Beside::new(scene.catalog.clone(), scene.services.clone(), scene.shadow.clone(), agent.clone())
    };
    let (mut one, mut other) = (stage(&current), stage(&candidate));
    let has_runs = current.section.mode == Mode::Task;
    let name = current.identity.principal.name();
    for alone in given {
        let both = async {
            let known =
                if has_runs { journal_of(scene.catalog.store(), name, &alone).await? } else { Answers::default() };
            let one = one.give(alone.clone(), known.clone()).await?;
            Ok::<_, Problem>((one, other.give(alone.clone(), known).await?))
        };
        let Some(both) = scene.in_time(both).await else {
            report.cut = out_of_time();
            break;
        };
        let (one, other) = both?;
        report.add(|| place(&alone), side(one, &current), side(other, &candidate));
    }
    Ok(report)
}

/// Where a record is: `topic:partition:offset`.
fn place(alone: &Batch) -> String {
    format!("{}:{}:{}", alone.topic, alone.partition, alone.offsets.first().copied().unwrap_or_default())
}

fn side(gave: Gave, agent: &Agent) -> Side {
    match gave.outcome {
        Ok(outputs) => {
            let records: Value = outputs.iter().flat_map(shown).collect();
            Side { output: json!({ "records": records }), asked: gave.asked, micros: gave.micros }
        }
        Err(mut problem) => {
            // Errors name the version, which is never the same.
            problem.message = problem.message.replace(&*agent.identity.component, &agent.manifest.name);
            Side::failed(&problem, gave.asked, gave.micros)
        }
    }
}

/// The records of one send, without the headers that the host gives them.
fn shown(output: &Output) -> impl Iterator<Item = Value> {
    (0..output.keys.len()).map(move |row| {
        let mut record = json!({ "topic": output.topic });
        if present(&output.key_present, row) {
            record["key"] = text(output.keys.row(row));
        }
        if present(&output.value_present, row) {
            record["value"] = text(output.values.row(row));
        }
        let headers: Vec<Value> = output
            .headers
            .iter()
            .flat_map(|headers| headers.of(row))
            .map(|(name, value)| json!([text(name), text(value)]))
            .collect();
        if !headers.is_empty() {
            record["headers"] = headers.into();
        }
        record
    })
}

fn text(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}
