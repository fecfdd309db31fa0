//! Calling tools: for agents, for other tools, for clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::call::end_of_call;
use super::component::{Tool, ToolFunction};
use super::instance::new_store;
use super::load::Catalog;
use crate::capabilities::{AuditEvent, CallContext, Caller, Guest, Invocation, ToolCalls, check, errors, problem};
use crate::permissions::{Action, PrincipalKind};
use crate::runtime::RuntimeError;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::tools as wit;

/// Largest arguments, bytes.
const ARGUMENTS_SIZE_MAX: usize = 16 * 1024 * 1024;

/// Runs tool calls against what the catalog holds at that moment.
pub struct Toolbox {
    catalog: Arc<Catalog>,
}

impl Toolbox {
    /// A toolbox over a catalog.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }

    fn find(&self, reference: &str) -> Result<Arc<Tool>, Error> {
        let snapshot = self.catalog.snapshot();
        if let Some(tool) = snapshot.tool(reference) {
            return Ok(tool.clone());
        }
        if let Some(waiting) = snapshot.waiting.iter().find(|w| w.is(reference)) {
            let name = &waiting.component;
            return Err(errors::unavailable(
                "tool.waiting",
                format!("{name} waits for an admin's approval"),
                format!("see `wasmill approval show {name}`"),
            ));
        }
        if let Some(refused) = snapshot.refused.iter().find(|r| r.is(reference)) {
            return Err(errors::unavailable(
                "tool.refused",
                format!("{} was not loaded: {}", refused.component, refused.reason),
                "",
            ));
        }
        Err(errors::not_found("tool.unknown", format!("there is no tool `{reference}`"), "see `wasmill tool list`"))
    }

    async fn run(&self, tool: &Tool, context: CallContext, function: &str, arguments: &str) -> Result<String, Error> {
        let identity = &tool.identity;
        let deadline = context.deadline;
        let guest = Guest::new(identity.clone(), self.catalog.services().clone(), context, None);
        let mut store = new_store(self.catalog.engine(), guest);
        let call = async {
            let instance = tool.pre.instantiate_async(&mut store).await?;
            instance.wasmill_plugin_tool().call_call(&mut store, function, arguments).await
        };
        let answer = match tokio::time::timeout_at(deadline.into(), call).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(error)) => {
                let ended = RuntimeError::from_call(&error, store.data_mut().limiter().refused());
                tracing::debug!(target: "guest", component = %identity.component, "{error:?}");
                return Err(end_of_call(identity, &ended));
            }
            Err(_) => return Err(end_of_call(identity, &RuntimeError::Limit(crate::runtime::LimitKind::Deadline))),
        };
        if answer.len() > identity.grant.limits().output_bytes() {
            return Err(end_of_call(identity, &RuntimeError::Limit(crate::runtime::LimitKind::Output)));
        }
        // Only reads through it: whoever wants the value parses it.
        serde_json::from_str::<serde::de::IgnoredAny>(&answer).map_err(|e| {
            errors::failed("tool.answer", format!("{} answered what is not JSON: {e}", identity.component), "")
        })?;
        Ok(answer)
    }
}

fn checked_arguments(tool: &Tool, function: &ToolFunction, arguments: &str) -> Result<(), Error> {
    let name = format!("{}.{}", tool.identity.component, function.function.name);
    let invalid = |message: String| {
        errors::invalid("tool.arguments", message, format!("see `wasmill tool show {}`", tool.manifest.name))
    };
    if arguments.len() > ARGUMENTS_SIZE_MAX {
        return Err(invalid(format!("the arguments for {name} have over {ARGUMENTS_SIZE_MAX} bytes")));
    }
    let value: serde_json::Value =
        serde_json::from_str(arguments).map_err(|e| invalid(format!("the arguments for {name} are not JSON: {e}")))?;
    function.arguments.validate(&value).map_err(|e| {
        let at = e.instance_path().to_string();
        let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
        invalid(format!("the arguments for {name} do not fit its schema{at}: {e}"))
    })
}

/// The context of a call below `caller`'s.
fn context_below(caller: &CallContext, tool: &Tool) -> CallContext {
    let limits = tool.identity.grant.limits();
    CallContext {
        depth_left: (caller.depth_left - 1).min(limits.call_depth()),
        deadline: caller.deadline.min(Instant::now() + limits.deadline()),
        traceparent: caller.traceparent.clone(),
    }
}

#[async_trait]
impl ToolCalls for Toolbox {
    fn list(&self, caller: &Caller) -> Vec<wit::Tool> {
        let grant = &caller.identity.grant;
        let snapshot = self.catalog.snapshot();
        let callable = snapshot.newest_tools().filter(|t| grant.check(Action::ToolCall(&t.manifest.name)).is_allowed());
        callable
            .map(|tool| wit::Tool {
                name: tool.manifest.name.clone(),
                version: tool.manifest.version.to_string(),
                digest: tool.identity.digest.clone(),
                functions: tool.functions.iter().map(|f| f.function.clone()).collect(),
            })
            .collect()
    }

    async fn call(&self, caller: &Caller, invocation: Invocation) -> Result<String, Error> {
        let Invocation { tool: reference, function, arguments } = invocation;
        let name = reference.split('@').next().unwrap_or(&reference);
        let services = self.catalog.services();
        check(&caller.identity, services, Action::ToolCall(name))?;
        if caller.context.depth_left == 0 {
            return Err(errors::limit(
                "tool.depth",
                format!("{} may not call tools any deeper", caller.identity.component),
                "call fewer tools from tools, or raise call_depth in the row of the first caller",
            ));
        }
        let started = Instant::now();
        let outcome = async {
            let tool = self.find(&reference)?;
            let found = tool.function(&function).ok_or_else(|| {
                let known = tool.functions.iter().map(|f| f.function.name.as_str()).collect::<Vec<_>>().join(", ");
                errors::not_found(
                    "tool.function",
                    format!("{reference} has no function `{function}`"),
                    format!("it has: {known}"),
                )
            })?;
            checked_arguments(&tool, found, &arguments)?;
            self.run(&tool, context_below(&caller.context, &tool), &function, &arguments).await
        }
        .await;
        self.trace(caller, &reference, &function, &outcome, started.elapsed());
        outcome
    }
}

impl Toolbox {
    /// Failures and what comes from outside go to the audit trail; successful calls by components are too many for it.
    fn trace(&self, caller: &Caller, tool: &str, function: &str, outcome: &Result<String, Error>, took: Duration) {
        let principal = &caller.identity.principal;
        let (decision, detail) = match outcome {
            Ok(_) if principal.kind() != PrincipalKind::Client => return,
            Ok(_) => ("allowed", format!("{} µs", took.as_micros())),
            Err(error) => ("failed", problem(error).message),
        };
        self.catalog.services().audit.record(AuditEvent {
            principal: principal.to_string(),
            action: format!("call {tool} {function}"),
            decision,
            detail,
        });
    }
}
