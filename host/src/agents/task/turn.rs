//! One turn of one run: from the journal to an outcome, or to the reason why it has none yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::outcome::{Effects, Outcome};
use crate::agents::batch::to_guest;
use crate::agents::headers;
use crate::agents::instance::{CallError, Instance};
use crate::agents::partition::{Surroundings, new_side};
use crate::agents::spans;
use crate::capabilities::{AgentSide, CallContext};
use crate::catalog::{Agent, Catalog, CatalogError};
use crate::problem::{Problem, ProblemKind};
use crate::runs::{AfterFailure, Journal, RecordPlace, Repeatable, Stop, Turn, afresh, after_failure, pause, run_id};
use crate::store::{Finish, Halt, NewRun, RunRow, RunStatus, Store, StoreError};
use crate::streams::{Batch, Overlay, StateChange};
use crate::telemetry::{Span, Work};

/// Pause before a run is looked at again that somebody else seems to work on.
const TAKEN_PAUSE: Duration = Duration::from_secs(1);

/// Pause before a run is started again that found no place for its instance.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Longest that a run is put off because its failure says so.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(90);

/// A record that is a run.
#[derive(Debug)]
pub struct Task {
    /// The run.
    pub id: String,
    /// The record, alone in its batch.
    pub batch: Batch,
}

impl Task {
    /// The run of an agent for a record, alone in its batch.
    pub fn of(agent: &str, batch: Batch) -> Self {
        let id = run_id(
            agent,
            &RecordPlace {
                topic: &batch.topic,
                partition: batch.partition,
                offset: batch.offsets.first().copied().unwrap_or_default(),
                timestamp_ms: batch.timestamps_ms.first().copied().unwrap_or(-1),
                key: batch.key(0),
                value: batch.value(0),
            },
        );
        Self { id, batch }
    }
}

/// What all turns of a worker share.
pub struct Around {
    /// What instances are started with.
    pub surroundings: Surroundings,
    /// Where other versions of the agent are.
    pub catalog: Arc<Catalog>,
    /// Where journals are.
    pub store: Store,
}

/// How a turn ended.
#[derive(Debug)]
pub enum TurnEnd {
    /// The run has an outcome.
    Settled(Outcome),
    /// It goes on behind the others that wait.
    Behind,
    /// It goes on after a pause.
    Later(Duration),
    /// It stands still until an admin says so.
    Held,
    /// No turn is possible now.
    Broken(Problem),
}

/// Runs a turn. `earlier` is what runs before this one have changed and not committed yet.
pub async fn turn(around: &Around, task: &Task, earlier: Vec<StateChange>, limits: Turn) -> TurnEnd {
    match begin(around, task).await {
        Ok(Begun::Ended(end)) => end,
        Ok(Begun::Goes(run)) => {
            let attempt = Attempt { around, task, run: &run };
            attempt.go(earlier, limits).await.unwrap_or_else(|error| TurnEnd::Broken(error.into()))
        }
        Err(error) => TurnEnd::Broken(error.into()),
    }
}

enum Begun {
    Goes(Box<RunRow>),
    Ended(TurnEnd),
}

async fn begin(around: &Around, task: &Task) -> Result<Begun, StoreError> {
    let (agent, batch) = (&around.surroundings.agent, &task.batch);
    let fresh = afresh();
    let new = NewRun {
        id: task.id.clone(),
        agent: agent.identity.principal.name().to_owned(),
        component: agent.identity.component.to_string(),
        digest: agent.identity.digest.clone(),
        topic: batch.topic.clone(),
        partition: batch.partition,
        offset: batch.offsets.first().copied().unwrap_or_default(),
        key: batch.key(0).map(|key| String::from_utf8_lossy(key).replace('\0', "\u{fffd}")),
        traceparent: headers::given_traceparent(batch)
            .map_or_else(|| around.surroundings.services.telemetry.draw(), Into::into)
            .to_string(),
        seed: fresh.seed,
        clock_ns: fresh.clock_ns,
    };
    let claim = hex::encode(rand::random::<[u8; 16]>());
    let run = around.store.begin_run(&new, &claim).await?;
    Ok(match run.status {
        RunStatus::Paused | RunStatus::Diverged => Begun::Ended(TurnEnd::Held),
        RunStatus::Failed => Begun::Ended(TurnEnd::Settled(failed(&run))),
        _ => Begun::Goes(Box::new(run)),
    })
}

