//! Conversations with agents: what clients say goes to one topic, what agents answer comes from another.
//!
//! A session belongs to the client whose name its id begins with, so that no other client can name it, on whichever
//! host. One reader tells what comes to whoever listens to its session; a listener that does not keep up is let go, and
//! goes on later from where it was, out of the log.

mod error;
mod event;
mod hub;
mod inbound;
mod listener;
mod place;
mod reader;
mod session;
mod status;

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use crate::agents::{AgentState, again};
use crate::capabilities::Services;
use crate::home::ConversationsConfig;
use crate::problem::Problem;
pub use error::ConversationError;
pub use event::Kind;
pub use hub::Heard;
use hub::Hub;
pub use inbound::Said;
pub use listener::Listener;
pub use place::Place;
pub use session::Session;
use status::Board;
pub use status::ConversationsStatus;
#[cfg(fuzzing)]
pub(crate) use {event::Event, inbound::record};

/// Listeners that read what they missed, at the same time; others wait their turn.
const CATCH_UP_MAX: usize = 4;

/// What was said, as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Sent {
    /// Its id.
    pub event_id: String,
    /// From where on its answers come: for whoever begins to listen afterwards.
    pub after: Place,
}

/// The conversations of a host.
pub struct Conversations {
    config: ConversationsConfig,
    services: Arc<Services>,
    hub: Arc<Hub>,
    board: Board,
    catching_up: Arc<Semaphore>,
}

impl Conversations {
    /// Conversations as host.toml has them. Nothing is read before [`Conversations::run`].
    pub fn new(config: ConversationsConfig, services: Arc<Services>) -> Self {
        let catching_up = Arc::new(Semaphore::new(CATCH_UP_MAX));
        Self { config, services, hub: Arc::default(), board: Board::default(), catching_up }
    }

    /// Tells what comes until `stop` becomes true. Failures are shown in the status and tried again.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let work = || reader::read(self);
        let failed = |problem: Problem| self.board.set(&self.config.outbound, AgentState::waiting(&problem));
        again(work, failed, stop).await;
        self.hub.close();
    }

    /// Writes what a client says in a session. `traceparent` is the trace that it belongs to, where that is well-formed.
    ///
    /// # Errors
    /// `conversation.…` for what is empty or too long, or where the topics are not there yet; those of the log.
    pub async fn say(&self, session: &Session, said: Said, traceparent: Option<&str>) -> Result<Sent, Problem> {
        // Before it is in the log: the answer may be faster than this.
        let after = self.end(session)?;
        let (event_id, record) = inbound::record(session, said, traceparent)?;
        self.services.streams.append(&self.config.inbound, vec![record]).await?;
        self.board.sent();
        Ok(Sent { event_id, after })
    }

    /// Listens to a session from now on, or from a place that it was told of before.
    ///
    /// # Errors
    /// `conversation.waiting` where the topics are not there yet; `conversation.gone` where too much has come since that
    /// place.
    pub fn listen(&self, session: &Session, after: Option<Place>) -> Result<Listener, Problem> {
        let ear = Hub::subscribe(&self.hub, session).ok_or_else(|| self.waiting())?;
        let parts = listener::Source {
            streams: self.services.streams.clone(),
            topic: self.config.outbound.clone(),
            turns: self.catching_up.clone(),
        };
        Listener::new(ear, parts, session.clone(), after)
    }

    /// What they are doing.
    pub fn status(&self) -> ConversationsStatus {
        self.board.status(&self.config, &self.hub)
    }

    /// Behind the last thing that was told of the partition of a session.
    fn end(&self, session: &Session) -> Result<Place, Problem> {
        self.hub.end(session).ok_or_else(|| self.waiting())
    }

    fn waiting(&self) -> Problem {
        ConversationError::Waiting(self.board.reason()).into()
    }
}
