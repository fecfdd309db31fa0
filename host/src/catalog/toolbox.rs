//! Calling tools: for agents, for other tools, for clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::component::Tool;
use super::load::Catalog;
use crate::capabilities::{Caller, Invocation, Services, ToolCalls, check, count, errors, problem};
use crate::meters::FlowKind;
use crate::permissions::{Action, PrincipalKind, Rate};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::tools as wit;
use crate::store::{AuditEntry, today};
use crate::telemetry::{About, Span, SpanKind, Work};

/// Runs tool calls against what the catalog holds at that moment.
pub struct Toolbox {
    catalog: Arc<Catalog>,
    services: Arc<Services>,
}

impl Toolbox {
    /// A toolbox over a catalog.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let services = catalog.services().clone();
        Self { catalog, services }
    }

    /// The same for a shadow run: tools are listed, and a call that is allowed gets no further.
    pub fn beside(catalog: Arc<Catalog>, services: Arc<Services>) -> Self {
        Self { catalog, services }
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
}

#[async_trait]
impl ToolCalls for Toolbox {
    fn list(&self, caller: &Caller) -> Vec<wit::Tool> {
        let grant = &caller.identity.grant;
        let snapshot = self.catalog.snapshot();
        snapshot
            .tools_for(grant)
            .map(|tool| wit::Tool {
                name: tool.manifest.name.clone(),
                version: tool.manifest.version.to_string(),
                digest: tool.identity.digest.clone(),
                functions: tool.functions.iter().map(|f| f.function.clone()).collect(),
            })
            .collect()
    }

    async fn call(&self, caller: &Caller, invocation: Invocation) -> Result<String, Error> {
        let mut span = self.services.telemetry.below(&caller.context.traceparent, || about(&invocation));
        let mut work = Work { traceparent: Some(span.traceparent().clone()), ..Work::current() };
        work.tool = Some(invocation.tool.as_str().into());
        let outcome = work.scope(self.called(caller, invocation, &span)).await;
        if let Err(error) = &outcome {
            span.fail(&problem(error).code);
        }
        outcome
    }
}

/// A call, by OpenTelemetry's conventions for tools of generative models. What it is called with is nobody's business.
fn about(invocation: &Invocation) -> About {
    About::new(format!("execute_tool {}", invocation.tool), SpanKind::Internal)
        .with("gen_ai.operation.name", "execute_tool")
        .with("gen_ai.tool.name", invocation.tool.clone())
        .with("wasmill.tool.function", invocation.function.clone())
}

impl Toolbox {
    /// What a caller may call: what it has named, or the version that its rows pin the name to.
    fn permitted(&self, caller: &Caller, reference: String) -> Result<String, Error> {
        let grant = &caller.identity.grant;
        if !reference.contains('@')
            && !grant.check(Action::ToolCall(&reference)).is_allowed()
            && let Some(pinned) = self.catalog.snapshot().tool_for(grant, &reference)
        {
            return Ok(pinned.identity.component.to_string());
        }
        check(&caller.identity, &self.services, Action::ToolCall(&reference)).map(|()| reference)
    }

    async fn called(&self, caller: &Caller, invocation: Invocation, span: &Span) -> Result<String, Error> {
        let Invocation { tool: reference, function, arguments } = invocation;
        let services = &self.services;
        let refused = |_: &Error| services.meters.refuse_call();
        let reference = self.permitted(caller, reference).inspect_err(refused)?;
        services.leave()?;
        count(&caller.identity, services, Rate::ToolCalls, 1).inspect_err(refused)?;
        // Calls that end at once never wait: without this, thousands of them would hold up every other task of the thread.
        tokio::task::coop::consume_budget().await;
        let _under_way = caller.context.enter(&caller.identity).inspect_err(refused)?;
        let started = Instant::now();
        let mut meter = None;
        let outcome = async {
            let tool = self.find(&reference).inspect_err(refused)?;
            meter = Some(services.meters.tools.get(&tool.manifest.name));
            if tool.maker.is_some() {
                self.catalog.uses().note(&tool.manifest.name, today());
            }
            let principal = caller.identity.principal.as_str();
            services.meters.flows.add(principal, FlowKind::Calls, &tool.manifest.name, 1);
            let found = tool.function(&function).ok_or_else(|| {
                let known = tool.functions.iter().map(|f| f.function.name.as_str()).collect::<Vec<_>>().join(", ");
                errors::not_found(
                    "tool.function",
                    format!("{reference} has no function `{function}`"),
                    format!("it has: {known}"),
                )
            })?;
            found.check(&tool, &arguments)?;
            let mut context = caller.context.below(&tool.identity);
            context.traceparent = span.traceparent().clone();
            let ran = self.catalog.run(services, &tool, context, found, &arguments).await;
            self.catalog.note_end(&tool, &caller.identity.principal, ran.failed);
            ran.result
        }
        .await;
        if let Some(meter) = meter {
            meter.called(started.elapsed(), outcome.as_ref().err().map(|error| problem(error).kind));
        }
        self.trace(caller, &reference, &function, &outcome, started.elapsed());
        outcome
    }

    /// Failures and what comes from outside go to the audit trail; successful calls by components are too many for it.
    fn trace(&self, caller: &Caller, tool: &str, function: &str, outcome: &Result<String, Error>, took: Duration) {
        let principal = &caller.identity.principal;
        let (decision, detail) = match outcome {
            Ok(_) if principal.kind() != PrincipalKind::Client => return,
            Ok(_) => ("allowed", format!("{} µs", took.as_micros())),
            Err(error) => ("failed", problem(error).message),
        };
        let action = format!("call {tool} {function}");
        self.services.audit.record(AuditEntry::now(principal.to_string(), action, decision, detail));
    }
}
