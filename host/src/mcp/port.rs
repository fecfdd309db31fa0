//! The port that MCP clients come in by: `/mcp`, with a bearer token.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::BodyExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::server::McpServer;
use crate::gateway::{Bounded, bearer, bind, locked, unauthorized};
use crate::home::{Home, HomeError, McpConfig};
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
/// Names of this machine that everybody may reach the port by; a page that has its own name lead here may not.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

type Service = StreamableHttpService<McpServer, LocalSessionManager>;

/// A bound port. From this moment connections wait; they are answered once it is served.
#[derive(Debug)]
pub struct McpPort {
    listener: TcpListener,
    address: SocketAddr,
    config: McpConfig,
}

impl McpPort {
    /// Binds a port; 0 lets the system choose one.
    ///
    /// # Errors
    /// `mcp.listen` where the system refuses.
    pub async fn bind(address: SocketAddr, config: &McpConfig) -> Result<Self, Problem> {
        let risk = "MCP is served without encryption to whoever can reach this address";
        let (listener, address) = bind("mcp", address, risk).await?;
        if let Some(client) = &config.anonymous {
            tracing::warn!(%address, "whoever reaches the MCP port without a token acts as client:{client}");
        }
        Ok(Self { listener, address, config: config.clone() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until this is dropped.
    pub async fn serve(self, home: Home, host: Arc<Host>) {
        let address = self.address;
        let door = Arc::new(Door {
            home,
            host,
            config: self.config,
            desks: Mutex::default(),
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
        });
        let router = Router::new()
            .route("/mcp", any(enter))
            .fallback(async || (StatusCode::NOT_FOUND, "there is /mcp\n"))
            .with_state(door);
        if let Err(error) = axum::serve(Bounded::new(self.listener, CONNECTIONS_MAX, LIFETIME_MAX), router).await {
            tracing::error!(%address, "MCP is not served any more: {error}");
        }
    }
}

/// Who stands at the port and says which client comes.
struct Door {
    home: Home,
    host: Arc<Host>,
    config: McpConfig,
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
    /// The client that a request is of; none where it has no token that counts now.
    fn client(&self, headers: &HeaderMap) -> Result<Option<String>, HomeError> {
        match bearer(headers) {
            None => Ok(self.config.anonymous.clone()),
            Some(token) => Ok(self.home.tokens()?.client(token, OffsetDateTime::now_utc()).map(str::to_owned)),
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

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let client = match door.client(request.headers()) {
        Ok(Some(client)) => client,
        Ok(None) => return unauthorized(),
        Err(error) => {
            return locked(&error);
        }
    };
    let Ok(place) = door.places.clone().try_acquire_owned() else {
        return busy(format!("{REQUESTS_MAX} requests are under way"));
    };
    let desk = door.desk(&client);
    if !request.headers().contains_key(SESSION) && desk.sessions.sessions.read().await.len() >= SESSIONS_MAX {
        return busy(format!("client:{client} has {SESSIONS_MAX} sessions open"));
    }
    let Ok(answer) = desk.service.oneshot(request).await;
    // The place is given back when the whole answer has gone, which a stream's may take long.
    answer.map(|body| {
        axum::body::Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}

fn busy(message: String) -> Response {
    Problem::new(ProblemKind::Limit, "mcp.busy", message, "Ask again in a moment.").into_response()
}
