//! The port that programs and the console come in by: the routes of the gateway, each for who may have it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, RequestExt as _, Router};

use super::access::Need;
use super::asker::{Asker, Standing};
use super::connection::Protocol;
use super::details::Refusal;
use super::extract::Path;
use super::identity::{Identity, identify};
use super::port::Port;
use super::rate::Rate;
use super::state::SharedGateway;
use super::tls::Peer;
use super::{extract, served, traced};
use crate::home::{Home, HomeError, PortConfig};
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};

/// How long one may last, so that none is held for ever by somebody who has gone. Who listens connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);

/// The gateway's port.
pub struct HttpPort {
    port: Port,
    rate: Rate,
}

impl HttpPort {
    /// Binds the port that a home's settings name; none where they name none.
    ///
    /// # Errors
    /// `gateway.listen` where the system refuses; `tls.files`.
    pub async fn bind(home: &Home, config: &PortConfig) -> Result<Option<Self>, Problem> {
        let Some(address) = config.listen else { return Ok(None) };
        let risk = "the gateway is served without encryption to whoever can reach this address";
        let port = Port::bind(home, "gateway", Protocol::Http, address, config.tls.as_ref(), risk).await?;
        Ok(Some(Self { port, rate: Rate::new(&config.rate) }))
    }

    /// Where the console is found.
    pub fn url(&self) -> String {
        format!("{}/", self.port.url())
    }

    /// Serves the gateway's routes, and those of `open` to everybody, until this is dropped.
    pub async fn serve(self, gateway: SharedGateway, open: Router) {
        let connections = gateway.config().gateway.connections;
        let router = guarded(gateway, self.rate).merge(open);
        self.port.serve(connections, LIFETIME_MAX, router).await;
    }
}

/// The routes, each for who may have it.
pub(super) fn guarded(gateway: SharedGateway, rate: Rate) -> Router {
    let door = Arc::new(Door::new(gateway.clone(), rate));
    served()
        .route_layer(from_fn_with_state(door, guard))
        .route_layer(traced::layer(&gateway))
        .fallback(extract::no_such_route)
        .method_not_allowed_fallback(extract::no_such_method)
        .with_state(gateway)
}

/// Where clients come in, whatever they speak.
pub(super) struct Door {
    gateway: SharedGateway,
    rate: Rate,
}

impl Door {
    /// The way to what this gateway has, for so many requests of each client.
    pub fn new(gateway: SharedGateway, rate: Rate) -> Self {
        Self { gateway, rate }
    }

    /// The client that a request is of, which counts among those it may make.
    pub fn client(&self, request: &Request) -> Result<String, Refusal> {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
        match identify(self.gateway.home(), request.headers(), &peer).map_err(|error| locked(&error))? {
            Identity::Client(client) => self.rate.take(&client).map(|()| client),
            Identity::Nobody | Identity::Unknown => Err(unauthorized()),
        }
    }

    /// The host behind it.
    pub async fn host(&self) -> Result<&Arc<Host>, Problem> {
        self.gateway.host().await
    }
}

/// Lets a request through to its route where its client may have it.
async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    match admit(&door, &mut request).await {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn admit(door: &Door, request: &mut Request) -> Result<Asker, Refusal> {
    let client = door.client(request)?;
    let host = door.host().await?;
    let matched: Result<MatchedPath, _> = request.extract_parts().await;
    let route = matched.map_err(|error| Problem::new(ProblemKind::Failed, "request.route", error, ""))?;
    let need = Need::of(request.method(), route.as_str()).ok_or_else(|| {
        let message = format!("{} {} is for the home's owner only", request.method(), route.as_str());
        Problem::new(ProblemKind::Denied, "request.owner", message, "Use `wasmill` on the host's machine.")
    })?;
    let topic = match need {
        Need::ReadTopic | Need::WriteTopic => request.extract_parts::<Path<String>>().await?.0,
        Need::Duty(_) | Need::CheckedInside => String::new(),
    };
    check(host, &client, need, &topic).map_err(|denied| *denied)?;
    Ok(Asker(client))
}

/// Whether a client may have what needs this.
pub(super) fn check(host: &Host, client: &str, need: Need, topic: &str) -> Result<(), Box<Problem>> {
    let Some(action) = need.action(topic) else { return Ok(()) };
    host.client(client)
        .identity
        .grant
        .check(action)
        .ok()
        .map_err(|denial| Box::new(Problem::new(ProblemKind::Denied, denial.code(), denial.message(), denial.next())))
}

/// The answer to who comes without a token that counts.
pub(crate) fn unauthorized() -> Refusal {
    let next = "Send `Authorization: Bearer …` with a token made by `wasmill token new NAME`.";
    let message = "no token came with the request, or one that is unknown or has expired";
    // A problem that is denied is answered by 403: who it is is known then. Here it isn't.
    Refusal::new(StatusCode::UNAUTHORIZED, "request.token", message, next)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The answer where tokens can't be read. Where the file lies is nobody's business out there.
pub(crate) fn locked(error: &HomeError) -> Refusal {
    tracing::error!(code = error.code(), "no client comes in: {error}");
    let message = "this host can't tell clients apart now";
    let next = "Whoever runs it finds why in its log.";
    Problem::new(ProblemKind::Unavailable, "request.tokens", message, next).into()
}

/// Routes for the home's owner.
pub(super) fn owners(router: Router) -> Router {
    router.layer(Extension(Asker::owner())).layer(Extension(Standing::Owner))
}
