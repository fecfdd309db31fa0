//! One agent's loop on one host: poll, run, commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmill_registry::Mode;

use super::again::again;
use super::caution::Caution;
use super::dead_letter;
use super::group::group_of;
use super::pace::Pace;
use super::partition::{Done, Partition, Surroundings, new_side};
use super::spans;
use super::status::{AgentState, Board};
use super::task;
use super::timers::{self, Timetable};
use crate::capabilities::{self, Identity, Services};
use crate::catalog::{Agent, Catalog};
use crate::meters::{FlowKind, Moved, Round, Seat};
use crate::permissions::{Action, Denial};
use crate::problem::{Problem, ProblemKind};
use crate::runtime::Engine;
use crate::store::now_ms;
use crate::streams::{Batch, Membership, Poll, StreamError, TopicSpec, Work, Worker as StreamWorker};

/// Most bytes of one poll, over all partitions.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest wait for records; a stop doesn't wait for it.
const POLL_WAIT: Duration = Duration::from_secs(30);

/// What a worker is given.
pub struct Assignment {
    /// Engine.
    pub engine: Engine,
    /// Services.
    pub services: Arc<Services>,
    /// The agent.
    pub agent: Arc<Agent>,
    /// Where it says what it is doing.
    pub board: Board,
    /// Where other versions of the agent are.
    pub catalog: Arc<Catalog>,
}

/// Works until `stop` becomes true. Failures are shown on the board and tried again.
pub async fn run(assignment: Assignment, stop: watch::Receiver<bool>) {
    let name = assignment.agent.identity.component.clone();
    let work = || async {
        match assignment.agent.section.mode {
            Mode::Stream => session(&assignment).await,
            Mode::Task => task::session(&assignment).await,
        }
    };
    let failed = |problem: Problem| {
        assignment.board.meter().restarted();
        assignment.board.set(&name, AgentState::waiting(&problem));
    };
    again(work, failed, stop).await;
}

