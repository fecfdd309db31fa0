//! One batch for an agent that takes part in no stream, and the timers that are due afterwards: what it would do, with
//! nothing committed.

use std::sync::Arc;

use super::batch::to_guest;
use super::headers;
use super::instance::{CallError, Instance};
use super::partition::{Surroundings, new_side};
use super::timers;
use crate::capabilities::timers::next_due;
use crate::capabilities::{Services, guest_state, problem};
use crate::catalog::{Agent, Catalog};
use crate::permissions::Action;
use crate::problem::{Problem, ProblemKind};
use crate::streams::{Batch, NoState, Output, Overlay, StateChange, StateEntry};

/// Most rows of timers: one that sets itself again for ever must come to an end.
const FIRED_MAX: usize = 1000;

/// What an agent did with a batch.
pub struct Rehearsed {
    /// Records that it would send, by send; empty where it failed.
    pub outputs: Vec<Output>,
    /// How it failed, if it did: the row that it named, and why. A trap has no row of its own and stands at 0.
    pub failure: Option<(u32, Problem)>,
    /// Its state afterwards, by key, where it began with none.
    pub state: Vec<StateEntry>,
}

/// Time, as the agent sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    /// What its standing clock shows when the batch comes, milliseconds since 1970; none: now.
    pub clock_ms: Option<u64>,
    /// How long afterwards timers and schedules fire, milliseconds. Nobody waits for it.
    pub advance_ms: u64,
}

/// Hands a batch to a fresh instance of an agent, once and whole: the rows of a failed batch are not given again. Then
/// fires what is due in the time that passes, in its order.
///
/// # Errors
/// Where the instance can't be started, or timers fire without end.
pub async fn rehearse(catalog: &Catalog, agent: Arc<Agent>, batch: Batch, time: Time) -> Result<Rehearsed, Problem> {
    let begin_ms = time.clock_ms.unwrap_or_else(timers::now_ms);
    let until_ms = begin_ms.saturating_add(time.advance_ms);
    let mut stage = Stage::new(catalog, catalog.services(), agent, batch.partition).await?;
    stage.plan(begin_ms)?;
    let mut failure = if batch.is_empty() { None } else { stage.give(batch, begin_ms).await? };
    let mut fired = 0;
    while failure.is_none()
        && let Some(due_ms) = next_due(&*stage.kept, stage.partition)?.filter(|due_ms| *due_ms <= until_ms)
    {
        let crons = &stage.around.agent.section.cron;
        for batch in timers::batches(&*stage.kept, crons, stage.partition, due_ms, FIRED_MAX)? {
            fired += batch.len();
            if fired > FIRED_MAX {
                let message = format!("over {FIRED_MAX} timers fire in {} ms", time.advance_ms);
                return Err(Problem::new(ProblemKind::Limit, "cases.timers", message, "Let less time pass."));
            }
            failure = match failure {
                None => stage.give(batch, due_ms.max(begin_ms)).await?,
                failure => failure,
            };
        }
    }
    let state = guest_state(&*stage.kept, stage.partition)?;
    // What a failed batch did is never seen.
    let outputs = if failure.is_none() { stage.outputs } else { Vec::new() };
    Ok(Rehearsed { outputs, failure, state })
}

/// An instance, and what it has done so far.
pub(super) struct Stage {
    around: Surroundings,
    partition: u32,
    instance: Instance,
    kept: Arc<Overlay>,
    outputs: Vec<Output>,
}

impl Stage {
    /// An agent with empty state, and with what guests share.
    pub async fn new(
        catalog: &Catalog,
        services: &Arc<Services>,
        agent: Arc<Agent>,
        partition: u32,
    ) -> Result<Self, Problem> {
        let kept = Arc::new(Overlay::new(Arc::new(NoState)));
        let (engine, services) = (catalog.engine().clone(), services.clone());
        let around = Surroundings { engine, services, agent, state: kept.clone(), meter: Arc::default() };
        let instance = start(&around, &kept, partition).await?;
        Ok(Self { around, partition, instance, kept, outputs: Vec::new() })
    }

    /// Gives a record at a moment, as a batch of one. What it sent, or how it failed; then the next one finds a new instance,
    /// and what the failed one did is gone.
    pub async fn give_alone(&mut self, alone: Batch, now_ms: u64) -> Result<Result<Vec<Output>, Problem>, Problem> {
        match self.give(alone, now_ms).await? {
            None => Ok(Ok(std::mem::take(&mut self.outputs))),
            Some((_, problem)) => {
                self.instance = start(&self.around, &self.kept, self.partition).await?;
                Ok(Err(problem))
            }
        }
    }

    /// Lets the schedules of the manifest begin, where they may.
    fn plan(&mut self, now_ms: u64) -> Result<(), Problem> {
        let agent = &self.around.agent;
        if agent.identity.grant.check(Action::Timers).is_allowed() {
            let plans = timers::plans(&self.around.state, &agent.section.cron, now_ms);
            self.kept.add(&plans.map_err(|error| problem(&error))?);
        }
        Ok(())
    }

    /// Gives a batch at a moment. None where all went well, and then what it did counts.
    async fn give(&mut self, batch: Batch, now_ms: u64) -> Result<Option<(u32, Problem)>, Problem> {
        let traceparent = headers::traceparent(&batch);
        let agent = &self.around.agent;
        if let Some(side) = self.instance.side() {
            side.outbox.begin(headers::stamp(agent, &traceparent, headers::id_prefix(&batch)));
            timers::settle(&mut side.state, &agent.section.cron, &batch, now_ms).map_err(|error| problem(&error))?;
        }
        let mut context = self.around.context(&traceparent);
        context.clock_ms = Some(now_ms);
        let failure = match self.instance.handle(context, &to_guest(batch)).await {
            Ok(()) => None,
            Err(CallError::Row { row, problem, .. }) => Some((row, problem)),
            Err(CallError::Dead { problem, .. }) => Some((0, problem)),
        };
        if let Some(side) = self.instance.side().filter(|_| failure.is_none()) {
            let changes: Vec<StateChange> = side.state.take_changes();
            self.kept.add(&changes);
            self.outputs.extend(side.outbox.take());
        }
        Ok(failure)
    }
}

async fn start(around: &Surroundings, kept: &Arc<Overlay>, partition: u32) -> Result<Instance, Problem> {
    let side = new_side(around, kept.clone(), partition);
    let context = around.context(&headers::traceparent(&Batch::default()));
    Instance::start(around, context, side).await.map_err(|(problem, _)| problem)
}
