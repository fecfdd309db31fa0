//! `/v1/conversations`: talking with agents, in sessions that are the client's own.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::asker::{Asker, Standing};
use super::extract::{Body, Params};
use super::live::{Line, Told, events};
use super::socket::speak;
use super::state::SharedGateway;
use super::upgrade::Upgrade;
use crate::conversations::{ConversationError, Conversations, Listener, Place, Said, Sent, Session};
use crate::host::Host;
use crate::permissions::Duty;
use crate::problem::Problem;

/// The header by which a client of server-sent events says where it was.
const LAST_EVENT_ID: &str = "last-event-id";
/// The header with the trace that a request belongs to.
const TRACEPARENT: &str = "traceparent";

/// From where a client listens.
#[derive(Debug, Default, Deserialize)]
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

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let of = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { last_event_id: of(LAST_EVENT_ID), traceparent: of(TRACEPARENT) })
    }
}

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new()
        .route("/v1/conversations/{session}", get(socket))
        .route("/v1/conversations/{session}/events", get(listen))
        .route("/v1/conversations/{session}/messages", post(say))
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
) -> Result<Response, Problem> {
    let after = around.last_event_id.clone().or(params.after);
    Ok(events(Talk::begin(&gateway, (client, standing), &session, after, around).await?).into_response())
}

async fn socket(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    standing: Standing,
    Path(session): Path<String>,
    Params(params): Params<ListenParams>,
    around: Around,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    speak(upgrade, Talk::begin(&gateway, (client, standing), &session, params.after, around).await?)
}

fn of(host: &Host) -> Result<&Conversations, Problem> {
    Ok(host.conversations.as_ref().ok_or(ConversationError::Off)?)
}

/// One client that talks.
struct Talk {
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
    async fn begin(
        gateway: &SharedGateway,
        (client, standing): (String, Standing),
        session: &str,
        after: Option<String>,
        around: Around,
    ) -> Result<Self, Problem> {
        let host = gateway.host().await?.clone();
        let session = Session::of(&client, session)?;
        let after = after.map(|text| text.parse::<Place>()).transpose()?;
        let listener = of(&host)?.listen(&session, after)?;
        Ok(Self { host, client, standing, session, listener, traceparent: around.traceparent, is_open: false })
    }

    async fn say(&self, said: &str) -> Result<Sent, Problem> {
        self.check()?;
        let said = serde_json::from_str(said).map_err(|error| ConversationError::Message(error.to_string()))?;
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
        match self.say(said).await {
            Ok(sent) => Told::new("sent", &sent),
            Err(problem) => Told::new("refused", &problem),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        self.standing.may(&self.host, &self.client, Duty::Talk)
    }
}
