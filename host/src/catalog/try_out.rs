//! Trying a component that is not installed: described and called as the finished one would be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmill_registry::{Manifest, Permissions};

use super::component::{Agent, Tool};
use super::error::CatalogError;
use super::load::{Catalog, Settings};
use crate::capabilities::{CallContext, Identity, Services, errors};
use crate::meters::on_cpu;
use crate::permissions::{Grant, Principal};
use crate::runtime::bindings::errors::Error;
use crate::telemetry::new_traceparent;

/// The answer to one call.
pub struct Tried {
    /// The result as JSON text, or why there is none.
    pub result: Result<String, Error>,
    /// How long it took, microseconds.
    pub micros: u64,
    /// CPU time of it, with what the host does for it, microseconds.
    pub cpu_micros: u64,
    /// Linear memory at the end of the call, which never shrinks, bytes.
    pub memory_bytes: u64,
}

impl Catalog {
    /// Loads a tool that is not installed, with the grant it would have below its maker, and no approval.
    ///
    /// # Errors
    /// As at the load of an installed one: imports, world, description.
    pub async fn prepare(&self, component: &[u8], manifest: &Manifest, maker: &Grant) -> Result<Tool, CatalogError> {
        let matrix = self.matrix().current();
        let principal = Principal::tool(&manifest.name);
        let wanted = Some(&manifest.permissions);
        let grant = matrix.grant(&principal, wanted, Some(&manifest.limits), Some(maker));
        let (maker, settings) = (Some(maker.principal().to_string()), self.settings(manifest));
        self.load_tool(component, manifest, grant, maker, settings, &self.snapshot().engines).await
    }

    /// A prepared tool that reaches nothing beyond its instance: nothing is granted but a running clock, where the tool asks
    /// for it, since without it whoever waits for time to pass waits for ever. What is denied leaves no trace.
    pub fn closed(&self, tool: &Tool, maker: &Grant) -> Tool {
        let manifest = &tool.manifest;
        let wanted = Permissions { clock: manifest.permissions.clock, ..Permissions::default() };
        let grant = self.matrix().current().grant(
            &Principal::tool(&manifest.name),
            Some(&wanted),
            Some(&manifest.limits),
            Some(maker),
        );
        let identity = Arc::new(Identity { grant, is_heard: false, ..Identity::clone(&tool.identity) });
        Tool { identity, ..tool.clone() }
    }

    /// Loads a tool that nobody has signed yet, for its author's eyes: with the grant that the matrix would give it.
    ///
    /// # Errors
    /// As at the load of an installed one: imports, world, description.
    pub async fn unsigned_tool(
        &self,
        component: &[u8],
        manifest: &Manifest,
        settings: Settings,
    ) -> Result<Tool, CatalogError> {
        let grant = self.unsigned_grant(Principal::tool(&manifest.name), manifest);
        self.load_tool(component, manifest, grant, None, settings, &self.snapshot().engines).await
    }

    /// The same for an agent.
    ///
    /// # Errors
    /// As at the load of an installed one: imports, world.
    pub fn unsigned_agent(
        &self,
        component: &[u8],
        manifest: &Manifest,
        settings: Settings,
    ) -> Result<Agent, CatalogError> {
        let grant = self.unsigned_grant(Principal::agent(&manifest.name), manifest);
        self.load_agent(component, manifest, grant, settings)
    }

    fn unsigned_grant(&self, principal: Principal, manifest: &Manifest) -> Grant {
        self.matrix().current().grant(&principal, Some(&manifest.permissions), Some(&manifest.limits), None)
    }

    /// Calls a prepared tool in a fresh instance. It may call no other tools: its try-out has no effects.
    pub async fn try_call(&self, tool: &Tool, function: &str, arguments: &str) -> Tried {
        let mut context = CallContext::begin(&tool.identity, new_traceparent());
        context.depth_left = 0;
        self.try_with(self.services(), tool, context, function, arguments).await
    }

    /// The same in a shadow run, at a moment (milliseconds since 1970): what it asks of the outside ends there.
    pub async fn try_beside(
        &self,
        services: &Arc<Services>,
        tool: &Tool,
        (function, arguments): (&str, &str),
        clock_ms: u64,
    ) -> Tried {
        let mut context = CallContext::begin(&tool.identity, new_traceparent());
        context.clock_ms = Some(clock_ms);
        self.try_with(services, tool, context, function, arguments).await
    }

    async fn try_with(
        &self,
        services: &Arc<Services>,
        tool: &Tool,
        context: CallContext,
        function: &str,
        arguments: &str,
    ) -> Tried {
        let (began, spent) = (Instant::now(), AtomicU64::new(0));
        let call = async {
            match tool.function(function) {
                Some(found) => match found.check(tool, arguments) {
                    Ok(()) => {
                        let ran = self.run(services, tool, context, found, arguments).await;
                        (ran.result, ran.memory_bytes)
                    }
                    Err(error) => (Err(error), 0),
                },
                None => (Err(errors::not_found("tool.function", format!("there is no function `{function}`"), "")), 0),
            }
        };
        let spend = |more: Duration| {
            spent.fetch_add(u64::try_from(more.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        let (result, memory_bytes) = on_cpu(spend, call).await;
        let cpu_micros = spent.into_inner().div_ceil(1_000);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Tried { result, micros, cpu_micros, memory_bytes }
    }
}
