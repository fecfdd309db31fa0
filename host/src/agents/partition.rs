//! One partition's work: a batch goes in, what it did comes out.
//!
//! A batch is tried as a whole. Where it fails, everything it did is dropped and its rows are given again one by one; a
//! row that fails alone goes to the dead-letter topic, and the others count.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{from_guest, single, to_guest};
use super::dead_letter::{self, Reason};
use super::headers;
use super::instance::{CallError, Instance};
use super::{spans, timers};
use crate::capabilities::{AgentSide, CallContext, Outbox, Services, StateView, problem};
use crate::catalog::Agent;
use crate::meters::AgentMeter;
use crate::permissions::LimitName;
use crate::problem::{Problem, ProblemKind};
use crate::runs::pause;
use crate::runtime::Engine;
use crate::streams::{Batch, Output, Overlay, StateChange, StateReader};

/// How often a record is tried whose failure may pass.
const ATTEMPTS_MAX: u32 = 3;
/// Longest that a record is waited for because its failure says so: its whole round waits with it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
/// Pause after `idle` has failed; doubled after each further time.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What does not change from batch to batch.
pub struct Surroundings {
    /// Engine.
    pub engine: Engine,
    /// Services.
    pub services: Arc<Services>,
    /// The agent.
    pub agent: Arc<Agent>,
    /// Committed state.
    pub state: Arc<dyn StateReader>,
    /// Counts what the agent does.
    pub meter: Arc<AgentMeter>,
}

/// What a batch did.
#[derive(Default)]
pub struct Done {
    /// Records to send.
    pub outputs: Vec<Output>,
    /// State to change.
    pub state: Vec<StateChange>,
    /// Rows that went to the dead-letter topic.
    pub dead_letters: u64,
    /// The span of the batch, where it is recorded.
    pub trace: Option<Arc<str>>,
}

/// A partition and its instance, if one is warm.
pub struct Partition {
    number: u32,
    around: Arc<Surroundings>,
    /// Its state as the later batches of a round see it.
    state: Arc<Overlay>,
    instance: Option<Instance>,
    last_record: Instant,
    told_idle: bool,
    idle_failures: u32,
}

impl Partition {
    /// A partition without an instance yet.
    pub fn new(number: u32, around: Arc<Surroundings>) -> Self {
        let state = Arc::new(Overlay::new(around.state.clone()));
        let last_record = Instant::now();
        Self { number, around, state, instance: None, last_record, told_idle: true, idle_failures: 0 }
    }

    /// Runs the batches of a round, one after the other. What they do is committed together: each sees what those before
    /// it have done.
    ///
    /// # Errors
    /// As [`Partition::run`].
    pub async fn run_all(&mut self, batches: Vec<Batch>) -> Result<Vec<Done>, Problem> {
        let mut all: Vec<Done> = Vec::with_capacity(batches.len());
        for batch in batches {
            if let Some(before) = all.last() {
                self.state.add(&before.state);
            }
            match self.run(batch).await {
                Ok(done) => all.push(done),
                Err(problem) => {
                    self.state.clear();
                    return Err(problem);
                }
            }
        }
        self.state.clear();
        Ok(all)
    }

    /// When `idle` is due; none where the agent doesn't want it or has been told.
    pub fn idle_at(&self) -> Option<Instant> {
        let idle_ms = self.around.agent.section.idle_ms;
        (idle_ms > 0 && !self.told_idle).then(|| self.last_record + Duration::from_millis(idle_ms))
    }

    /// Runs a batch.
    ///
    /// # Errors
    /// Where no instance can be started at all.
    async fn run(&mut self, batch: Batch) -> Result<Done, Problem> {
        self.last_record = Instant::now();
        (self.told_idle, self.idle_failures) = (false, 0);
        let mut span = spans::process(&self.around, &batch);
        let work = self.around.work(&span);
        let done = work.scope(self.handle(batch, span.traceparent())).await;
        spans::ended(&mut span, &done);
        done.map(|done| Done { trace: span.recorded(), ..done })
    }

    async fn handle(&mut self, batch: Batch, traceparent: &Arc<str>) -> Result<Done, Problem> {
        self.begin(traceparent, headers::id_prefix(&batch)).await?;
        self.settle_timers(&batch)?;
        let batch = to_guest(batch);
        let tried = match &mut self.instance {
            Some(instance) => instance.handle(self.around.context(traceparent), &batch).await,
            None => return Err(lost_instance()),
        };
        let Err(error) = tried else { return Ok(self.take(0)) };
        self.around.meter.failed(error.failure());
        tracing::debug!(agent = %self.around.agent.identity.component, partition = self.number, ?error, "rows one by one");
        self.drop_instance();
        self.one_by_one(from_guest(batch), traceparent).await
    }

    /// Tells the agent that its partition is quiet. Where it fails it is told again, later each time, and then left.
    ///
    /// # Errors
    /// What the agent, or its trap, said; nothing of it is kept.
    pub async fn idle(&mut self) -> Result<Done, Problem> {
        self.told_idle = true;
        let mut span = spans::idle(&self.around, self.number);
        let work = self.around.work(&span);
        let done = work.scope(self.told(span.traceparent())).await;
        spans::ended(&mut span, &done);
        done.map(|done| Done { trace: span.recorded(), ..done })
    }

