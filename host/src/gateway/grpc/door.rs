//! Who comes in, to what. A method that is not named here is not there: deny by default.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::timeout;
use tonic::Status;

use super::status::of_refusal;
use crate::gateway::access::Need;
use crate::gateway::asker::Asker;
use crate::gateway::http;
pub(super) use crate::gateway::http::Door;
use crate::permissions::Duty;

/// How long a client may take to say what it wants, and the host to begin to answer.
const BEGIN_MAX: Duration = Duration::from_secs(30);

/// What a method needs, by its path.
fn need(path: &str) -> Option<Need> {
    match path {
        // By the client's own rows, where it is done.
        "/wasmill.v1.Agents/Start" | "/wasmill.v1.Agents/Stop" => Some(Need::CheckedInside),
        "/wasmill.v1.Agents/List" | "/wasmill.v1.Traces/Watch" => Some(Need::Duty(Duty::Read)),
        "/wasmill.v1.Conversations/Talk" => Some(Need::Duty(Duty::Talk)),
        _ => None,
    }
}

/// Lets a call through where its client may have it.
pub(super) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    match admit(&door, &mut request).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            let late = |_| Status::deadline_exceeded("the call did not begin in time").into_http();
            timeout(BEGIN_MAX, next.run(request)).await.unwrap_or_else(late)
        }
        Err(status) => status.into_http(),
    }
}

// Not a shared reference: a body may not be shared between threads.
async fn admit(door: &Door, request: &mut Request) -> Result<Asker, Status> {
    let client = door.client(request).map_err(|refusal| of_refusal(&refusal))?;
    let path = request.uri().path();
    let need = need(path).ok_or_else(|| Status::unimplemented(format!("there is no method `{path}`")))?;
    let host = door.host().await.map_err(|problem| of_refusal(&problem.into()))?;
    http::check(host, &client, need, "").map_err(|denied| of_refusal(&(*denied).into()))?;
    Ok(Asker(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_there() {
        for path in ["/wasmill.v1.Agents/Kill", "/wasmill.v2.Agents/Start", "/grpc.health.v1.Health/Check", "/", ""] {
            assert_eq!(need(path), None, "{path}");
        }
        assert_eq!(need("/wasmill.v1.Traces/Watch"), Some(Need::Duty(Duty::Read)));
        assert_eq!(need("/wasmill.v1.Conversations/Talk"), Some(Need::Duty(Duty::Talk)));
    }
}
