//! Making a connection: over HTTP, or to a program in the sandbox.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientCacheConfig, ClientLifecycleMode, ClientServiceExt, NotificationContext, RunningService};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use rmcp::{ClientHandler, RoleClient};
use tokio::sync::{Notify, watch};

use super::ServerError;
use super::config::{Reach, ServerConfig};
use super::guard::{End, Ending, Flood, Guarded, Lines};
use super::mask::Mask;
use super::program::{LastWords, limits, view};
use crate::capabilities::{Secrets, fill, names_secret};
use crate::catalog::plain;
use crate::sandbox::{Hold, Sandbox};

/// How long it may take until a server has said who it is.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// How long it may take until a server accepts a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Bytes of a message besides the answer in it. An answer is there twice, as text and structured, and as text in text.
const MESSAGE_ROOM: usize = 1024 * 1024;
/// Longest reason that is told, bytes.
const REASON_SIZE_MAX: usize = 2048;

/// A connection.
pub(super) struct Link {
    pub service: RunningService<RoleClient, Ears>,
    /// Why it ended, once it has.
    pub ended: watch::Receiver<Option<End>>,
    /// Secrets of this server.
    pub mask: Mask,
    said: LastWords,
    _hold: Option<Hold>,
}

impl Link {
    /// Why it ended, with what the program said last.
    pub fn end(&self) -> ServerError {
        let why = self.ended.borrow().map(|end| end.to_string()).unwrap_or_default();
        ServerError::Ended(format!("{why}{}", self.said.told(&self.mask)))
    }
}

/// Hears what a server tells without being asked.
pub(super) struct Ears {
    wake: Arc<Notify>,
}

impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        // Nothing that a server could ask for.
        let client = Implementation::new("wasmill", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), client)
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.wake.notify_one();
    }
}

/// Connects to a server, and hears who it is.
///
/// # Errors
/// Why it can't be reached now.
pub(super) async fn connect(config: &ServerConfig, secrets: &Secrets, wake: &Arc<Notify>) -> Result<Link, ServerError> {
    let (ending, ended) = watch::channel(None);
    let message_bytes = config.answer_bytes.saturating_mul(4).saturating_add(MESSAGE_ROOM);
    let mut mask = Mask::default();
    let said = LastWords::default();
    match &config.reach {
        Reach::Http { url, headers } => {
            let headers = filled_headers(headers, secrets, &mut mask)?;
            let inner = over_http(url, headers, message_bytes)?;
            let service = greet(guarded(inner, ending, &mask), wake, &said, &mask).await?;
            Ok(Link { service, ended, mask, said, _hold: None })
        }
        Reach::Program(program) => {
            let view = view(program, secrets, &mut mask)?;
            let sandbox = tokio::task::spawn_blocking(Sandbox::find).await;
            let sandbox = sandbox.map_err(|error| ServerError::Client(error.to_string()))??;
            let inside = sandbox.start(&view, &program.command, &limits(program)).await?;
            tokio::spawn(said.clone().listen(inside.stderr));
            let lines = Lines { inner: inside.stdout, ending: ending.clone(), most: message_bytes, line: 0 };
            // The guard has ended a longer line before the library would throw it away and go on.
            let inner = AsyncRwTransport::new_client(lines, inside.stdin).with_max_line_length(message_bytes + 1);
            let service = greet(guarded(inner, ending, &mask), wake, &said, &mask).await?;
            Ok(Link { service, ended, mask, said, _hold: Some(inside.hold) })
        }
    }
}

fn guarded<T>(inner: T, ending: Ending, mask: &Mask) -> Guarded<T> {
    Guarded { inner, ending, mask: mask.clone(), flood: Flood::default() }
}

async fn greet<T: Transport<RoleClient> + 'static>(
    transport: Guarded<T>,
    wake: &Arc<Notify>,
    said: &LastWords,
    mask: &Mask,
) -> Result<RunningService<RoleClient, Ears>, ServerError> {
    let ears = Ears { wake: wake.clone() };
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    let greeting = tokio::time::timeout(HANDSHAKE_MAX, ears.serve_with_lifecycle(transport, lifecycle)).await;
    let silent = |_| ServerError::Silent { what: "the first question", within: HANDSHAKE_MAX };
    let service = greeting
        .map_err(silent)?
        .map_err(|error| ServerError::Reach(format!("{}{}", reason(&error, mask), said.told(mask))))?;
    // A list is asked for to see what it is now.
    service.peer().set_response_cache_config(ClientCacheConfig::disabled()).await;
    Ok(service)
}

/// An error with its causes, in one bounded line without secrets.
pub(super) fn reason(error: &dyn std::error::Error, mask: &Mask) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    plain(&mask.text(text), REASON_SIZE_MAX)
}

fn over_http(
    url: &Url,
    headers: HashMap<HeaderName, HeaderValue>,
    message_bytes: usize,
) -> Result<StreamableHttpClientTransport<reqwest::Client>, ServerError> {
    // No redirects: headers with secrets go where host.toml says. No idle connections: a server that was started again
    // has forgotten them.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_MAX)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("wasmill/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| ServerError::Client(error.to_string()))?;
    let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
        .custom_headers(headers)
        .max_sse_event_size(message_bytes)
        .max_json_response_size(message_bytes)
        .max_error_response_size(REASON_SIZE_MAX);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

fn filled_headers(
    headers: &BTreeMap<String, String>,
    secrets: &Secrets,
    mask: &mut Mask,
) -> Result<HashMap<HeaderName, HeaderValue>, ServerError> {
    let mut all = HashMap::new();
    for (name, text) in headers {
        let wrong = || ServerError::Value(name.clone());
        let mut value = HeaderValue::from_str(&filled(text, secrets, mask)?).map_err(|_| wrong())?;
        value.set_sensitive(names_secret(text));
        all.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(all)
}

pub(super) fn filled(text: &str, secrets: &Secrets, mask: &mut Mask) -> Result<String, ServerError> {
    let used = std::cell::RefCell::new(Vec::new());
    let filled = fill(text, |name| {
        let value = secrets.get(name).ok_or_else(|| ServerError::Secret(name.to_owned()))?;
        used.borrow_mut().push(value.clone());
        Ok::<_, ServerError>(value)
    })?;
    used.into_inner().iter().for_each(|value| mask.add(value));
    Ok(filled)
}