/// The outcome of a run that SQL knows to have failed.
pub fn failed(run: &RunRow) -> Outcome {
    let field = |name: &str| {
        let text = run.problem.as_ref().and_then(|problem| problem[name].as_str());
        text.unwrap_or_default().to_owned()
    };
    let problem = Problem::new(ProblemKind::Failed, &field("code"), field("message"), field("next"));
    let stack = run.problem.as_ref().and_then(|problem| problem["stack"].as_str()).map(str::to_owned);
    Outcome::Failed { problem, stack, attempts: run.attempts.max(1) }
}

/// One attempt at a claimed run.
struct Attempt<'a> {
    around: &'a Around,
    task: &'a Task,
    run: &'a RunRow,
}

impl Attempt<'_> {
    async fn go(&self, earlier: Vec<StateChange>, limits: Turn) -> Result<TurnEnd, StoreError> {
        let Self { around, task, run } = self;
        let quiet = around.surroundings.agent.identity.grant.limits().deadline();
        let agent = match self.agent().await {
            Ok(agent) => agent,
            Err(error) => {
                let problem = Problem::from(error).at(format!("run {} is pinned", run.id));
                return self.halt(RunStatus::Diverged, &problem, None, None).await;
            }
        };
        let steps = around.store.steps(&run.id).await?;
        let journal = Arc::new(Journal::writing(around.store.clone(), run, steps, limits)?);
        let repeatable = Repeatable::new(journal.clone(), &run.seed, run.clock_ns)?;
        let state = Overlay::new(around.surroundings.state.clone());
        state.add(&earlier);
        let side = new_side(&around.surroundings, Arc::new(state), task.batch.partition);
        let end = run_end(run, agent.section.run_seconds);
        let Surroundings { engine, services, state, meter, .. } = &around.surroundings;
        let with_agent = Surroundings {
            engine: engine.clone(),
            services: services.clone(),
            agent: agent.clone(),
            state: state.clone(),
            meter: meter.clone(),
        };
        let traceparent: Arc<str> = run.traceparent.as_str().into();
        let mut span = spans::turn(&with_agent, &task.batch, &run.id, &traceparent);
        let work = Work { run: Some(run.id.as_str().into()), ..with_agent.work(&span) };
        let times = (quiet, end);
        let done = work.scope(perform(&with_agent, task, run, span.traceparent(), repeatable, side, times)).await;
        end_span(&mut span, &done);
        match done {
            Done::Finished(effects) => {
                let effects = Effects { trace: span.recorded(), ..effects };
                self.finish(&agent, &journal, effects).await
            }
            Done::Failed { problem, stack, retry } => self.failed(&journal, problem, stack, retry).await,
            Done::Stopped(stop) => self.stopped(&journal, stop).await,
            Done::Busy(problem) => {
                tracing::debug!(run = run.id, "{}", problem.message);
                Ok(TurnEnd::Later(BUSY_PAUSE))
            }
        }
    }

    /// The version that may go on with the run.
    async fn agent(&self) -> Result<Arc<Agent>, CatalogError> {
        let agent = &self.around.surroundings.agent;
        match &self.run.pinned {
            Some(digest) if *digest != agent.identity.digest => {
                self.around.catalog.agent_of(agent.identity.principal.name(), digest).await
            }
            _ => Ok(agent.clone()),
        }
    }

    async fn finish(&self, agent: &Agent, journal: &Journal, effects: Effects) -> Result<TurnEnd, StoreError> {
        let (outputs, readings) = (effects.digest(), journal.last_readings());
        let finish = Finish {
            component: &agent.identity.component,
            digest: &agent.identity.digest,
            outputs: &outputs,
            readings: &readings,
        };
        if self.around.store.finish_run(&self.run.id, &self.run.claim, &finish).await? {
            return Ok(TurnEnd::Settled(Outcome::Finished(effects)));
        }
        self.taken().await
    }

    async fn failed(
        &self,
        journal: &Journal,
        problem: Problem,
        stack: Option<String>,
        retry: bool,
    ) -> Result<TurnEnd, StoreError> {
        let Self { around, run, .. } = self;
        let attempts = run.attempts + 1;
        match after_failure(retry, attempts, journal.passing()) {
            AfterFailure::SetAside => {
                return self.halt(RunStatus::Failed, &problem, stack, Some(&journal.last_readings())).await;
            }
            AfterFailure::AskAgainFrom(seq) => around.store.cut_steps(&run.id, &run.claim, seq).await?,
            AfterFailure::BeginAgain => {
                around.store.begin_run_afresh(&run.id, &afresh()).await?;
            }
        }
        around.surroundings.meter.retried();
        around.store.count_attempt(&run.id, attempts, &value(&problem, None)).await?;
        let pause = pause(attempts, rand::random(), problem.retry_after_ms, RETRY_AFTER_MAX);
        tracing::debug!(run = run.id, attempts, code = problem.code, ?pause, "tried again: {}", problem.message);
        Ok(TurnEnd::Later(pause))
    }

    async fn stopped(&self, journal: &Journal, stop: Stop) -> Result<TurnEnd, StoreError> {
        match stop {
            Stop::Yield => Ok(TurnEnd::Behind),
            Stop::Taken | Stop::Unanswered => self.taken().await,
            Stop::Diverged(divergence) => {
                let problem = divergence.problem(&self.run.id);
                self.halt(RunStatus::Diverged, &problem, None, None).await
            }
            Stop::Limit(problem) => self.halt(RunStatus::Failed, &problem, None, Some(&journal.last_readings())).await,
            Stop::Store(error) => Err(error),
        }
    }

    /// Writes down that the run doesn't go on.
    async fn halt(
        &self,
        status: RunStatus,
        problem: &Problem,
        stack: Option<String>,
        readings: Option<&str>,
    ) -> Result<TurnEnd, StoreError> {
        let attempts = self.run.attempts + 1;
        let text = value(problem, stack.as_deref());
        let halt = Halt { status, code: &problem.code, problem: &text, attempts, readings };
        if !self.around.store.stop_run(&self.run.id, &self.run.claim, &halt).await? {
            return self.taken().await;
        }
        if status == RunStatus::Diverged {
            tracing::warn!(run = self.run.id, code = problem.code, "{}; {}", problem.message, problem.next);
            return Ok(TurnEnd::Held);
        }
        Ok(TurnEnd::Settled(Outcome::Failed { problem: problem.clone(), stack, attempts }))
    }

    /// Somebody else has decided about the run: what?
    async fn taken(&self) -> Result<TurnEnd, StoreError> {
        let Some(run) = self.around.store.run(&self.run.id).await? else { return Ok(TurnEnd::Behind) };
        Ok(match run.status {
            RunStatus::Paused | RunStatus::Diverged => TurnEnd::Held,
            RunStatus::Failed => TurnEnd::Settled(failed(&run)),
            // It was ordered to begin again; or another host works on it, since the log has given it this partition.
            _ if run.epoch != self.run.epoch => TurnEnd::Behind,
            _ => TurnEnd::Later(TAKEN_PAUSE),
        })
    }
}

