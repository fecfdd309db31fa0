//! Components that may run.

use std::sync::Arc;

use wasmill_registry::{Agent as AgentSection, Manifest};

use super::answer::plain;
use super::health::Health;
use super::remote::RemoteTool;
use crate::capabilities::{Guest, Identity, errors};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::tool_types::Function;
use crate::runtime::bindings::{AgentComponentPre, ToolComponentPre};
use crate::schemas::{Misfit, Schema};

/// Largest arguments, bytes.
const ARGUMENTS_SIZE_MAX: usize = 16 * 1024 * 1024;
/// Longest text on what doesn't fit a schema, bytes; it quotes the arguments.
const MISFIT_SIZE_MAX: usize = 1024;

/// Largest answer that is held against its schema, bytes.
const FITTED_SIZE_MAX: usize = 256 * 1024;

/// A tool that may be called.
#[derive(Clone)]
pub struct Tool {
    /// Who it is and what it may do.
    pub identity: Arc<Identity>,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// Its functions, as it described them at load.
    pub functions: Arc<[ToolFunction]>,
    /// What answers its calls.
    pub body: Body,
    /// How its last calls ended; goes on where the same version is loaded again.
    pub(super) health: Arc<Health>,
}

/// What answers the calls of a tool.
#[derive(Clone)]
pub enum Body {
    /// A component, compiled and linked: a fresh instance for each call.
    Component(ToolComponentPre<Guest>),
    /// A program outside of this host.
    Remote(Arc<dyn RemoteTool>),
}

/// One function of a tool, and the check of its arguments.
#[derive(Clone)]
pub struct ToolFunction {
    /// Name, description and schemas.
    pub function: Function,
    /// Compiled input schema.
    pub arguments: Arc<Schema>,
    /// Compiled output schema.
    pub result: Arc<Schema>,
}

impl ToolFunction {
    /// Checks arguments: JSON that the input schema accepts.
    ///
    /// # Errors
    /// `invalid` with the place that doesn't fit.
    pub fn check(&self, tool: &Tool, arguments: &str) -> Result<(), Error> {
        let name = format!("{}.{}", tool.identity.component, self.function.name);
        let next = format!("see `wasmill tool show {}`", tool.manifest.name);
        let invalid = |message: String| errors::invalid("tool.arguments", message, next.clone());
        if arguments.len() > ARGUMENTS_SIZE_MAX {
            return Err(invalid(format!("the arguments for {name} have over {ARGUMENTS_SIZE_MAX} bytes")));
        }
        let value: serde_json::Value = serde_json::from_str(arguments)
            .map_err(|e| invalid(format!("the arguments for {name} are not JSON: {e}")))?;
        self.arguments.check(&value, arguments.len()).map_err(|misfit| match misfit {
            Misfit::Costly => {
                invalid(format!("to hold the arguments for {name} against its schema could take for ever"))
            }
            Misfit::Wrong { at, what } => {
                let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
                let what = plain(&what, MISFIT_SIZE_MAX);
                invalid(format!("the arguments for {name} do not fit its schema{at}: {what}"))
            }
        })
    }
}

impl ToolFunction {
    /// True for an answer that the output schema accepts. One of over 256 KiB is not looked at, which would take longer than
    /// most calls do, nor one for which the schema could take for ever.
    pub(super) fn fits(&self, answer: &str) -> bool {
        answer.len() > FITTED_SIZE_MAX
            || serde_json::from_str(answer).is_ok_and(|value: serde_json::Value| {
                !matches!(self.result.check(&value, answer.len()), Err(Misfit::Wrong { .. }))
            })
    }
}

impl Tool {
    /// A function by name.
    pub fn function(&self, name: &str) -> Option<&ToolFunction> {
        self.functions.iter().find(|f| f.function.name == name)
    }
}

/// An agent that may run.
pub struct Agent {
    /// Who it is and what it may do.
    pub identity: Arc<Identity>,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// The agent that has started it; none for an installed one.
    pub maker: Option<Arc<Identity>>,
    /// How it takes part in streams: the manifest's section, which every agent has.
    pub section: AgentSection,
    /// Compiled and linked.
    pub pre: AgentComponentPre<Guest>,
}
