//! The port that programs and the console come in by: the routes of the gateway, each for who may have it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, RequestExt as _, Router};
use time::OffsetDateTime;
use tokio::net::TcpListener;

use super::access::Need;
use super::asker::{Asker, Standing, bearer};
use super::connection::Bounded;
use super::port::bind;
use super::state::{Gateway, SharedGateway};
use super::upgrade::offered;
use super::{extract, routes, traced};
use crate::home::HomeError;
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};

/// How long one may last, so that none is held for ever by somebody who has gone. Who listens connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);

/// A bound port. From this moment connections wait; they are answered once it is served.
#[derive(Debug)]
pub struct HttpPort {
    listener: TcpListener,
    address: SocketAddr,
}

impl HttpPort {
    /// Binds a port; 0 lets the system choose one.
    ///
    /// # Errors
    /// `gateway.listen` where the system refuses.
    pub async fn bind(address: SocketAddr) -> Result<Self, Problem> {
        let risk = "the gateway is served without encryption to whoever can reach this address";
        let (listener, address) = bind("gateway", address, risk).await?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the gateway's routes, and those of `open` to everybody, until this is dropped.
    pub async fn serve(self, gateway: SharedGateway, open: Router) {
        let connections = gateway.config().gateway.connections;
        let guarded = routes().route_layer(from_fn_with_state(gateway.clone(), guard));
        let guarded = guarded.route_layer(traced::layer(&gateway));
        let router = guarded
            .fallback(extract::no_such_route)
            .method_not_allowed_fallback(extract::no_such_method)
            .with_state(gateway)
            .merge(open);
        if let Err(error) = axum::serve(Bounded::new(self.listener, connections, LIFETIME_MAX), router).await {
            tracing::error!(address = %self.address, "the gateway is not served any more: {error}");
        }
    }
}

/// Lets a request through to its route where its client may have it.
async fn guard(State(gateway): State<SharedGateway>, mut request: Request, next: Next) -> Response {
    match admit(&gateway, &mut request).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(answer) => answer,
    }
}

async fn admit(gateway: &Gateway, request: &mut Request) -> Result<Asker, Response> {
    let client = client(gateway, request).map_err(|error| locked(&error))?.ok_or_else(unauthorized)?;
    let host = gateway.host().await.map_err(IntoResponse::into_response)?;
    let route: MatchedPath = request.extract_parts().await.map_err(IntoResponse::into_response)?;
    let need = Need::of(request.method(), route.as_str()).ok_or_else(|| {
        let message = format!("{} {} is for the home's owner only", request.method(), route.as_str());
        Problem::new(ProblemKind::Denied, "request.owner", message, "Use `wasmill` on the host's machine.")
            .into_response()
    })?;
    let topic = match need {
        Need::ReadTopic | Need::WriteTopic => {
            request.extract_parts::<Path<String>>().await.map_err(IntoResponse::into_response)?.0
        }
        Need::Duty(_) | Need::CheckedInside => String::new(),
    };
    check(host, &client, need, &topic).map_err(|denied| (*denied).into_response())?;
    Ok(Asker(client))
}

fn check(host: &Host, client: &str, need: Need, topic: &str) -> Result<(), Box<Problem>> {
    let Some(action) = need.action(topic) else { return Ok(()) };
    host.client(client)
        .identity
        .grant
        .check(action)
        .ok()
        .map_err(|denial| Box::new(Problem::new(ProblemKind::Denied, denial.code(), denial.message(), denial.next())))
}

/// The client whose token came with the request; none where that is nobody's.
fn client(gateway: &Gateway, request: &Request) -> Result<Option<String>, HomeError> {
    // A page in a browser can set no header of a WebSocket but its protocols.
    let token = bearer(request.headers()).or_else(|| offered(request.headers()));
    let Some(token) = token else { return Ok(None) };
    Ok(gateway.home().tokens()?.client(token, OffsetDateTime::now_utc()).map(str::to_owned))
}

/// The answer to who comes without a token that counts.
pub(crate) fn unauthorized() -> Response {
    let next = "Send `Authorization: Bearer …` with a token made by `wasmill token new NAME`.";
    let message = "no token came with the request, or one that is unknown or has expired";
    let problem = Problem::new(ProblemKind::Denied, "request.token", message, next);
    // A problem that is denied is answered by 403: who it is is known then. Here it isn't.
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(problem)).into_response()
}

/// The answer where tokens can't be read. Where the file lies is nobody's business out there.
pub(crate) fn locked(error: &HomeError) -> Response {
    tracing::error!(code = error.code(), "no client comes in: {error}");
    let message = "this host can't tell clients apart now";
    let next = "Whoever runs it finds why in its log.";
    Problem::new(ProblemKind::Unavailable, "request.tokens", message, next).into_response()
}

/// Routes for the home's owner.
pub(super) fn owners(router: Router) -> Router {
    router.layer(Extension(Asker::owner())).layer(Extension(Standing::Owner))
}
