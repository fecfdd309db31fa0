//! When the timers of a worker's partitions are due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use wasmill_registry::Cron;

use super::{firing, now_ms, plans};
use crate::capabilities::problem;
use crate::capabilities::timers::{is_due_key, next_due};
use crate::catalog::Agent;
use crate::permissions::Action;
use crate::problem::Problem;
use crate::streams::{Batch, Poll, StateChange, StateReader, StreamError};

/// Most timers that fire at once in one partition.
const ROWS_MAX: usize = 256;

/// The timers of the partitions that a worker owns. Without the grant it stays empty: what was set waits, and fires when
/// the grant is back.
pub struct Timetable {
    is_granted: bool,
    crons: Vec<Cron>,
    rows_max: usize,
    /// When the first one is due, by partition.
    owned: BTreeMap<u32, Next>,
    /// What must be committed before schedules fire.
    plans: Vec<StateChange>,
}

/// When a partition's first timer is due, milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// It must be looked up.
    Unknown,
    /// There is none.
    Never,
    At(u64),
}

impl Timetable {
    /// The timetable of an agent that owns nothing yet.
    pub fn new(agent: &Agent) -> Self {
        Self {
            is_granted: agent.identity.grant.check(Action::Timers).is_allowed(),
            crons: agent.section.cron.clone(),
            rows_max: agent.section.batch_records.min(ROWS_MAX),
            owned: BTreeMap::new(),
            plans: Vec::new(),
        }
    }

    /// Follows what a poll says about partitions.
    ///
    /// # Errors
    /// Where their state can't be read.
    pub fn take_over(&mut self, poll: &Poll, state: &Arc<dyn StateReader>) -> Result<(), Problem> {
        if !self.is_granted {
            return Ok(());
        }
        for (_, partition) in &poll.lost {
            self.owned.remove(partition);
            self.plans.retain(|change| change.partition != *partition);
        }
        for (_, partition) in &poll.gained {
            self.owned.insert(*partition, Next::Unknown);
            if *partition == plans::PARTITION {
                self.plans = plans::changes(state, &self.crons, now_ms()).map_err(|error| problem(&error))?;
            }
        }
        Ok(())
    }

    /// What is due now, as batches.
    ///
    /// # Errors
    /// Where state can't be read.
    pub fn due(&mut self, state: &dyn StateReader) -> Result<Vec<Batch>, StreamError> {
        self.look_up(state)?;
        let now = now_ms();
        let mut batches = Vec::new();
        for (partition, next) in &self.owned {
            // Until the schedules of the manifest are known there, what is due may be one of the last manifest's.
            let is_planned = *partition != plans::PARTITION || self.plans.is_empty();
            if matches!(next, Next::At(due_ms) if *due_ms <= now) && is_planned {
                batches.extend(firing::batches(state, &self.crons, *partition, now, self.rows_max)?);
            }
        }
        Ok(batches)
    }

    /// How long until something is due; none where nothing waits.
    ///
    /// # Errors
    /// Where state can't be read.
    pub fn wait(&mut self, state: &dyn StateReader) -> Result<Option<Duration>, StreamError> {
        if !self.plans.is_empty() {
            return Ok(Some(Duration::ZERO));
        }
        self.look_up(state)?;
        let dues = self.owned.values().filter_map(|next| match next {
            Next::At(due_ms) => Some(*due_ms),
            Next::Unknown | Next::Never => None,
        });
        Ok(dues.min().map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms()))))
    }

    /// What must be committed with the next work.
    pub fn plans(&self) -> impl Iterator<Item = StateChange> {
        self.plans.iter().cloned()
    }

    /// These changes are about to be committed.
    pub fn touched(&mut self, changes: &[StateChange]) {
        for change in changes.iter().filter(|change| is_due_key(&change.key)) {
            if let Some(next) = self.owned.get_mut(&change.partition) {
                *next = Next::Unknown;
            }
        }
    }

    /// They were committed, the plans with them.
    pub fn committed(&mut self) {
        self.plans.clear();
    }

    fn look_up(&mut self, state: &dyn StateReader) -> Result<(), StreamError> {
        for (partition, next) in &mut self.owned {
            if matches!(next, Next::Unknown) {
                *next = match next_due(state, *partition) {
                    Ok(due) => due.map_or(Next::Never, Next::At),
                    // It is being taken away, as the next poll will say.
                    Err(StreamError::Fenced(_)) => Next::Unknown,
                    Err(error) => return Err(error),
                };
            }
        }
        Ok(())
    }
}