/// Joins the group and works until something fails.
async fn session(assignment: &Assignment) -> Result<std::convert::Infallible, Problem> {
    let Assignment { engine, services, agent, board, .. } = assignment;
    let identity = &agent.identity;
    let mut worker = join(services, agent, agent.section.batch_records).await?;
    let around = Arc::new(Surroundings {
        engine: engine.clone(),
        services: services.clone(),
        agent: agent.clone(),
        state: worker.state(),
        meter: board.meter().clone(),
    });
    let (timetable, seat) = (Timetable::new(agent), board.meter().seat());
    let mut desk = Desk { around, partitions: BTreeMap::new(), timetable, seat };
    let mut caution = Caution::default();
    let mut pace = Pace::new(agent.section.commit_ms);
    board.set(&identity.component, AgentState::Running);
    loop {
        if let Some(at) = pace.ready_at() {
            tokio::time::sleep_until(at.into()).await;
        }
        let mut poll = worker.poll(desk.poll_wait()?).await?;
        desk.take_over(&poll)?;
        // Timers first: where the log refuses the work, the rows to blame are looked for from the front.
        let mut batches = desk.timetable.due(&*desk.around.state)?;
        batches.append(&mut poll.batches);
        let batches = caution.limit(batches);
        let ends = ends(&batches);
        let mut round = Round::begin(batches.iter().map(|batch| batch.timestamps_ms.as_slice()));
        let mut moved = Moved::default();
        for batch in batches.iter().filter(|batch| capabilities::timers::Kind::of_topic(&batch.topic).is_none()) {
            moved.add(FlowKind::Reads, &batch.topic, batch.offsets.len() as u64);
        }
        let verdict = batches.first().and_then(|first| Some((first, caution.verdict(first)?)));
        let was_condemned = verdict.is_some();
        let mut cycle = match verdict {
            Some((alone, problem)) => desk.set_aside(alone, problem)?,
            None if batches.is_empty() => desk.idle().await,
            None => desk.run(batches).await?,
        };
        cycle.work.state.extend(desk.timetable.plans());
        if cycle.is_empty() {
            continue;
        }
        let records = cycle.records;
        (round.sent, round.dead_letters) = (cycle.sent(), cycle.dead_letters);
        for output in &cycle.work.outputs {
            moved.add(FlowKind::Writes, &output.topic, output.values.len() as u64);
        }
        if cycle.dead_letters > 0 {
            ensure_dead_letter_topics(services, &cycle.work, &ends).await?;
        }
        desk.timetable.touched(&cycle.work.state);
        let offsets = cycle.work.offsets.clone();
        pace.commits(Instant::now());
        let span = spans::commit(&desk.around, &cycle.traces, records);
        let committed = worker.commit(cycle.work).await;
        spans::committed(span, &committed);
        match committed {
            Ok(()) => {
                desk.timetable.committed();
                board.meter().committed(&round, now_ms());
                services.meters.flows.moved(identity.principal.as_str(), &moved);
                desk.seat.committed(offsets);
                caution.committed(agent.section.batch_records);
            }
            Err(error) if error.is_about_a_record() && !was_condemned => {
                tracing::warn!(agent = %identity.component, records, "work refused: {error}");
                board.meter().round_refused();
                caution.refused(records as usize, &ends, &error.into());
                desk.forget_all();
                rewind(&mut worker).await?;
            }
            // Warm instances may remember what was not committed.
            Err(StreamError::Fenced(reason)) => {
                tracing::info!(agent = %identity.component, "work dropped: {reason}");
                board.meter().round_dropped();
                desk.forget_all();
                rewind(&mut worker).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Joins the agent's group, where everything that it reads is granted and there.
pub(super) async fn join(
    services: &Services,
    agent: &Agent,
    records_max: usize,
) -> Result<Box<dyn StreamWorker>, Problem> {
    let identity = &agent.identity;
    for topic in &agent.section.reads {
        may(identity, Action::TopicRead(topic))?;
        if !services.topics.contain(&services.streams, topic).await? {
            return Err(StreamError::UnknownTopic(topic.clone()).into());
        }
    }
    if !agent.section.cron.is_empty() {
        may(identity, Action::Timers)?;
    }
    let name = identity.principal.name();
    let keeps_state = [Action::State, Action::Timers].iter().any(|action| identity.grant.check(*action).is_allowed());
    let membership = Membership {
        group: group_of(name),
        topics: agent.section.reads.clone(),
        state: keeps_state.then(|| name.to_owned()),
        batch_records_max: records_max,
        batch_bytes_max: BATCH_BYTES_MAX,
    };
    Ok(services.streams.join(membership).await?)
}

/// Says why an agent can't begin that may not do this.
fn may(identity: &Identity, action: Action<'_>) -> Result<(), Problem> {
    let refused = |d: Box<Denial>| Problem::new(ProblemKind::Denied, d.code(), d.message(), d.next());
    identity.grant.check(action).ok().map_err(refused)
}

/// Where each batch ends, as (topic, partition, offset after the last row).
fn ends(batches: &[Batch]) -> Vec<(String, u32, u64)> {
    let end = |batch: &Batch| Some((batch.topic.clone(), batch.partition, batch.offsets.last()? + 1));
    batches.iter().filter_map(end).collect()
}

async fn rewind(worker: &mut Box<dyn StreamWorker>) -> Result<(), Problem> {
    Ok(worker.rewind().await?)
}

/// Makes the dead-letter topics of the topics that some work ends in, where it sends to them.
pub async fn ensure_dead_letter_topics(
    services: &Services,
    work: &Work,
    ends: &[(String, u32, u64)],
) -> Result<(), StreamError> {
    for (topic, _, _) in ends {
        let name = dead_letter::topic_of(topic);
        if !work.outputs.iter().any(|o| o.topic == name) || services.topics.contain(&services.streams, &name).await? {
            continue;
        }
        match services.streams.create_topic(&TopicSpec { name, partitions: 1, compacted: false }).await {
            Ok(()) | Err(StreamError::TopicExists(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The partitions that a worker holds.
struct Desk {
    around: Arc<Surroundings>,
    partitions: BTreeMap<u32, Partition>,
    timetable: Timetable,
    seat: Seat,
}

/// What one round of work did.
#[derive(Default)]
struct Cycle {
    work: Work,
    records: u64,
    dead_letters: u64,
    /// Spans of its batches that are recorded.
    traces: Vec<Arc<str>>,
}

impl Cycle {
    fn add(&mut self, done: Done) {
        self.work.outputs.extend(done.outputs);
        self.work.state.extend(done.state);
        self.dead_letters += done.dead_letters;
        self.traces.extend(done.trace);
    }

    /// Records of the agent's own.
    fn sent(&self) -> u64 {
        let all: u64 = self.work.outputs.iter().map(|output| output.values.len() as u64).sum();
        all.saturating_sub(self.dead_letters)
    }

    fn is_empty(&self) -> bool {
        self.work.outputs.is_empty() && self.work.state.is_empty() && self.work.offsets.is_empty()
    }
}

impl Desk {
    /// Partitions that are gone take their instances with them.
    fn take_over(&mut self, poll: &Poll) -> Result<(), Problem> {
        self.seat.changed(&poll.gained, &poll.lost, now_ms());
        for (topic, partition) in &poll.lost {
            tracing::debug!(agent = %self.around.agent.identity.component, topic, partition, "partition lost");
            self.partitions.remove(partition);
        }
        self.timetable.take_over(poll, &self.around.state)
    }

    fn forget_all(&mut self) {
        self.partitions.values_mut().for_each(Partition::drop_instance);
    }

    /// Sets a row aside whose work the log has refused.
    ///
    /// # Errors
    /// Where the state of its partition can't be read.
    fn set_aside(&self, alone: &Batch, problem: &Problem) -> Result<Cycle, Problem> {
        let Surroundings { agent, services, state, .. } = &*self.around;
        let reason = dead_letter::Reason { problem: problem.clone(), stack: None, attempts: 1 };
        let outputs = vec![dead_letter::set_aside(&agent.identity, services, alone, &reason)];
        let mut state = new_side(&self.around, state.clone(), alone.partition).state;
        timers::settle(&mut state, &agent.section.cron, alone, timers::now_ms())
            .map_err(|error| capabilities::problem(&error))?;
        let offsets = ends(std::slice::from_ref(alone)).into_iter().filter(|_| !timers::fires(alone)).collect();
        let work = Work { outputs, state: state.take_changes(), offsets };
        Ok(Cycle { work, records: 1, dead_letters: 1, traces: Vec::new() })
    }

    /// Until the next partition becomes idle, or the next timer is due.
    fn poll_wait(&mut self) -> Result<Duration, Problem> {
        let idle = self.partitions.values().filter_map(Partition::idle_at).min();
        let idle = idle.map(|at| at.saturating_duration_since(Instant::now()));
        let timer = self.timetable.wait(&*self.around.state)?;
        Ok(idle.into_iter().chain(timer).fold(POLL_WAIT, Duration::min))
    }

    async fn idle(&mut self) -> Cycle {
        let mut cycle = Cycle::default();
        let now = Instant::now();
        for partition in self.partitions.values_mut().filter(|p| p.idle_at().is_some_and(|at| at <= now)) {
            match partition.idle().await {
                Ok(done) => cycle.add(done),
                Err(problem) => {
                    let agent = &self.around.agent.identity.component;
                    tracing::warn!(%agent, code = %problem.code, "`idle` failed and is dropped: {}", problem.message);
                }
            }
        }
        cycle
    }

    /// Runs each partition's batches, the partitions at the same time.
    async fn run(&mut self, batches: Vec<Batch>) -> Result<Cycle, Problem> {
        let mut cycle = Cycle::default();
        let mut by_partition: BTreeMap<u32, Vec<Batch>> = BTreeMap::new();
        for batch in batches {
            cycle.records += batch.len() as u64;
            if !timers::fires(&batch) {
                cycle.work.offsets.extend(ends(std::slice::from_ref(&batch)));
            }
            by_partition.entry(batch.partition).or_default().push(batch);
        }
        let mut jobs = JoinSet::new();
        for (number, batches) in by_partition {
            let partition = self.partitions.remove(&number);
            let partition = partition.unwrap_or_else(|| Partition::new(number, self.around.clone()));
            jobs.spawn(run_partition(number, partition, batches));
        }
        while let Some(joined) = jobs.join_next().await {
            let (number, partition, done) = joined
                .map_err(|e| Problem::new(ProblemKind::Failed, "agent.panic", e.to_string(), "please report it"))?;
            self.partitions.insert(number, partition);
            done?.into_iter().for_each(|done| cycle.add(done));
        }
        Ok(cycle)
    }
}

async fn run_partition(
    number: u32,
    mut partition: Partition,
    batches: Vec<Batch>,
) -> (u32, Partition, Result<Vec<Done>, Problem>) {
    let done = partition.run_all(batches).await;
    (number, partition, done)
}
