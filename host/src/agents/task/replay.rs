//! A past run once more, beside production: everything from its journal, nothing sent, nothing kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::outcome::Effects;
use super::turn::{Done, Task, perform};
use crate::agents::partition::{Surroundings, new_side};
use crate::catalog::Catalog;
use crate::problem::{Problem, ProblemKind};
use crate::runs::{Journal, Repeatable, Stop};
use crate::store::{RunRow, StepRow};
use crate::streams::NoState;

/// How long the log may take to give the record.
const RECORD_WAIT: Duration = Duration::from_secs(5);
/// How long a replay may take.
const REPLAY_MAX: Duration = Duration::from_secs(600);

/// What a replay showed.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Replayed {
    /// The run.
    pub run: String,
    /// `name@version` that was replayed.
    pub component: String,
    /// Each host call, in order.
    pub steps: Vec<ReplayedStep>,
    /// SHA-256 over what the run did then; none where it has done nothing yet, or failed.
    pub outputs_then: Option<String>,
    /// The same of the replay.
    pub outputs_now: Option<String>,
    /// True where the replay has come to the same: the same outputs, the same failure, or the same call under way.
    pub is_same: bool,
    /// How the replay ended: `finished`, `failed`, `under way` or `diverged`.
    pub end: String,
    /// Why, where it is not finished.
    pub problem: Option<Problem>,
}

/// One host call.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReplayedStep {
    /// As the journal has it.
    #[serde(flatten)]
    pub step: StepRow,
    /// True where the replay has asked the same.
    pub is_repeated: bool,
}

/// Replays a run with the version that made it.
///
/// # Errors
/// Where the run, its record or that version is not there any more.
pub async fn replay(catalog: &Catalog, run: &RunRow) -> Result<Replayed, Problem> {
    let agent = catalog.agent_of(&run.agent, &run.digest).await?;
    let services = catalog.services();
    let batch = services.streams.read(&run.topic, run.partition, run.offset, 1, RECORD_WAIT).await?;
    let task = Task::of(&run.agent, batch);
    if task.id != run.id {
        let message = format!("the record of run {} is not in {} any more", run.id, run.topic);
        let next = "a run can be replayed as long as its topic keeps the record";
        return Err(Problem::new(ProblemKind::NotFound, "run.record", message, next));
    }
    let steps = catalog.store().steps(&run.id).await?;
    let journal = Arc::new(Journal::repeating(run, steps.clone())?);
    let repeatable = Repeatable::new(journal.clone(), &run.seed, run.clock_ns)?;
    let around = Surroundings {
        engine: catalog.engine().clone(),
        services: services.clone(),
        agent: agent.clone(),
        state: Arc::new(NoState),
        meter: Arc::default(),
    };
    let side = new_side(&around, around.state.clone(), run.partition);
    let quiet = agent.identity.grant.limits().deadline();
    let (traceparent, times) = (run.traceparent.as_str().into(), (quiet, Instant::now() + REPLAY_MAX));
    let done = perform(&around, &task, run, &traceparent, repeatable, side, times).await;
    if let Done::Busy(problem) = done {
        return Err(problem);
    }
    let taken = journal.steps_taken();
    let steps = steps.into_iter().map(|step| ReplayedStep { is_repeated: step.seq < taken, step }).collect();
    let mut replayed = Replayed {
        run: run.id.clone(),
        component: agent.identity.component.to_string(),
        steps,
        outputs_then: run.outputs.clone(),
        outputs_now: None,
        is_same: false,
        end: String::new(),
        problem: None,
    };
    replayed.compare(run, done);
    Ok(replayed)
}

impl Replayed {
    fn compare(&mut self, run: &RunRow, done: Done) {
        let code_then = run.problem.as_ref().and_then(|problem| problem["code"].as_str());
        let all_repeated = self.steps.iter().all(|step| step.is_repeated);
        match done {
            Done::Finished(effects) => {
                self.end = "finished".into();
                self.outputs_now = Some(Effects::digest(&effects));
                self.is_same = all_repeated && self.outputs_now == self.outputs_then;
            }
            Done::Failed { problem, .. } => {
                self.end = "failed".into();
                self.is_same = all_repeated && code_then == Some(&problem.code) && self.outputs_then.is_none();
                self.problem = Some(problem);
            }
            Done::Stopped(Stop::Diverged(divergence)) => {
                self.end = "diverged".into();
                // What has no outcome yet may have been about to go on.
                self.problem = Some(divergence.problem(&self.run));
            }
            Done::Stopped(Stop::Store(error)) => {
                self.end = "diverged".into();
                self.problem = Some(error.into());
            }
            Done::Stopped(_) | Done::Busy(_) => {
                self.end = "under way".into();
                self.is_same = all_repeated && self.outputs_then.is_none();
            }
        }
    }
}
