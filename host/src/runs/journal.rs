//! The journal of one run, for one turn: the one seam between a capability and the world.
//!
//! A capability takes a place with [`Journal::reserve`] and asks through [`Journal::ask`]: the journal answers, or the call
//! is written down, made, and its answer written down before the agent sees it. Where the turn has to end, the call never
//! returns and [`Journal::stopped`] says why; whoever runs the turn drops it then.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use super::decide::{Decision, decide};
use super::identity::{idempotency_key, request_digest};
use super::reading::{Next, Reading, Tape};
use super::stop::{Divergence, Stop};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::ClockTape;
use crate::store::{NewStep, RunRow, StepRow, Store, StoreError};

/// Most steps of one run.
const STEPS_MAX: u64 = 10_000;
/// Most bytes of one run's answers and readings.
const SIZE_MAX: usize = 64 * 1024 * 1024;
/// Most bytes of a request that are kept for people.
const REQUEST_SHOWN_MAX: usize = 2048;

/// What one turn may do before it has to let others go first.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Most new steps.
    pub steps: u32,
    /// Longest time, measured at the next step.
    pub time: Duration,
    /// How many other runs wait for a place.
    pub others: Arc<AtomicUsize>,
}

/// A place in the journal, taken in the order in which the run asks.
#[derive(Debug)]
pub struct Slot {
    seq: u64,
    readings: Vec<Reading>,
}

/// The journal of one run, for one turn.
#[derive(Debug)]
pub struct Journal {
    run: String,
    epoch: u32,
    /// None: nothing may be asked, only repeated.
    writer: Option<Writer>,
    began: Instant,
    inner: Mutex<Inner>,
    stopped: Notify,
}

#[derive(Debug)]
struct Writer {
    store: Store,
    claim: String,
    turn: Turn,
}

#[derive(Debug)]
struct Inner {
    steps: BTreeMap<u64, StepRow>,
    next: u64,
    tape: Tape,
    new_steps: u32,
    size: usize,
    under_way: u32,
    quiet_since: Instant,
    passing: Option<u64>,
    stop: Option<Stop>,
    has_stopped: bool,
}

impl Journal {
    /// A journal that goes on: for the turn that has claimed the run.
    ///
    /// # Errors
    /// [`StoreError::Row`] for readings that can't be read.
    pub fn writing(store: Store, run: &RunRow, steps: Vec<StepRow>, turn: Turn) -> Result<Self, StoreError> {
        let writer = Writer { store, claim: run.claim.clone(), turn };
        Self::new(run, steps, Some(writer))
    }

    /// A journal that is only repeated.
    ///
    /// # Errors
    /// As [`Journal::writing`].
    pub fn repeating(run: &RunRow, steps: Vec<StepRow>) -> Result<Self, StoreError> {
        Self::new(run, steps, None)
    }

    fn new(run: &RunRow, steps: Vec<StepRow>, writer: Option<Writer>) -> Result<Self, StoreError> {
        let mut readings = Vec::new();
        for text in steps.iter().map(|step| step.readings.as_str()).chain([run.readings.as_str()]) {
            let piece: Vec<Reading> = serde_json::from_str(text)
                .map_err(|e| StoreError::Row { table: "run_steps", reason: format!("readings: {e}") })?;
            readings.extend(piece);
        }
        let size = steps.iter().map(|step| step.answer.as_ref().map_or(0, String::len) + step.readings.len()).sum();
        let passing = steps.iter().find(|step| step.passing).map(|step| step.seq);
        let now = Instant::now();
        let inner = Inner {
            steps: steps.into_iter().map(|step| (step.seq, step)).collect(),
            next: 0,
            tape: Tape::of(readings.into_iter()),
            new_steps: 0,
            size,
            under_way: 0,
            quiet_since: now,
            passing,
            stop: None,
            has_stopped: false,
        };
        let (run, epoch) = (run.id.clone(), run.epoch);
        Ok(Self { run, epoch, writer, began: now, inner: Mutex::new(inner), stopped: Notify::new() })
    }

    /// The run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Takes the next place. Must be called in the order in which the run asks, before anything waits.
    pub fn reserve(&self) -> Slot {
        let mut inner = self.inner();
        let seq = inner.next;
        inner.next += 1;
        Slot { seq, readings: inner.tape.take() }
    }

