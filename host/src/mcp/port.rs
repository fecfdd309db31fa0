//! The port that MCP clients come in by: `/mcp`, with a bearer token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use http_body_util::BodyExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::server::McpServer;
use crate::gateway::{Identity, Peer, Port, Protocol, Rate, Refusal, identify, locked, unauthorized};
use crate::home::{Home, McpConfig};
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};

/// Most requests under way at once, streams that wait for changes included; more are told to come back.
const REQUESTS_MAX: usize = 256;
/// Most sessions of one client; each ends when its client ends it, or after five idle minutes.
const SESSIONS_MAX: usize = 128;
/// Most connections; others wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// How long one may last, so that none is held for ever by somebody who has gone. Who listens connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);
/// Names a session, from the second request of it on.
const SESSION: &str = "mcp-session-id";
/// Largest request, bytes: a source of the forge in JSON must fit.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most of what the protocol's library says of a request that it refuses, bytes.
const REASON_BYTES_MAX: usize = 4 * 1024;
/// Names of this machine that everybody may reach the port by; a page that has its own name lead here may not.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

type Service = StreamableHttpService<McpServer, LocalSessionManager>;

/// MCP's port.
pub struct McpPort {
    port: Port,
    config: McpConfig,
}

impl McpPort {
    /// Binds the port that a home's settings name; none where they name none.
    ///
    /// # Errors
    /// `mcp.listen` where the system refuses; `tls.files`.
    pub async fn bind(home: &Home, config: &McpConfig) -> Result<Option<Self>, Problem> {
        let Some(address) = config.listen else { return Ok(None) };
        let risk = "MCP is served without encryption to whoever can reach this address";
        let port = Port::bind(home, "mcp", Protocol::Http, address, config.tls.as_ref(), risk).await?;
        if let Some(client) = &config.anonymous {
            tracing::warn!(%address, "whoever reaches the MCP port without a token acts as client:{client}");
        }
        Ok(Some(Self { port, config: config.clone() }))
    }

    /// Where MCP is found.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.port.url())
    }

    /// Serves until this is dropped.
    pub async fn serve(self, home: Home, host: Arc<Host>) {
        let door = Arc::new(Door {
            home,
            host,
            rate: Rate::new(&self.config.rate),
            config: self.config,
            desks: Mutex::default(),
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
        });
        let router = Router::new().route("/mcp", any(enter)).fallback(no_such_route).with_state(door);
        self.port.serve(CONNECTIONS_MAX, LIFETIME_MAX, router).await;
    }
}

/// Who stands at the port and says which client comes.
struct Door {
    home: Home,
    host: Arc<Host>,
    config: McpConfig,
    rate: Rate,
    /// One for each client that ever came: a session of one is unknown to all others. As many as there are tokens' names.
    desks: Mutex<BTreeMap<String, Desk>>,
    places: Arc<Semaphore>,
}

/// Where one client is served.
#[derive(Clone)]
struct Desk {
    service: Service,
    sessions: Arc<LocalSessionManager>,
}

impl Door {
    /// The client that a request is of.
    fn client(&self, request: &Request) -> Result<String, Refusal> {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
        match identify(&self.home, request.headers(), &peer).map_err(|error| locked(&error))? {
            Identity::Client(client) => Ok(client),
            Identity::Nobody => self.config.anonymous.clone().ok_or_else(unauthorized),
            Identity::Unknown => Err(unauthorized()),
        }
    }

    fn desk(&self, client: &str) -> Desk {
        let make = || {
            let (host, name): (_, Arc<str>) = (self.host.clone(), client.into());
            let server = move || Ok(McpServer::new(host.clone(), name.clone()));
            let sessions = Arc::<LocalSessionManager>::default();
            Desk { service: StreamableHttpService::new(server, sessions.clone(), self.terms()), sessions }
        };
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.entry(client.to_owned()).or_insert_with(make).clone()
    }

    fn terms(&self) -> StreamableHttpServerConfig {
        let mut terms = StreamableHttpServerConfig::default().enforce_origin_validation();
        terms.allowed_hosts =
            LOOPBACK.map(str::to_owned).into_iter().chain(self.config.hosts.iter().cloned()).collect();
        terms.allowed_origins = self.config.origins.clone();
        terms.max_request_body_bytes = REQUEST_BYTES_MAX;
        terms
    }
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Refusal> {
    let client = door.client(&request)?;
    door.rate.take(&client)?;
    let Ok(place) = door.places.clone().try_acquire_owned() else {
        return Err(busy(format!("{REQUESTS_MAX} requests are under way")));
    };
    let desk = door.desk(&client);
    if !request.headers().contains_key(SESSION) && desk.sessions.sessions.read().await.len() >= SESSIONS_MAX {
        return Err(busy(format!("client:{client} has {SESSIONS_MAX} sessions open")));
    }
    let Ok(answer) = desk.service.oneshot(request).await;
    // The place is given back when the whole answer has gone, which a stream's may take long.
    let answer = answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    });
    refused(answer).await
}

/// An answer of the protocol's as it is; an error below it, which is only text, as a problem.
async fn refused(answer: Response) -> Result<Response, Refusal> {
    let (parts, body) = answer.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let of_protocol = ["application/json", "text/event-stream"].iter().any(|known| kind.starts_with(known));
    if of_protocol || !(parts.status.is_client_error() || parts.status.is_server_error()) {
        return Ok(Response::from_parts(parts, body));
    }
    let said = axum::body::to_bytes(body, REASON_BYTES_MAX).await.unwrap_or_default();
    let next = "Send what the Model Context Protocol says of streamable HTTP.";
    let refusal = Refusal::new(parts.status, "mcp.request", String::from_utf8_lossy(&said).trim(), next);
    let allow = parts.headers.get(header::ALLOW).cloned();
    Err(match allow {
        Some(methods) => refusal.with(header::ALLOW, methods),
        None => refusal,
    })
}

fn busy(message: String) -> Refusal {
    Problem::new(ProblemKind::Limit, "mcp.busy", message, "Ask again in a moment.").into()
}

async fn no_such_route(uri: Uri) -> Refusal {
    let message = format!("this port has nothing at `{}`", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, "request.route", message, "There is /mcp.")
}
