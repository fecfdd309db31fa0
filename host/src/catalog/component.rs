//! Components that may run.

use std::sync::Arc;

use jsonschema::Validator;
use wasmill_registry::{Agent as AgentSection, Manifest};

use crate::capabilities::{Guest, Identity};
use crate::runtime::bindings::tool_types::Function;
use crate::runtime::bindings::{AgentComponentPre, ToolComponentPre};

/// A tool that may be called.
pub struct Tool {
    /// Who it is and what it may do.
    pub identity: Arc<Identity>,
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// Its functions, as it described them at load.
    pub functions: Vec<ToolFunction>,
    /// Compiled and linked.
    pub pre: ToolComponentPre<Guest>,
}

/// One function of a tool, and the check of its arguments.
#[derive(Clone)]
pub struct ToolFunction {
    /// Name, description and schemas.
    pub function: Function,
    /// Compiled input schema.
    pub arguments: Arc<Validator>,
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
    /// How it takes part in streams: the manifest's section, which every agent has.
    pub section: AgentSection,
    /// Compiled and linked.
    pub pre: AgentComponentPre<Guest>,
}
