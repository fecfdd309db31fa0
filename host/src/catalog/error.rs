//! Why a component can't be loaded.

use crate::advisories::Touched;
use crate::home::HomeError;
use crate::runtime::RuntimeError;
use crate::store::StoreError;

/// Errors of loading. Each has a stable code, see [`CatalogError::code`].
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The registry can't be read.
    #[error(transparent)]
    Layout(#[from] wasmill_registry::LayoutError),
    /// The trust roots can't be read.
    #[error("the trust roots at `{path}` can't be used: {reason}")]
    Trust {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It was forged for somebody who can't be found out.
    #[error("nobody can say for whom it was made: {0}")]
    Maker(String),
    /// An agent that another one has started can't work now.
    #[error("agent `{name}` can't work: {reason}")]
    Started {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Its name is that of something else.
    #[error("the name `{0}` belongs to an MCP server of host.toml; rename one of both")]
    Taken(String),
    /// The runtime refuses it.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// It is text, and what runs it isn't installed, or isn't believed.
    #[error("{component} is run by an engine that is not here: {engine}; install it, see `wasmill plugin install`")]
    Engine {
        /// `name@version`.
        component: String,
        /// SHA-256 of the engine's component.
        engine: String,
    },
    /// The source of a script is wrong.
    #[error("{component} is no tool: {message}{}", place(*.line, *.column))]
    Source {
        /// `name@version`.
        component: String,
        /// What is wrong.
        message: String,
        /// Line, from 1; 0 where it has no place.
        line: u32,
        /// Column, from 1; 0 where it has no place.
        column: u32,
    },
    /// It doesn't describe itself as a tool must.
    #[error("{component} does not describe itself as a tool must: {reason}")]
    Describe {
        /// `name@version`.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// A version that somebody asks for is not there any more.
    #[error("version {digest} of {name} can't run: {reason}; install and allow it again, or go on without it")]
    Gone {
        /// Name.
        name: String,
        /// SHA-256 of the component.
        digest: String,
        /// Why.
        reason: String,
    },
    /// An admin has warned of it, or of what it is made of.
    #[error("{component} is quarantined by advisory {} ({}): {}; {}; {}", .touched.id, .touched.severity, .touched.reason, .touched.because, next(.touched))]
    Quarantined {
        /// `name@version`.
        component: String,
        /// By what.
        touched: Box<Touched>,
    },
    /// The advisories can't be read, so that nobody knows what must not run.
    #[error("the advisories can't be read: {0}")]
    Advisories(HomeError),
    /// The approvals can't be read.
    #[error("the approvals can't be read: {0}")]
    Store(#[from] StoreError),
}

/// What to do about something that is quarantined.
fn next(touched: &Touched) -> String {
    let id = &touched.id;
    match touched.rebuild {
        true => format!(
            "where it can be built again a new version comes by itself, else make or install one that `wasmill advisory list` does not name under {id}"
        ),
        false => {
            format!("install a version that {id} does not touch; an admin ends it by `wasmill advisory remove {id}`")
        }
    }
}

fn place(line: u32, column: u32) -> String {
    if line == 0 { String::new() } else { format!(" (line {line}, column {column})") }
}

impl CatalogError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Layout(error) => error.code(),
            Self::Trust { .. } => "trust.invalid",
            Self::Maker(_) => "component.maker",
            Self::Started { .. } => "agent.started",
            Self::Taken(_) => "component.taken",
            Self::Runtime(error) => error.code(),
            Self::Engine { .. } => "component.engine",
            Self::Source { .. } => "component.source",
            Self::Describe { .. } => "component.describe",
            Self::Gone { .. } => "component.gone",
            Self::Quarantined { .. } => "component.quarantined",
            Self::Advisories(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
