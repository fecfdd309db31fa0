//! Tools for whoever has nothing but a client of the log: requests on one topic, answers on another.
//!
//! Each pair of topics is one member of a consumer group. It polls, calls the tools under the rows of the pair's client,
//! sessions at the same time and each in its order, and commits answers and consumed offsets in one transaction. A record
//! is answered or set aside, never both and never neither. The log doesn't say who wrote a record: who may write to the
//! requests topic is that client.

mod answer;
mod call;
mod desk;
mod error;
mod request;
mod session;
mod status;

use std::sync::Arc;

use tokio::sync::watch;

use crate::agents::{AgentState, again};
use crate::catalog::{Catalog, Toolbox};
use crate::home::ToolTopicsConfig;
use crate::problem::Problem;
use call::Around;
pub use error::RequestError;
#[cfg(fuzzing)]
pub(crate) use request::Request;
use status::Board;
pub use status::ToolTopicsStatus;

/// The consumer group of a requests topic, on every host. No agent has the same: names of components have no `_`.
pub fn tools_group_of(requests: &str) -> String {
    format!("wasmill.tool_topics.{requests}")
}

/// One pair of topics.
pub struct ToolTopics {
    around: Arc<Around>,
    board: Board,
}

impl ToolTopics {
    /// A pair of topics as host.toml has it. Nothing is read before [`ToolTopics::run`].
    pub fn new(config: ToolTopicsConfig, catalog: Arc<Catalog>, toolbox: Arc<Toolbox>) -> Self {
        Self { around: Arc::new(Around { config, catalog, toolbox }), board: Board::default() }
    }

    /// Answers until `stop` becomes true. Failures are shown in the status and tried again.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let requests = &self.around.config.requests;
        let work = || session::session(&self.around, &self.board);
        let failed = |problem: Problem| self.board.set(requests, AgentState::waiting(&problem));
        again(work, failed, stop).await;
    }

    /// What it is doing.
    pub fn status(&self) -> ToolTopicsStatus {
        self.board.status(&self.around.config)
    }
}
