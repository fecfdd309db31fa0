//! `/v1/conversations`: talking with agents, in sessions that are the client's own.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request;
use axum::response::Sse;
use axum::response::sse::Event;
use futures::Stream;
use serde::Deserialize;

use super::asker::{Asker, Standing};
use super::extract::{Body, Params, Path};
use super::live::{Line, Told, events};
use super::openapi::{Asks, Parts, Routes, Schemas};
use super::socket::speak;
use super::state::SharedGateway;
use super::upgrade::{Switched, Upgrade};
use crate::conversations::{ConversationError, Conversations, Listener, Place, Said, Sent, Session};
use crate::host::Host;
use crate::permissions::Duty;
use crate::problem::Problem;

/// The header by which a client of server-sent events says where it was.
const LAST_EVENT_ID: &str = "last-event-id";
/// The header with the trace that a request belongs to.
const TRACEPARENT: &str = "traceparent";

/// From where a client listens.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListenParams {
    /// An id that an event had, or `after` of a message that was sent. The header `Last-Event-ID` counts more.
    #[serde(default)]
    after: Option<String>,
}

/// What a client may say by headers.
struct Around {
    last_event_id: Option<String>,
    traceparent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Around {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        let of = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { last_event_id: of(LAST_EVENT_ID), traceparent: of(TRACEPARENT) })
    }
}

impl Asks for Around {
    fn describe(_: &mut Schemas, parts: &mut Parts) {
        let text = || serde_json::json!({ "type": "string" });
        parts.header("Last-Event-ID", "The id of the last event that was heard.", false, text());
        parts.header("traceparent", "The trace that it belongs to (W3C).", false, text());
    }
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/conversations/{session}", "Talk and listen by WebSocket", socket)
        .get("/v1/conversations/{session}/events", "Listen to a session of one's own", listen)
        .post("/v1/conversations/{session}/messages", "Say something in a session of one's own", say)
}

async fn say(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path(session): Path<String>,
    around: Around,
    Body(said): Body<Said>,
) -> Result<Json<Sent>, Problem> {
    let host = gateway.host().await?;
    let session = Session::of(&client, &session)?;
    Ok(Json(of(host)?.say(&session, said, around.traceparent.as_deref()).await?))
}

async fn listen(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    standing: Standing,
    Path(session): Path<String>,
    Params(params): Params<ListenParams>,
    around: Around,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = around.last_event_id.clone().or(params.after);
    Ok(events(Talk::begin(&gateway, (client, standing), &session, after, around.traceparent).await?))
}

async fn socket(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    standing: Standing,
    Path(session): Path<String>,
    Params(params): Params<ListenParams>,
    around: Around,
    upgrade: Upgrade,
) -> Result<Switched, Problem> {
    speak(upgrade, Talk::begin(&gateway, (client, standing), &session, params.after, around.traceparent).await?)
}

fn of(host: &Host) -> Result<&Conversations, Problem> {
    Ok(host.conversations.as_ref().ok_or(ConversationError::Off)?)
}

/// One client that talks.
pub(super) struct Talk {
    host: Arc<Host>,
    client: String,
    session: Session,
    listener: Listener,
    /// The trace that all of it belongs to, where the client named one.
    traceparent: Option<String>,
    standing: Standing,
    is_open: bool,
}

impl Talk {
    /// Begins to listen to a session of a client's own.
    pub async fn begin(
        gateway: &SharedGateway,
        (client, standing): (String, Standing),
        session: &str,
        after: Option<String>,
        traceparent: Option<String>,
    ) -> Result<Self, Problem> {
        let host = gateway.host().await?.clone();
        let session = Session::of(&client, session)?;
        let after = after.map(|text| text.parse::<Place>()).transpose()?;
        let listener = of(&host)?.listen(&session, after)?;
        Ok(Self { host, client, standing, session, listener, traceparent, is_open: false })
    }

    /// Says something, and tells what came of it.
    pub async fn take_in(&self, said: Said) -> Told {
        match self.say(said).await {
            Ok(sent) => Told::new("sent", &sent),
            Err(problem) => Told::new("refused", &problem),
        }
    }

    async fn say(&self, said: Said) -> Result<Sent, Problem> {
        self.check()?;
        of(&self.host)?.say(&self.session, said, self.traceparent.as_deref()).await
    }
}

impl Line for Talk {
    async fn next(&mut self) -> Result<Told, Problem> {
        if !self.is_open {
            self.is_open = true;
            let session = serde_json::json!({ "session_id": self.session.id() });
            return Ok(Told::new("open", &session).at(self.listener.place()));
        }
        let heard = self.listener.next().await?;
        Ok(Told::of_json(heard.event.kind.word(), &heard.event.json).at(heard.place))
    }

    async fn take(&mut self, said: &str) -> Told {
        match serde_json::from_str(said) {
            Ok(said) => self.take_in(said).await,
            Err(error) => Told::new("refused", &Problem::from(ConversationError::Message(error.to_string()))),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        self.standing.may(&self.host, &self.client, Duty::Talk)
    }
}
