//! WebSocket: what is told goes out, what a client says comes in.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error as SocketError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::live::{Checked, Line, Told};
use super::upgrade::{Connection, Switched, Upgrade};
use crate::problem::{Problem, ProblemKind};

/// Largest message of a client, in one frame or more, bytes.
const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// Memory of a connection for what comes in, bytes: it grows with a larger message.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// How often a client is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// After how long without a word or a pong it is not.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long a client may take to take one message.
const SEND_MAX: Duration = Duration::from_secs(30);
/// How long one connection may last; who listens connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);

type Socket = WebSocketStream<Connection>;

/// Speaks with the client until either side ends it.
pub(super) fn speak(upgrade: Upgrade, line: impl Line) -> Result<Switched, Problem> {
    let (answer, connection) = upgrade.accept()?;
    tokio::spawn(async move {
        match connection.await {
            Ok(connection) => {
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, Some(bounds()));
                converse(socket.await, Checked::new(line)).await;
            }
            Err(error) => tracing::debug!("a connection did not become a WebSocket: {error}"),
        }
    });
    Ok(answer)
}

fn bounds() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
}

async fn converse<L: Line>(mut socket: Socket, mut line: Checked<L>) {
    // A client that has gone needs no word.
    if let Ok(Err(Some(why))) = timeout(LIFETIME_MAX, turns(&mut socket, &mut line)).await {
        let _ = send(&mut socket, text(&Told::closed(&why))).await;
        let frame = CloseFrame { code: code(&why), reason: why.code.as_str().into() };
        let _ = send(&mut socket, Message::Close(Some(frame))).await;
    }
}

/// Tells and takes; ends with why, or without where the client has gone.
async fn turns<L: Line>(socket: &mut Socket, line: &mut Checked<L>) -> Result<(), Option<Problem>> {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            told = line.next() => send(socket, text(&told?)).await?,
            came = socket.next() => {
                heard = Instant::now();
                match came.ok_or(None)? {
                    Ok(Message::Text(said)) => {
                        let answer = line.line.take(said.as_str()).await;
                        send(socket, text(&answer)).await?;
                    }
                    Ok(Message::Binary(_)) => return Err(Some(refused("it is binary, not text"))),
                    Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                    Ok(Message::Close(_)) => return Ok(()),
                    Err(SocketError::Capacity(error)) => return Err(Some(refused(&error.to_string()))),
                    Err(SocketError::Utf8(error)) => return Err(Some(refused(&error))),
                    Err(_) => return Err(None),
                }
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    let message = format!("nothing came from the client for {} s", SILENCE_MAX.as_secs());
                    return Err(Some(Problem::new(ProblemKind::Limit, "socket.silent", message, "Answer pings.")));
                }
                send(socket, Message::Ping(Default::default())).await?;
            }
        }
    }
}

fn refused(why: &str) -> Problem {
    let next = format!("Send text of at most {MESSAGE_BYTES_MAX} bytes.");
    Problem::invalid("socket.message", format!("a message can't be read: {why}"), next)
}

/// Sends; an error where the client has gone, or takes nothing.
async fn send(socket: &mut Socket, message: Message) -> Result<(), Option<Problem>> {
    match timeout(SEND_MAX, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(None),
    }
}

fn text(told: &Told) -> Message {
    // Texts and JSON always have a JSON form.
    Message::text(serde_json::to_string(told).unwrap_or_default())
}

/// The code of WebSocket that says how to react.
fn code(why: &Problem) -> CloseCode {
    match why.kind {
        ProblemKind::Denied => CloseCode::Policy,
        ProblemKind::Invalid => CloseCode::Invalid,
        ProblemKind::Limit => CloseCode::Again,
        ProblemKind::Unavailable => CloseCode::Away,
        ProblemKind::NotFound | ProblemKind::Conflict | ProblemKind::Failed => CloseCode::Error,
    }
}
