//! Trying a component that is not installed: described and called as the finished one would be.

use std::time::Instant;

use wasmill_registry::Manifest;

use super::component::Tool;
use super::error::CatalogError;
use super::load::Catalog;
use crate::capabilities::{CallContext, errors, new_traceparent};
use crate::permissions::{Grant, Principal};
use crate::runtime::bindings::errors::Error;

/// The answer to one call.
pub struct Tried {
    /// The result as JSON text, or why there is none.
    pub result: Result<String, Error>,
    /// How long it took, microseconds.
    pub micros: u64,
    /// Linear memory at the end of the call, bytes.
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
        self.load_tool(component, manifest, grant, Some(maker.principal().to_string())).await
    }

    /// Calls a prepared tool in a fresh instance. It may call no other tools: its try-out has no effects.
    pub async fn try_call(&self, tool: &Tool, function: &str, arguments: &str) -> Tried {
        let context = CallContext { depth_left: 0, ..CallContext::begin(&tool.identity, new_traceparent()) };
        let began = Instant::now();
        let (result, memory_bytes) = match tool.function(function) {
            Some(found) => match found.check(tool, arguments) {
                Ok(()) => self.run_fresh(tool, context, function, arguments).await,
                Err(error) => (Err(error), 0),
            },
            None => (Err(errors::not_found("tool.function", format!("there is no function `{function}`"), "")), 0),
        };
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Tried { result, micros, memory_bytes }
    }
}
