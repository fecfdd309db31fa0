//! What a worker in task mode has on its desk: the records of its partitions, and the runs that are under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, JoinSet};

use super::outcome::Outcome;
use super::turn::{Around, Task, TurnEnd, failed, turn};
use super::window::{Stage, Window};
use crate::agents::batch::single;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemKind};
use crate::runs::Turn;
use crate::store::{RunStatus, StoreError};
use crate::streams::{Batch, StateChange};

/// Records of one partition that may be in hand for each run that may be at work: how far others go on beside a slow one.
const IN_HAND_PER_RUN: usize = 4;
/// Most bytes of all records in hand and what comes of them.
const IN_HAND_BYTES_MAX: usize = 64 * 1024 * 1024;
/// New steps of one turn, where others wait.
const TURN_STEPS: u32 = 32;
/// How often to look at what admins have ordered.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for records while runs are under way.
const WAIT_AT_WORK: Duration = Duration::from_millis(20);
/// How long to wait for records otherwise; a stop doesn't wait for it.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Topic and partition.
pub type Place = (String, u32);

/// The records in hand, and the runs under way.
pub struct Desk {
    around: Arc<Around>,
    windows: BTreeMap<Place, Window<Arc<Task>, Outcome>>,
    turns: JoinSet<(Place, u64, u64, TurnEnd)>,
    at_work: BTreeMap<(Place, u64), (u64, AbortHandle)>,
    /// Counts places in the order, and turns.
    order: u64,
    /// How many runs wait for a place.
    others: Arc<AtomicUsize>,
    looked: Instant,
}

impl Desk {
    /// An empty desk.
    pub fn new(around: Arc<Around>) -> Self {
        Self {
            around,
            windows: BTreeMap::new(),
            turns: JoinSet::new(),
            at_work: BTreeMap::new(),
            order: 0,
            others: Arc::default(),
            looked: Instant::now(),
        }
    }

    /// The windows, by place.
    pub fn windows(&mut self) -> &mut BTreeMap<Place, Window<Arc<Task>, Outcome>> {
        &mut self.windows
    }

    /// A partition is ours.
    pub fn gain(&mut self, place: Place) {
        self.windows.entry(place).or_default();
    }

    /// A partition is not ours any more: its runs end here.
    pub fn lose(&mut self, place: &Place) {
        self.windows.remove(place);
        self.at_work.retain(|(of, _), (_, abort)| {
            if of == place {
                abort.abort();
            }
            of != place
        });
    }

    /// Everything in hand is given again by the log.
    pub fn clear(&mut self) {
        let places: Vec<Place> = self.windows.keys().cloned().collect();
        for place in places {
            self.lose(&place);
            self.gain(place);
        }
    }

    /// Takes records in hand.
    pub fn take(&mut self, batch: &Batch) {
        let place = (batch.topic.clone(), batch.partition);
        let agent = self.around.surroundings.agent.identity.principal.name().to_owned();
        let window = self.windows.entry(place).or_default();
        for (row, offset) in batch.offsets.iter().enumerate() {
            self.order += 1;
            let task = Task::of(&agent, single(batch, row));
            let key = batch.key(row).map(<[u8]>::to_vec);
            let size = batch.keys.row(row).len() + batch.values.row(row).len();
            window.take(*offset, key, size, self.order, Arc::new(task));
        }
    }

    /// Partitions that must give nothing more now.
    pub fn full(&self) -> BTreeSet<Place> {
        let in_hand_max = self.around.surroundings.agent.section.runs_at_once * IN_HAND_PER_RUN;
        let is_full = self.windows.values().map(Window::size).sum::<usize>() >= IN_HAND_BYTES_MAX;
        let full = self.windows.iter().filter(|(_, window)| is_full || window.len() >= in_hand_max);
        full.map(|(place, _)| place.clone()).collect()
    }

    /// How long to wait for records before there is something else to do.
    pub fn patience(&self) -> Duration {
        if self.windows.values().any(|window| window.prefix().next().is_some()) {
            return Duration::ZERO;
        }
        if !self.at_work.is_empty() {
            return WAIT_AT_WORK;
        }
        let wake = self.windows.values().filter_map(Window::next_wake).min();
        let wake = wake.map_or(WAIT_MAX, |at| at.saturating_duration_since(Instant::now()));
        let is_empty = self.windows.values().all(|window| window.len() == 0);
        if is_empty { WAIT_MAX } else { wake.min(LOOK) }
    }

    /// Begins turns while there are places.
    pub fn start(&mut self) {
        let section = &self.around.surroundings.agent.section;
        let now = Instant::now();
        let mut startable: Vec<(u64, Place, u64)> = Vec::new();
        for (place, window) in &mut self.windows {
            self.order += 1;
            window.wake(now, self.order);
            startable.extend(window.startable().into_iter().map(|(order, offset)| (order, place.clone(), offset)));
        }
        startable.sort_unstable();
        let places = section.runs_at_once.saturating_sub(self.at_work.len());
        self.others.store(startable.len().saturating_sub(places), Ordering::Relaxed);
        for (_, place, offset) in startable.into_iter().take(places) {
            self.start_one(place, offset);
        }
    }

