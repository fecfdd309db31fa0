//! A worker's loop in task mode: poll, begin runs, commit what is done.
//!
//! It polls all the time, whatever its runs do, so that a slow one never costs the group's membership; partitions that have
//! enough in hand give nothing meanwhile.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::desk::{Desk, Place};
use super::outcome::Outcome;
use super::turn::Around;
use crate::agents::dead_letter::{self, Reason};
use crate::agents::group::group_of;
use crate::agents::partition::Surroundings;
use crate::agents::spans;
use crate::agents::status::AgentState;
use crate::agents::worker::{Assignment, ensure_dead_letter_topics, join};
use crate::capabilities::{problem, settled};
use crate::meters;
use crate::problem::Problem;
use crate::store::now_ms;
use crate::streams::{StateChange, StreamError, Work};

/// Most runs of one transaction.
const COMMIT_RUNS_MAX: usize = 1024;

/// Joins the group and works until something fails.
///
/// # Errors
/// What failed; whoever calls tries again.
pub async fn session(assignment: &Assignment) -> Result<Infallible, Problem> {
    let Assignment { engine, services, agent, board, catalog } = assignment;
    let mut worker = join(services, agent, agent.section.runs_at_once).await?;
    let around = Arc::new(Around {
        surroundings: Surroundings {
            engine: engine.clone(),
            services: services.clone(),
            agent: agent.clone(),
            state: worker.state(),
            meter: board.meter().clone(),
        },
        catalog: catalog.clone(),
        store: catalog.store().clone(),
    });
    let mut desk = Desk::new(around.clone());
    let seat = board.meter().seat();
    // After a refusal so many runs are committed one by one.
    let mut alone = 0;
    board.set(&agent.identity.component, AgentState::Running);
    loop {
        worker.hold(desk.full());
        let poll = worker.poll(desk.patience()).await?;
        seat.changed(&poll.gained, &poll.lost, now_ms());
        poll.lost.iter().for_each(|place| desk.lose(place));
        for place in poll.gained {
            settle_before(&around, &place).await?;
            desk.gain(place);
        }
        poll.batches.iter().for_each(|batch| desk.take(batch));
        desk.look().await?;
        desk.collect()?;
        desk.start();
        let Some(round) = Round::of(&around, &mut desk, if alone > 0 { 1 } else { COMMIT_RUNS_MAX })? else { continue };
        if round.dead_letters > 0 {
            ensure_dead_letter_topics(services, &round.work, &round.work.offsets).await?;
        }
        let offsets = round.work.offsets.clone();
        let (figures, moved) = (round.figures(), round.moved());
        let span = spans::commit(&around.surroundings, &round.traces, round.ids.len() as u64);
        let committed = worker.commit_part(round.work).await;
        spans::committed(span, &committed);
        match committed {
            Ok(()) => {
                alone = usize::saturating_sub(alone, 1);
                board.meter().committed(&figures, now_ms());
                services.meters.flows.moved(agent.identity.principal.as_str(), &moved);
                seat.committed(offsets);
                for (place, last) in round.ends {
                    if let Some(window) = desk.windows().get_mut(&place) {
                        window.committed(last);
                    }
                }
                around.store.settle_runs(&round.ids).await?;
            }
            Err(error) if error.is_about_a_record() && round.ids.len() > 1 => {
                tracing::warn!(agent = %agent.identity.component, runs = round.ids.len(), "work refused: {error}");
                board.meter().round_refused();
                alone = round.ids.len();
            }
            Err(error) if error.is_about_a_record() && round.dead_letters == 0 => {
                tracing::warn!(agent = %agent.identity.component, run = round.ids.first(), "work refused: {error}");
                board.meter().round_refused();
                let reason = error.into();
                for (place, offset) in &round.ends {
                    desk.refuse(place, *offset, &reason).await?;
                }
            }
            Err(StreamError::Fenced(reason)) => {
                tracing::info!(agent = %agent.identity.component, "work dropped: {reason}");
                board.meter().round_dropped();
                desk.clear();
                worker.rewind().await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A host that died may have committed runs and not said so.
async fn settle_before(around: &Around, (topic, partition): &Place) -> Result<(), Problem> {
    let name = around.surroundings.agent.identity.principal.name();
    let committed = around.surroundings.services.streams.committed(&group_of(name), topic).await?;
    if let Some(Some(offset)) = committed.get(*partition as usize) {
        around.store.settle_runs_before(name, topic, *partition, *offset).await?;
    }
    Ok(())
}

/// What one transaction commits.
struct Round {
    work: Work,
    ids: Vec<String>,
    /// The last offset of each partition.
    ends: Vec<(Place, u64)>,
    /// Records of each partition.
    records: BTreeMap<Place, u64>,
    dead_letters: u64,
    /// When the records were sent, milliseconds since 1970.
    timestamps_ms: Vec<i64>,
    /// Spans of its runs that are recorded.
    traces: Vec<Arc<str>>,
}

impl Round {
    /// As it is counted.
    fn figures(&self) -> meters::Round {
        let mut figures = meters::Round::begin(std::iter::once(self.timestamps_ms.as_slice()));
        let all: u64 = self.work.outputs.iter().map(|output| output.values.len() as u64).sum();
        (figures.sent, figures.dead_letters) = (all.saturating_sub(self.dead_letters), self.dead_letters);
        figures
    }

    /// What goes from whom to where: each run has one record.
    fn moved(&self) -> meters::Moved {
        let mut moved = meters::Moved::default();
        for (place, records) in &self.records {
            moved.add(meters::FlowKind::Reads, &place.0, *records);
        }
        for output in &self.work.outputs {
            moved.add(meters::FlowKind::Writes, &output.topic, output.values.len() as u64);
        }
        moved
    }

    /// The work of the runs that are done, at most `max`; none where there is nothing to commit.
    fn of(around: &Around, desk: &mut Desk, max: usize) -> Result<Option<Self>, Problem> {
        let Surroundings { agent, services, state, .. } = &around.surroundings;
        let (ids, ends, timestamps_ms) = (Vec::new(), Vec::new(), Vec::new());
        let mut round = Self {
            work: Work::default(),
            ids,
            ends,
            records: BTreeMap::new(),
            dead_letters: 0,
            timestamps_ms,
            traces: Vec::new(),
        };
        let mut changes: BTreeMap<u32, Vec<&StateChange>> = BTreeMap::new();
        for (place, window) in desk.windows().iter() {
            let mut last = None;
            for (offset, task, outcome) in window.prefix().take(max.saturating_sub(round.ids.len())) {
                match outcome {
                    Outcome::Finished(effects) => {
                        round.work.outputs.extend(effects.outputs.iter().cloned());
                        changes.entry(place.1).or_default().extend(&effects.state);
                        round.traces.extend(effects.trace.clone());
                    }
                    Outcome::Failed { problem, stack, attempts } => {
                        let reason = Reason { problem: problem.clone(), stack: stack.clone(), attempts: *attempts };
                        let letter = dead_letter::set_aside(&agent.identity, services, &task.batch, &reason);
                        round.work.outputs.push(letter);
                        round.dead_letters += 1;
                    }
                }
                round.ids.push(task.id.clone());
                *round.records.entry(place.clone()).or_default() += 1;
                round.timestamps_ms.extend(&task.batch.timestamps_ms);
                last = Some(offset);
            }
            if let Some(last) = last {
                round.work.offsets.push((place.0.clone(), place.1, last + 1));
                round.ends.push((place.clone(), last));
            }
        }
        for (partition, changes) in changes {
            let changes = settled(state, partition, changes.into_iter()).map_err(|error| problem(&error))?;
            round.work.state.extend(changes);
        }
        Ok((!round.ids.is_empty()).then_some(round))
    }
}