    /// Answers from the journal, or asks and writes the answer down. `call` gets the call's idempotency key;
    /// `is_passing` says of an answer that it may be another one later; `shown` is the request for people.
    pub async fn ask<A, F>(
        &self,
        slot: Slot,
        kind: &'static str,
        request: &(impl Serialize + Sync),
        shown: String,
        is_passing: fn(&A) -> bool,
        call: impl FnOnce(Arc<str>) -> F + Send,
    ) -> A
    where
        A: Serialize + DeserializeOwned + Send,
        F: Future<Output = A> + Send,
    {
        let asked = Asked { slot, kind, request: serde_json::to_string(request).unwrap_or_default(), shown };
        match self.settle(asked, is_passing, call).await {
            Ok(answer) => answer,
            Err(stop) => match self.end(stop).await {},
        }
    }

    async fn settle<A, F>(
        &self,
        asked: Asked,
        is_passing: fn(&A) -> bool,
        call: impl FnOnce(Arc<str>) -> F + Send,
    ) -> Result<A, Stop>
    where
        A: Serialize + DeserializeOwned + Send,
        F: Future<Output = A> + Send,
    {
        let Asked { slot, kind, request, mut shown } = asked;
        cut(&mut shown);
        let (seq, digest) = (slot.seq, request_digest(kind, &request));
        let known = decide(self.inner().steps.get(&seq), seq, kind, &digest, &shown);
        let key = match known {
            Decision::Answered(answer) => return read(&answer),
            Decision::Diverged(divergence) => return Err(Stop::Diverged(divergence)),
            Decision::AskAgain(key) => {
                let writer = self.writer.as_ref().ok_or(Stop::Unanswered)?;
                let mine = writer.store.ask_step_again(&self.run, &writer.claim, seq).await.map_err(Stop::Store)?;
                if !mine {
                    return Err(Stop::Taken);
                }
                key
            }
            Decision::New => {
                let Some(writer) = &self.writer else {
                    let was = "nothing more".to_owned();
                    return Err(Stop::Diverged(Divergence { at: seq, was, is: format!("{kind} `{shown}`") }));
                };
                self.may_go_on(writer, seq)?;
                let key = idempotency_key(&self.run, self.epoch, seq, &digest);
                let readings = serde_json::to_string(&slot.readings).unwrap_or_default();
                let step = NewStep {
                    run: &self.run,
                    seq,
                    epoch: self.epoch,
                    kind,
                    digest: &digest,
                    idempotency_key: &key,
                    request: &shown,
                    readings: &readings,
                };
                if !writer.store.add_step(&writer.claim, &step).await.map_err(Stop::Store)? {
                    return Err(Stop::Taken);
                }
                self.inner().size += readings.len();
                key
            }
        };
        let Some(writer) = &self.writer else { return Err(Stop::Unanswered) };
        let under_way = self.enter();
        let answer = call(key.into()).await;
        let passing = is_passing(&answer);
        let text = serde_json::to_string(&answer).unwrap_or_default();
        let kept = writer.store.answer_step(&self.run, self.epoch, seq, &text, passing).await.map_err(Stop::Store)?;
        drop(under_way);
        let kept = kept.ok_or(Stop::Taken)?;
        let mut inner = self.inner();
        inner.new_steps += 1;
        inner.size += kept.len();
        if passing && inner.passing.is_none_or(|first| first > seq) {
            inner.passing = Some(seq);
        }
        drop(inner);
        // Another host may have asked the same and been answered first: then that is the answer.
        if kept == text { Ok(answer) } else { read(&kept) }
    }

    /// True where a new step may be taken in this turn.
    fn may_go_on(&self, writer: &Writer, seq: u64) -> Result<(), Stop> {
        let inner = self.inner();
        if seq >= STEPS_MAX || inner.size > SIZE_MAX {
            let limit =
                if seq >= STEPS_MAX { format!("{STEPS_MAX} steps") } else { format!("{SIZE_MAX} bytes of answers") };
            let message = format!("run {} has reached the limit of {limit}", self.run);
            let next = "let one record be less work: send a record for each part of it";
            return Err(Stop::Limit(Problem::new(ProblemKind::Limit, "run.limit", message, next)));
        }
        let turn = &writer.turn;
        let had_its_turn = inner.new_steps >= turn.steps || (inner.new_steps > 0 && self.began.elapsed() >= turn.time);
        // Never with calls under way: their answers would have to be asked for again.
        if had_its_turn && inner.under_way == 0 && turn.others.load(Ordering::Relaxed) > 0 {
            return Err(Stop::Yield);
        }
        Ok(())
    }

