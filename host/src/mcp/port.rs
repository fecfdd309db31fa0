//! The port that MCP clients come in by: `/mcp`, with a bearer token.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
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
use crate::home::{Home, McpConfig};
use crate::host::Host;
use crate::problem::{Problem, ProblemKind};

/// Most requests under way at once, streams that wait for changes included; more are told to come back.
const REQUESTS_MAX: usize = 256;
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
        let refused = |error: std::io::Error| {
            let message = format!("can't listen at {address} for MCP: {error}");
            Problem::new(ProblemKind::Failed, "mcp.listen", message, "Set another `mcp.listen` in host.toml.")
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "MCP is served without encryption to whoever can reach this address");
        }
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
            services: Mutex::default(),
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
        });
        let router = Router::new()
            .route("/mcp", any(enter))
            .fallback(async || (StatusCode::NOT_FOUND, "there is /mcp\n"))
            .with_state(door);
        if let Err(error) = axum::serve(self.listener, router).await {
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
    services: Mutex<BTreeMap<String, Service>>,
    places: Arc<Semaphore>,
}

impl Door {
    /// The client that a request is of.
    fn client(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let Some(token) = bearer(headers) else {
            return self.config.anonymous.clone().ok_or_else(|| {
                let next = "Send `Authorization: Bearer …` with a token made by `wasmill token new NAME`.";
                Problem::new(ProblemKind::Denied, "mcp.token", "no token came with the request", next)
            });
        };
        let tokens = self.home.tokens()?;
        tokens.client(token, OffsetDateTime::now_utc()).map(str::to_owned).ok_or_else(|| {
            let next = "Ask whoever runs this host for one: `wasmill token new NAME`.";
            Problem::new(ProblemKind::Denied, "mcp.token", "the token is unknown, or has expired", next)
        })
    }

    fn service(&self, client: &str) -> Service {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let (host, name): (_, Arc<str>) = (self.host.clone(), client.into());
            let server = move || Ok(McpServer::new(host.clone(), name.clone()));
            StreamableHttpService::new(server, Arc::default(), self.terms())
        };
        services.entry(client.to_owned()).or_insert_with(make).clone()
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    let client = match door.client(request.headers()) {
        Ok(client) => client,
        Err(problem) if problem.code == "mcp.token" => {
            let mut answer = problem.into_response();
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
            return answer;
        }
        Err(problem) => return problem.into_response(),
    };
    let Ok(place) = door.places.clone().try_acquire_owned() else {
        let message = format!("{REQUESTS_MAX} requests are under way");
        return Problem::new(ProblemKind::Limit, "mcp.busy", message, "Ask again in a moment.").into_response();
    };
    let Ok(answer) = door.service(&client).oneshot(request).await;
    // The place is given back when the whole answer has gone, which a stream's may take long.
    answer.map(|body| {
        axum::body::Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}
