//! An agent that is given records beside production: nothing is committed, and it takes part in no stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::rehearse::Stage;
use super::task::Task;
use crate::capabilities::{AskedOutside, Services, Shadow};
use crate::catalog::{Agent, Catalog};
use crate::problem::Problem;
use crate::runs::Answers;
use crate::store::{Store, StoreError};
use crate::streams::{Batch, Output};

/// A version of an agent in a shadow run. Its state begins empty and goes on from record to record; its timers and
/// schedules don't fire.
pub struct Beside {
    catalog: Arc<Catalog>,
    services: Arc<Services>,
    shadow: Arc<Shadow>,
    agent: Arc<Agent>,
    partitions: BTreeMap<u32, Stage>,
}

/// What a version did with a record.
pub struct Gave {
    /// Records that it would send, or how it failed.
    pub outcome: Result<Vec<Output>, Problem>,
    /// What it asked of the outside.
    pub asked: Vec<AskedOutside>,
    /// How long it took, microseconds.
    pub micros: u64,
}

impl Beside {
    /// Nothing is started before the first record. `services` are those of a shadow run, `shadow` is theirs.
    pub fn new(catalog: Arc<Catalog>, services: Arc<Services>, shadow: Arc<Shadow>, agent: Arc<Agent>) -> Self {
        Self { catalog, services, shadow, agent, partitions: BTreeMap::new() }
    }

    /// Gives one record, at the time that it bears, with what the journal of its run knows.
    ///
    /// # Errors
    /// Where no instance can be started.
    pub async fn give(&mut self, alone: Batch, answers: Answers) -> Result<Gave, Problem> {
        self.shadow.begin(answers);
        let number = alone.partition;
        let now_ms = alone.timestamps_ms.first().and_then(|ms| u64::try_from(*ms).ok()).unwrap_or_default();
        let began = Instant::now();
        let stage = match self.partitions.remove(&number) {
            Some(stage) => stage,
            None => Stage::new(&self.catalog, &self.services, self.agent.clone(), number).await?,
        };
        let stage = self.partitions.entry(number).or_insert(stage);
        let outcome = stage.give_alone(alone, now_ms).await?;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(Gave { outcome, asked: self.shadow.take(), micros })
    }
}

/// What the journal of an agent's run for a record knows; nothing where there is none.
///
/// # Errors
/// Where the database fails.
pub async fn journal_of(store: &Store, agent: &str, alone: &Batch) -> Result<Answers, StoreError> {
    let run = Task::of(agent, alone.clone()).id;
    Ok(Answers::of(&store.steps(&run).await?))
}
