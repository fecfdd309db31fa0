//! One batch for an agent that takes part in no stream: what it would do, with nothing committed.

use std::sync::Arc;

use super::batch::to_guest;
use super::headers;
use super::instance::{CallError, Instance};
use super::partition::{Surroundings, new_side};
use crate::capabilities::guest_state;
use crate::catalog::{Agent, Catalog};
use crate::problem::Problem;
use crate::streams::{Batch, Output, StateChange, StateEntry, StateReader, StreamError};

/// What an agent did with a batch.
pub struct Rehearsed {
    /// Records that it would send, by send; empty where it failed.
    pub outputs: Vec<Output>,
    /// How it failed, if it did: the row that it named, and why. A trap has no row of its own and stands at 0.
    pub failure: Option<(u32, Problem)>,
    changes: Vec<StateChange>,
}

impl Rehearsed {
    /// Its state afterwards, by key, where it began with none.
    pub fn state(&self) -> Vec<StateEntry> {
        guest_state(&self.changes)
    }
}

/// Hands a batch to a fresh instance of an agent, once and whole: the rows of a failed batch are not given again.
///
/// # Errors
/// Where the instance can't be started.
pub async fn rehearse(catalog: &Catalog, agent: Arc<Agent>, batch: Batch) -> Result<Rehearsed, Problem> {
    let around = Surroundings {
        engine: catalog.engine().clone(),
        services: catalog.services().clone(),
        agent,
        state: Arc::new(Empty),
    };
    let traceparent = headers::traceparent(&batch);
    let side = new_side(&around, around.state.clone(), batch.partition);
    let context = || around.context(&traceparent);
    let started = Instance::start(&around.engine, &around.services, &around.agent, context(), side).await;
    let mut instance = started.map_err(|(problem, _)| problem)?;
    if let Some(side) = instance.side() {
        side.outbox.begin(headers::common(&around.agent.identity, &traceparent), Some(headers::id_prefix(&batch)));
    }
    let failure = match instance.handle(context(), &to_guest(batch)).await {
        Ok(()) => None,
        Err(CallError::Row { row, problem, .. }) => Some((row, problem)),
        Err(CallError::Dead(problem)) => Some((0, problem)),
    };
    // What a failed batch did is never seen.
    let (outputs, changes) = match instance.side().filter(|_| failure.is_none()) {
        Some(side) => (side.outbox.take(), side.state.take_changes()),
        None => (Vec::new(), Vec::new()),
    };
    Ok(Rehearsed { outputs, failure, changes })
}

/// State before the first batch ever.
struct Empty;

impl StateReader for Empty {
    fn get(&self, _: u32, _: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        Ok(None)
    }

    fn scan(&self, _: u32, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<StateEntry>, StreamError> {
        Ok(Vec::new())
    }
}