/// When a run must be over, with all its turns and pauses.
fn run_end(run: &RunRow, run_seconds: u64) -> Instant {
    let age = crate::store::now_ms().saturating_sub(run.started_ms);
    let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
    Instant::now() + Duration::from_secs(run_seconds).saturating_sub(age)
}

/// How the agent's part of a turn ended.
pub enum Done {
    /// It has handled the record.
    Finished(Effects),
    /// It has failed.
    Failed {
        /// Why.
        problem: Problem,
        /// Where it trapped, where it did.
        stack: Option<String>,
        /// May succeed later.
        retry: bool,
    },
    /// Its journal has ended the turn.
    Stopped(Stop),
    /// There is no place for its instance now.
    Busy(Problem),
}

/// Hands the record to a fresh instance. `times` is how long it may work without asking anything, and when it must be over.
pub async fn perform(
    around: &Surroundings,
    task: &Task,
    run: &RunRow,
    traceparent: &Arc<str>,
    repeatable: Repeatable,
    side: AgentSide,
    (quiet, end): (Duration, Instant),
) -> Done {
    let (agent, journal) = (&around.agent, repeatable.journal.clone());
    let context = CallContext::begin(&agent.identity, traceparent.clone()).until(end);
    let dead = |problem, stack| Done::Failed { problem, stack, retry: false };
    let started = Instance::start_repeatable(around, context.clone(), side, repeatable).await;
    let mut instance = match started {
        Ok(instance) => instance,
        Err(problem) if problem.kind == ProblemKind::Unavailable => return Done::Busy(problem),
        Err(problem) => return dead(problem, None),
    };
    if let Some(side) = instance.side() {
        side.outbox.begin(headers::stamp(agent, traceparent, headers::id_prefix(&task.batch)));
    }
    let batch = to_guest(task.batch.clone());
    let handled = tokio::select! {
        biased;
        stop = journal.stopped() => return Done::Stopped(stop),
        handled = instance.handle(context, &batch) => handled,
        () = too_quiet(&journal, quiet) => return dead(too_slow(agent, run, quiet), None),
    };
    if let Some(stop) = journal.stop() {
        return Done::Stopped(stop);
    }
    if let Err(error) = &handled {
        around.meter.failed(error.failure());
    }
    match handled {
        Ok(()) => match instance.side() {
            Some(side) => Done::Finished(Effects {
                outputs: side.outbox.take(),
                state: side.state.take_changes(),
                ..Effects::default()
            }),
            None => Done::Finished(Effects::default()),
        },
        Err(CallError::Row { problem, retry, .. }) => Done::Failed { problem, stack: None, retry },
        Err(CallError::Dead { .. }) if Instant::now() >= end => dead(too_long(agent, run), None),
        Err(CallError::Dead { problem, stack }) => dead(problem, stack),
    }
}

