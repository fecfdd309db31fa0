//! One other server: its calls, and what is known of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rmcp::ServiceError;
use rmcp::model::{CallToolRequestParams, JsonObject};
use rmcp::service::ServerSink;
use tokio::sync::{Notify, Semaphore, watch};

use super::ServerError;
use super::answer;
use super::config::ServerConfig;
use super::connect::{Link, reason};
use super::mask::Mask;
use crate::capabilities::{Secrets, errors};
use crate::catalog::{Answered, Offer, Offered, RemoteTool};
use crate::runtime::bindings::errors::Error;

/// Calls of one server at the same time; further ones wait, within their deadline.
const CALLS_AT_ONCE: usize = 16;

/// A server, connected or not.
pub(super) struct Server {
    pub config: ServerConfig,
    pub secrets: Secrets,
    /// Somebody wants the list to be read again: it changed, or a call was not answered.
    pub wake: Arc<Notify>,
    /// True once it was tried to reach it.
    pub tried: watch::Sender<bool>,
    changes: watch::Sender<u64>,
    state: Mutex<State>,
    turns: Semaphore,
}

#[derive(Default)]
struct State {
    /// The open connection.
    sink: Option<(ServerSink, Mask)>,
    offered: Option<Arc<Offered>>,
    /// Why it can't be reached: code and reason.
    away: Option<(&'static str, String)>,
}

impl Server {
    pub fn new(config: ServerConfig, secrets: Secrets, changes: watch::Sender<u64>) -> Self {
        let (turns, tried) = (Semaphore::new(CALLS_AT_ONCE), watch::channel(false).0);
        Self { config, secrets, wake: Arc::default(), tried, changes, state: Mutex::default(), turns }
    }

    /// Name of its tools.
    pub fn tool(&self) -> String {
        format!("mcp.{}", self.config.name)
    }

    pub fn offer(self: &Arc<Self>) -> Offer {
        let state = self.state();
        let away = || state.away.clone().unwrap_or(("mcp.away", "it is being connected".to_owned()));
        Offer { name: self.tool(), offered: state.offered.clone().ok_or_else(away), answers: self.clone() }
    }

    /// It answers, and offers this.
    pub fn found(&self, link: &Link, offered: Offered, left_out: &[String]) {
        let is_new = {
            let mut state = self.state();
            state.sink = Some((link.service.peer().clone(), link.mask.clone()));
            let came_back = state.away.take().is_some();
            let old = state.offered.as_ref().map(|old| (&old.version, &old.digest));
            let is_new = old != Some((&offered.version, &offered.digest));
            if is_new {
                state.offered = Some(Arc::new(offered));
            }
            if is_new || came_back {
                let tools = state.offered.as_ref().map_or(0, |offered| offered.functions.len());
                tracing::info!(server = self.config.name, tools, "the MCP server is connected");
            }
            is_new
        };
        if is_new {
            for reason in left_out {
                tracing::warn!(server = self.config.name, "a tool of the MCP server is left out: {reason}");
            }
            self.changes.send_modify(|change| *change += 1);
        }
        self.tried.send_replace(true);
    }

    /// It does not answer.
    pub fn lost(&self, error: &ServerError) {
        let (code, next) = (error.code(), error.next());
        let why = (code, format!("{error}; {next}"));
        let (is_new, changes) = {
            let mut state = self.state();
            state.sink = None;
            let is_new = state.away.as_ref() != Some(&why);
            state.away = Some(why);
            let taken_back = error.takes_back() && state.offered.take().is_some();
            (is_new, taken_back || (is_new && state.offered.is_none()))
        };
        if changes {
            self.changes.send_modify(|change| *change += 1);
        }
        // Once, not at each try.
        if is_new {
            tracing::warn!(server = self.config.name, code, "the MCP server is away: {error}");
        }
        self.tried.send_replace(true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole values are put in: a poisoned lock is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self, why: &str) -> Error {
        let message = format!("the MCP server `{}` does not answer: {why}", self.config.name);
        errors::unavailable("mcp.away", message, "Try again in some seconds: it is connected again by itself.")
    }

    async fn ask(&self, function: &str, arguments: JsonObject) -> Answered {
        let (sink, mask) = {
            let state = self.state();
            let why = || state.away.as_ref().map_or("it is being connected", |(_, why)| why).to_owned();
            state.sink.clone().ok_or_else(why)
        }
        .map_err(|why| self.away(&why))?;
        let _turn = self.turns.acquire().await.map_err(|error| self.away(&error.to_string()))?;
        let mut suspicion = Suspicion(Some(&self.wake));
        let params = CallToolRequestParams::new(function.to_owned()).with_arguments(arguments);
        match sink.call_tool_once(params).await {
            Ok(response) => {
                suspicion.0 = None;
                answer::of(response, self.config.answer_bytes)
            }
            Err(ServiceError::McpError(error)) => {
                suspicion.0 = None;
                answer::refusal(&error)
            }
            Err(error) => Err(self.away(&reason(&error, &mask))),
        }
    }
}

#[async_trait]
impl RemoteTool for Server {
    async fn call(&self, function: &str, arguments: &str) -> Answered {
        let arguments: JsonObject = serde_json::from_str(arguments)
            .map_err(|error| errors::invalid("tool.arguments", format!("arguments are an object: {error}"), ""))?;
        let asked = tokio::time::timeout(self.config.timeout, self.ask(function, arguments)).await;
        asked.unwrap_or_else(|_| {
            let (name, limit) = (&self.config.name, self.config.timeout.as_millis());
            let message = format!("the MCP server `{name}` gave no answer within {limit} ms");
            let next = "Try again later, ask for less, or raise `timeout_ms` of this server in host.toml.";
            Err(errors::unavailable("mcp.timeout", message, next))
        })
    }
}

/// A call that ends without an answer, or is given up, has somebody look whether the server is still there.
struct Suspicion<'a>(Option<&'a Notify>);

impl Drop for Suspicion<'_> {
    fn drop(&mut self) {
        if let Some(wake) = self.0 {
            wake.notify_one();
        }
    }
}
