//! Keeps one worker for each agent that may run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::status::{AgentStatus, Board};
use super::worker::{self, Assignment};
use crate::catalog::{Agent, Catalog};

/// The agents at work on this host.
pub struct Supervisor {
    catalog: Arc<Catalog>,
    working: Mutex<BTreeMap<String, Working>>,
}

struct Working {
    agent: Arc<Agent>,
    board: Board,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// A supervisor of the catalog's agents. Nothing runs before [`Supervisor::run`].
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog, working: Mutex::default() }
    }

    /// Starts, replaces and stops workers as the catalog changes, until `stop` becomes true; then stops them all.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.catalog.changes();
        loop {
            self.adjust().await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { break },
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        let all: Vec<Working> = std::mem::take(&mut *self.lock()).into_values().collect();
        for working in all {
            end(working).await;
        }
    }

    /// What each agent is doing, by name.
    pub fn status(&self) -> Vec<AgentStatus> {
        self.lock().values().map(|w| w.board.status(&w.agent.identity.component)).collect()
    }

    async fn adjust(&self) {
        let wanted = &self.catalog.snapshot().agents;
        let outdated: Vec<Working> = {
            let mut working = self.lock();
            let names: Vec<String> = working
                .iter()
                .filter(|(name, w)| wanted.get(*name).is_none_or(|agent| !Arc::ptr_eq(agent, &w.agent)))
                .map(|(name, _)| name.clone())
                .collect();
            names.iter().filter_map(|name| working.remove(name)).collect()
        };
        for old in outdated {
            end(old).await;
        }
        for (name, agent) in wanted {
            self.lock().entry(name.clone()).or_insert_with(|| self.start(agent.clone()));
        }
    }

    fn start(&self, agent: Arc<Agent>) -> Working {
        let meters = &self.catalog.services().meters;
        let board = Board::new(meters.agents.get(agent.identity.principal.name()));
        let (stop, stopped) = watch::channel(false);
        let assignment = Assignment {
            engine: self.catalog.engine().clone(),
            services: self.catalog.services().clone(),
            agent: agent.clone(),
            board: board.clone(),
            catalog: self.catalog.clone(),
        };
        Working { agent, board, stop, task: tokio::spawn(worker::run(assignment, stopped)) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Working>> {
        // The map is changed by single inserts and removes: a poisoned lock is as good as any.
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops a worker and waits until it has left its group, so that its successor doesn't wait for a time-out.
async fn end(working: Working) {
    // A worker that has already ended needs no word.
    let _ = working.stop.send(true);
    if let Err(error) = working.task.await {
        tracing::error!(agent = %working.agent.identity.component, "a worker ended badly: {error}");
    }
}