/// Says how a turn ended. One that yields, or waits for a place, is none that failed.
fn end_span(span: &mut Span, done: &Done) {
    match done {
        Done::Failed { problem, .. } | Done::Stopped(Stop::Limit(problem)) => span.fail(&problem.code),
        Done::Stopped(Stop::Diverged(_)) => span.fail("run.diverged"),
        _ => {}
    }
}

/// Waits until the run has worked by itself for too long.
async fn too_quiet(journal: &Journal, quiet: Duration) {
    loop {
        let until = journal.quiet_since().map_or_else(|| Instant::now() + quiet, |since| since + quiet);
        if until <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(until.into()).await;
    }
}

fn too_slow(agent: &Agent, run: &RunRow, quiet: Duration) -> Problem {
    let message = format!(
        "{} worked for {} ms on run {} without a host call, over its limit",
        agent.identity.component,
        quiet.as_millis(),
        run.id
    );
    Problem::new(
        ProblemKind::Limit,
        "run.limit",
        message,
        "let it do less at once, or raise deadline_ms where it is set",
    )
}

fn too_long(agent: &Agent, run: &RunRow) -> Problem {
    let message = format!(
        "run {} of {} took longer than {} s, over its limit",
        run.id, agent.identity.component, agent.section.run_seconds
    );
    Problem::new(ProblemKind::Limit, "run.limit", message, "raise run_seconds in its wasmill.toml")
}

/// A problem as SQL keeps it.
fn value(problem: &Problem, stack: Option<&str>) -> Value {
    let mut value = serde_json::to_value(problem).unwrap_or_default();
    if let (Some(fields), Some(stack)) = (value.as_object_mut(), stack) {
        fields.insert("stack".into(), stack.into());
    }
    value
}
