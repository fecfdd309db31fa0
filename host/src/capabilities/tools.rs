//! `tools`: calling other tools.
//!
//! The permission check, the depth and the deadline are enforced by whoever runs the call, since agents, tools and
//! clients all come through there; nothing here could forget them.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;

use super::ask::Terms;
use super::context::CallContext;
use super::errors;
use super::guest::{Guest, Identity};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::tools::{Host, Invocation as WitInvocation, Tool};

/// Most calls of one `call-all`.
const CALLS_MAX: usize = 64;
/// Most of them under way at once.
const CALLS_AT_ONCE: usize = 16;

/// Who calls.
#[derive(Clone)]
pub struct Caller {
    /// Identity with its grant.
    pub identity: Arc<Identity>,
    /// Depth, deadline and trace of the call that this one is part of.
    pub context: CallContext,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// `name` or `name@version`.
    pub tool: String,
    /// Function.
    pub function: String,
    /// Arguments as JSON text.
    pub arguments: String,
}

/// Runs tool calls.
#[async_trait]
pub trait ToolCalls: Send + Sync {
    /// The tools that the caller may call, sorted by name.
    fn list(&self, caller: &Caller) -> Vec<Tool>;

    /// Checks the caller's grant, depth and deadline, runs the call in a fresh instance, and leaves a trace of it.
    async fn call(&self, caller: &Caller, invocation: Invocation) -> Result<String, Error>;
}

impl Guest {
    fn tool_calls(&self) -> Result<Arc<dyn ToolCalls>, Error> {
        self.services()
            .tools()
            .ok_or_else(|| errors::unavailable("tools.stopping", "the host is starting or stopping", "try again later"))
    }

    /// One call in its place in the order of calls.
    fn call_tool<'a>(
        &mut self,
        invocation: &'a WitInvocation,
    ) -> impl Future<Output = Result<String, Error>> + Send + use<'a> {
        let place = self.place();
        let (tools, identity, context) = (self.tool_calls(), self.identity().clone(), self.context().clone());
        let shown = format!("{}.{} {}", invocation.tool, invocation.function, invocation.arguments);
        let call = move |terms: Terms| async move {
            let caller = Caller { identity, context: context.asking(terms.key, terms.deadline) };
            tools?.call(&caller, invocation.clone().into()).await
        };
        self.ask(place, "tool", invocation, shown, call)
    }
}

impl Host for Guest {
    async fn list_tools(&mut self) -> Result<Vec<Tool>, Error> {
        let caller = Caller { identity: self.identity().clone(), context: self.context().clone() };
        self.reading("tools", |guest| Ok(guest.tool_calls()?.list(&caller)))
    }

    async fn call(&mut self, invocation: WitInvocation) -> Result<String, Error> {
        self.call_tool(&invocation).await
    }

    async fn call_all(&mut self, invocations: Vec<WitInvocation>) -> Result<Vec<Result<String, Error>>, Error> {
        if invocations.len() > CALLS_MAX {
            return Err(errors::limit(
                "tools.calls",
                format!("{} calls at once, over the limit of {CALLS_MAX}", invocations.len()),
                "call in parts",
            ));
        }
        // A step for each: what is answered when the host dies stays answered.
        let calls: Vec<_> = invocations.iter().map(|invocation| self.call_tool(invocation)).collect();
        Ok(futures::stream::iter(calls).buffered(CALLS_AT_ONCE).collect().await)
    }
}

impl From<WitInvocation> for Invocation {
    fn from(wit: WitInvocation) -> Self {
        Self { tool: wit.tool, function: wit.function, arguments: wit.arguments }
    }
}
