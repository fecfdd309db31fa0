//! `wasmill.v1.Conversations`

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use super::BEHIND_MAX;
use super::agents::asker;
use super::proto::conversations_server::Conversations;
use super::proto::talk_request::What;
use super::proto::{Begin, Heard, Message, TalkRequest};
use super::status::of;
use crate::conversations::Said;
use crate::gateway::asker::{Asker, Standing};
use crate::gateway::conversations::Talk;
use crate::gateway::given_traceparent;
use crate::gateway::live::{Checked, Told};
use crate::gateway::state::SharedGateway;
use crate::problem::Problem;

/// How long a client may take to take one event.
const SEND_MAX: Duration = Duration::from_secs(30);

/// Conversations of this gateway's host.
pub(super) struct Service(pub SharedGateway);

type Outgoing = mpsc::Sender<Result<Heard, Status>>;

#[tonic::async_trait]
impl Conversations for Service {
    type TalkStream = BoxStream<'static, Result<Heard, Status>>;

    async fn talk(&self, request: Request<Streaming<TalkRequest>>) -> Result<Response<Self::TalkStream>, Status> {
        let Asker(client) = asker(&request)?;
        let traceparent = given_traceparent(&request.metadata().clone().into_headers()).map(str::to_owned);
        let mut said = request.into_inner();
        let Some(What::Begin(Begin { session, after })) = said.message().await?.and_then(|first| first.what) else {
            return Err(out_of_turn());
        };
        let after = (!after.is_empty()).then_some(after);
        let talk = Talk::begin(&self.0, (client, Standing::Rows), &session, after, traceparent).await;
        let talk = talk.map_err(|problem| of(&problem))?;
        let (outgoing, heard) = mpsc::channel(BEHIND_MAX);
        tokio::spawn(converse(Checked::new(talk), said, outgoing));
        let heard = stream::unfold(heard, async |mut heard| heard.recv().await.map(|one| (one, heard)));
        Ok(Response::new(heard.boxed()))
    }
}

/// Tells and takes until either side ends it.
async fn converse(mut talk: Checked<Talk>, mut said: Streaming<TalkRequest>, outgoing: Outgoing) {
    loop {
        let told = tokio::select! {
            told = talk.next() => told.map(heard).map_err(|why| of(&why)),
            came = said.message() => match came {
                Ok(Some(TalkRequest { what: Some(What::Message(message)) })) => {
                    Ok(heard(talk.line.take_in(said_in(message)).await))
                }
                Ok(Some(_)) => Err(out_of_turn()),
                // The client says no more, and may go on to listen.
                Ok(None) => return listen(talk, outgoing).await,
                Err(_) => return,
            },
        };
        if !send(&outgoing, told).await {
            return;
        }
    }
}

fn out_of_turn() -> Status {
    let next = "Send `begin` once, first, and a `message` each time after it.";
    of(&Problem::invalid("conversation.turn", "a conversation begins once, and then come messages", next))
}

async fn listen(mut talk: Checked<Talk>, outgoing: Outgoing) {
    loop {
        let told = tokio::select! {
            told = talk.next() => told.map(heard).map_err(|why| of(&why)),
            () = outgoing.closed() => return,
        };
        if !send(&outgoing, told).await {
            return;
        }
    }
}

/// False where nothing more is to be sent: the client has gone, takes nothing, or was told why it ends.
async fn send(outgoing: &Outgoing, told: Result<Heard, Status>) -> bool {
    let goes_on = told.is_ok();
    goes_on & matches!(timeout(SEND_MAX, outgoing.send(told)).await, Ok(Ok(())))
}

fn heard(told: Told) -> Heard {
    let (event, id, data) = told.into_parts();
    Heard { event: event.to_owned(), id: id.unwrap_or_default(), data }
}

fn said_in(message: Message) -> Said {
    let given = |text: String| (!text.is_empty()).then_some(text);
    Said {
        message: message.text,
        event_id: given(message.event_id),
        persona_id: given(message.persona_id),
        ..Said::default()
    }
}