    /// Repeats a reading, or reads and notes it.
    pub fn read<T: Serialize + DeserializeOwned>(&self, kind: &str, fresh: impl FnOnce() -> T) -> T {
        match self.recorded(kind) {
            Some(value) => value,
            None => {
                let value = fresh();
                self.note(kind, &value);
                value
            }
        }
    }

    /// What was read here before. Where there is none, whoever asks reads and calls [`Journal::note`].
    pub fn recorded<T: DeserializeOwned>(&self, kind: &str) -> Option<T> {
        let mut inner = self.inner();
        let at = inner.tape.position();
        let diverged =
            |was: String| Divergence { at, was: format!("reading `{was}`"), is: format!("reading `{kind}`") };
        match inner.tape.read(kind) {
            Next::Known(value) => match serde_json::from_value(value) {
                Ok(value) => return Some(value),
                Err(error) => {
                    inner.stop.get_or_insert(Stop::Store(unreadable(&error)));
                }
            },
            Next::Other { was, .. } => {
                inner.stop.get_or_insert(Stop::Diverged(diverged(was)));
            }
            Next::Fresh if self.writer.is_none() => {
                inner.stop.get_or_insert(Stop::Diverged(diverged("nothing more".into())));
            }
            Next::Fresh => return None,
        }
        drop(inner);
        self.stopped.notify_one();
        None
    }

    /// Notes a reading.
    pub fn note(&self, kind: &str, value: &impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or_default();
        let mut inner = self.inner();
        inner.size += value.as_str().map_or(16, str::len);
        inner.tape.note(kind, value);
    }

    /// What was read after the last step, JSON.
    pub fn last_readings(&self) -> String {
        serde_json::to_string(&self.inner().tape.rest()).unwrap_or_default()
    }

    /// The first step whose answer may be another one later.
    pub fn passing(&self) -> Option<u64> {
        self.inner().passing
    }

    /// Number of steps that the run has taken in this turn, repeated ones too.
    pub fn steps_taken(&self) -> u64 {
        self.inner().next
    }

    /// True as long as the journal has answers that were not repeated yet: what the run says now, it has said before.
    pub fn is_repeating(&self) -> bool {
        let inner = self.inner();
        inner.steps.last_key_value().is_some_and(|(last, _)| *last >= inner.next)
    }

    /// Since when the run works by itself; none while a call of it is under way.
    pub fn quiet_since(&self) -> Option<Instant> {
        let inner = self.inner();
        (inner.under_way == 0).then_some(inner.quiet_since)
    }

    /// Waits until the turn has to end, and says why.
    pub async fn stopped(&self) -> Stop {
        loop {
            if let Some(stop) = self.inner().take_stop() {
                return stop;
            }
            self.stopped.notified().await;
        }
    }

    /// Why the turn has to end, where it has to.
    pub fn stop(&self) -> Option<Stop> {
        self.inner().take_stop()
    }

    /// Ends the turn; never returns.
    async fn end(&self, stop: Stop) -> Infallible {
        {
            let mut inner = self.inner();
            if !inner.has_stopped {
                inner.stop.get_or_insert(stop);
            }
        }
        self.stopped.notify_one();
        std::future::pending().await
    }

    fn enter(&self) -> UnderWay<'_> {
        self.inner().under_way += 1;
        UnderWay(self)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change of it is whole at any moment: a poisoned lock is as good as any.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take_stop(&mut self) -> Option<Stop> {
        self.has_stopped |= self.stop.is_some();
        self.stop.take()
    }
}

impl ClockTape for Journal {
    fn read(&self, clock: &'static str, now: &dyn Fn() -> u64) -> u64 {
        Journal::read(self, clock, now)
    }
}

/// A request on its way.
struct Asked {
    slot: Slot,
    kind: &'static str,
    request: String,
    shown: String,
}

/// A call under way, counted as long as it lives.
struct UnderWay<'a>(&'a Journal);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.under_way -= 1;
        inner.quiet_since = Instant::now();
    }
}

fn read<A: DeserializeOwned>(answer: &str) -> Result<A, Stop> {
    serde_json::from_str(answer).map_err(|error| Stop::Store(unreadable(&error)))
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Row { table: "run_steps", reason: format!("answer: {error}") }
}

/// Cuts text at the limit; a zero byte, which PostgreSQL keeps nowhere, becomes visible.
fn cut(text: &mut String) {
    let mut end = text.len().min(REQUEST_SHOWN_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}
