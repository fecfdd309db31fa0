//! The second stage's tools: where a source becomes a component.

use std::sync::Arc;

use wasmill_registry::{Digest, Script};

use super::compile::Workshop;
use super::request::Language;

/// An engine that may run here, as the forge needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// `name@version`.
    pub component: String,
    /// SHA-256 of its component.
    pub digest: Digest,
}

/// Where one source is built.
pub(super) enum Bench {
    /// A compiler in the sandbox.
    Sandbox(Arc<Workshop>),
    /// Nowhere: the engine runs the source as it is.
    Engine(EngineFacts),
}

impl Bench {
    /// What the tool's manifest says of it.
    pub fn script(&self) -> Option<Script> {
        match self {
            Self::Sandbox(_) => None,
            Self::Engine(engine) => Some(Script { engine: engine.digest }),
        }
    }
}

impl Language {
    /// True where sources are run as they are, by an engine.
    pub fn is_script(self) -> bool {
        match self {
            Self::Rust => false,
            Self::JavaScript => true,
        }
    }
}