    async fn told(&mut self, traceparent: &Arc<str>) -> Result<Done, Problem> {
        self.begin(traceparent, format!("idle-{}-{}", self.number, &traceparent[3..19])).await?;
        let Some(instance) = &mut self.instance else { return Err(lost_instance()) };
        match instance.idle(self.around.context(traceparent)).await {
            Ok(()) => Ok(self.take(0)),
            Err(error) => {
                self.around.meter.failed(error.failure());
                let (CallError::Row { problem, .. } | CallError::Dead { problem, .. }) = error;
                self.drop_instance();
                self.idle_failures += 1;
                self.told_idle = self.idle_failures >= ATTEMPTS_MAX;
                self.last_record = Instant::now() + BACK_OFF * 2u32.pow(self.idle_failures);
                Err(problem)
            }
        }
    }

    /// Forgets the instance and everything that is not committed.
    pub fn drop_instance(&mut self) {
        self.instance = None;
    }

    async fn one_by_one(&mut self, batch: Batch, traceparent: &Arc<str>) -> Result<Done, Problem> {
        self.begin(traceparent, headers::id_prefix(&batch)).await?;
        self.settle_timers(&batch)?;
        let mut dead: Vec<Output> = Vec::new();
        for i in 0..batch.len() {
            let alone = single(&batch, i);
            if let Err(reason) = self.attempt(&alone, traceparent).await? {
                let (identity, services) = (&self.around.agent.identity, &self.around.services);
                dead.push(dead_letter::set_aside(identity, services, &alone, &reason));
            }
        }
        let dead_letters = dead.len() as u64;
        let mut done = self.take(dead_letters);
        done.outputs.append(&mut dead);
        Ok(done)
    }

    /// Tries one record until it succeeds, fails for good, or has failed too often. What a failed attempt did is gone.
    async fn attempt(&mut self, alone: &Batch, traceparent: &Arc<str>) -> Result<Result<(), Reason>, Problem> {
        let guest_batch = to_guest(alone.clone());
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Some(instance) = &mut self.instance else { return Err(lost_instance()) };
            let before = instance.side().map(|side| side.snapshot());
            let error = match instance.handle(self.around.context(traceparent), &guest_batch).await {
                Ok(()) => return Ok(Ok(())),
                Err(error) => error,
            };
            self.around.meter.failed(error.failure());
            let mut side = self.instance.take().and_then(Instance::into_side);
            if let (Some(side), Some(before)) = (&mut side, before) {
                side.restore(before);
            }
            // A failed instance may have kept something of the record in its memory: the next one starts clean.
            self.start(side, traceparent).await?;
            let (problem, stack, retry) = match error {
                CallError::Row { problem, retry, .. } => (problem, None, retry),
                CallError::Dead { problem, stack } => (problem, stack, false),
            };
            let pause = pause(attempts, rand::random(), problem.retry_after_ms, RETRY_AFTER_MAX);
            if !retry || attempts >= ATTEMPTS_MAX {
                return Ok(Err(Reason { problem, stack, attempts }));
            }
            self.around.meter.retried();
            tokio::time::sleep(pause).await;
        }
    }

    /// Makes sure that there is an instance, and that what the batch does starts from nothing.
    async fn begin(&mut self, traceparent: &Arc<str>, id_prefix: String) -> Result<(), Problem> {
        if self.instance.is_none() {
            self.start(None, traceparent).await?;
        }
        let stamp = headers::stamp(&self.around.agent, traceparent, id_prefix);
        if let Some(side) = self.instance.as_mut().and_then(Instance::side) {
            side.outbox.begin(stamp);
        }
        Ok(())
    }

    /// What fires waits no more, whatever the agent makes of it.
    fn settle_timers(&mut self, batch: &Batch) -> Result<(), Problem> {
        let Some(side) = self.instance.as_mut().and_then(Instance::side) else { return Err(lost_instance()) };
        let crons = &self.around.agent.section.cron;
        timers::settle(&mut side.state, crons, batch, timers::now_ms()).map_err(|error| problem(&error))
    }

    async fn start(&mut self, side: Option<AgentSide>, traceparent: &Arc<str>) -> Result<(), Problem> {
        let around = &self.around;
        let side = side.unwrap_or_else(|| new_side(around, self.state.clone(), self.number));
        let started = Instance::start(around, around.context(traceparent), side).await;
        self.instance = Some(started.map_err(|(problem, _)| problem)?);
        Ok(())
    }

    fn take(&mut self, dead_letters: u64) -> Done {
        match self.instance.as_mut().and_then(Instance::side) {
            Some(side) => {
                Done { outputs: side.outbox.take(), state: side.state.take_changes(), dead_letters, trace: None }
            }
            None => Done { dead_letters, ..Done::default() },
        }
    }
}

/// Outbox and state of a new instance, with the limits of its grant.
pub(super) fn new_side(around: &Surroundings, state: Arc<dyn StateReader>, partition: u32) -> AgentSide {
    let limits = around.agent.identity.grant.limits();
    let text = |name| limits.get(name).to_string();
    let outbox = Outbox::new(limits.output_bytes(), text(LimitName::OutputKib));
    let size_max = limits.state_bytes() as u64;
    AgentSide {
        outbox: outbox.with_records_up_to(around.services.streams.record_bytes_max()),
        state: StateView::new(state, partition, size_max, text(LimitName::StateMib)),
    }
}

impl Surroundings {
    pub(super) fn context(&self, traceparent: &Arc<str>) -> CallContext {
        CallContext::begin(&self.agent.identity, traceparent.clone())
    }
}

fn lost_instance() -> Problem {
    Problem::new(
        ProblemKind::Failed,
        "agent.instance",
        "the agent's instance is gone",
        "this is a mistake of the host; please report it",
    )
}