    fn start_one(&mut self, place: Place, offset: u64) {
        let limits = self.around.surroundings.agent.identity.grant.limits();
        let turn_limits = Turn { steps: TURN_STEPS, time: limits.deadline(), others: self.others.clone() };
        let earlier = self.earlier(&place, offset);
        self.order += 1;
        let number = self.order;
        let Some(entry) = self.windows.get_mut(&place).and_then(|window| window.get_mut(offset)) else { return };
        entry.stage = Stage::Running;
        let (around, task, of) = (self.around.clone(), entry.record.clone(), place.clone());
        let abort = self.turns.spawn(async move {
            let end = turn(&around, &task, earlier, turn_limits).await;
            (of, offset, number, end)
        });
        self.at_work.insert((place, offset), (number, abort));
    }

    /// What runs before an offset change and is not committed yet.
    fn earlier(&self, place: &Place, offset: u64) -> Vec<StateChange> {
        let settled = self.windows.get(place).into_iter().flat_map(|window| window.settled_before(offset));
        settled
            .filter_map(|outcome| if let Outcome::Finished(effects) = outcome { Some(&effects.state) } else { None })
            .flatten()
            .cloned()
            .collect()
    }

    /// Takes note of the turns that have ended.
    ///
    /// # Errors
    /// Where no turn is possible now.
    pub fn collect(&mut self) -> Result<(), Problem> {
        while let Some(joined) = self.turns.try_join_next() {
            let (place, offset, number, end) = match joined {
                Ok(ended) => ended,
                Err(error) if error.is_cancelled() => continue,
                Err(error) => {
                    let next = "this is a mistake of the host; please report it";
                    return Err(Problem::new(ProblemKind::Failed, "agent.panic", error, next));
                }
            };
            let key = (place, offset);
            if self.at_work.get(&key).is_none_or(|(current, _)| *current != number) {
                continue;
            }
            self.at_work.remove(&key);
            self.order += 1;
            let Some(window) = self.windows.get_mut(&key.0) else { continue };
            let stage = match end {
                TurnEnd::Settled(outcome) => {
                    let size = outcome.size();
                    window.settle(offset, outcome, size);
                    continue;
                }
                TurnEnd::Behind => Stage::Ready(self.order),
                TurnEnd::Later(pause) => Stage::Later(Instant::now() + pause),
                TurnEnd::Held => Stage::Held,
                TurnEnd::Broken(problem) => return Err(problem),
            };
            if let Some(entry) = window.get_mut(offset) {
                entry.stage = stage;
            }
        }
        Ok(())
    }

    /// Does what admins have ordered since the last look.
    ///
    /// # Errors
    /// Where the database can't be asked.
    pub async fn look(&mut self) -> Result<(), StoreError> {
        if self.looked.elapsed() < LOOK || self.windows.values().all(|window| window.len() == 0) {
            return Ok(());
        }
        self.looked = Instant::now();
        let agent = self.around.surroundings.agent.identity.principal.name();
        let open: BTreeMap<String, RunStatus> = self.around.store.open_runs(agent).await?.into_iter().collect();
        for (place, window) in &mut self.windows {
            let mut ended = Vec::new();
            for (offset, entry) in window.iter_mut() {
                match (open.get(&entry.record.id), &entry.stage) {
                    (_, Stage::Settled(_)) => {}
                    (Some(RunStatus::Failed), _) => ended.push((offset, entry.record.id.clone())),
                    (Some(RunStatus::Running), Stage::Held) => {
                        self.order += 1;
                        entry.stage = Stage::Ready(self.order);
                    }
                    _ => {}
                }
            }
            for (offset, id) in ended {
                let Some(run) = self.around.store.run(&id).await? else { continue };
                if let Some((_, abort)) = self.at_work.remove(&(place.clone(), offset)) {
                    abort.abort();
                }
                window.settle(offset, failed(&run), 0);
            }
        }
        Ok(())
    }

    /// The log has refused what a run does, so its record is set aside. Runs after it that may have read its state begin
    /// from nothing.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refuse(&mut self, place: &Place, offset: u64, problem: &Problem) -> Result<(), StoreError> {
        let around = self.around.clone();
        let reads_state = around.surroundings.agent.identity.grant.check(Action::State).is_allowed();
        let Some(window) = self.windows.get_mut(place) else { return Ok(()) };
        let Some(entry) = window.get_mut(offset) else { return Ok(()) };
        let (id, value) = (entry.record.id.clone(), serde_json::to_value(problem).unwrap_or_default());
        entry.stage = Stage::Settled(Outcome::Failed { problem: problem.clone(), stack: None, attempts: 1 });
        around.store.refuse_run(&id, &problem.code, &value).await?;
        if !reads_state {
            return Ok(());
        }
        for (after, entry) in window.iter_mut().filter(|(after, _)| *after > offset) {
            if matches!(entry.stage, Stage::Settled(Outcome::Failed { .. }) | Stage::Held | Stage::Ready(_)) {
                continue;
            }
            if let Some((_, abort)) = self.at_work.remove(&(place.clone(), after)) {
                abort.abort();
            }
            around.store.begin_run_afresh(&entry.record.id, &crate::runs::afresh()).await?;
            self.order += 1;
            entry.stage = Stage::Ready(self.order);
        }
        Ok(())
    }
}
