//! What is installed at one moment. Readers keep the snapshot they began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;
use wasmill_registry::Permissions;

use super::component::{Agent, Tool};
use super::engine::{Engines, ScriptEngine};
use super::error::CatalogError;

/// All components, by what becomes of them.
#[derive(Default)]
pub struct Snapshot {
    /// Callable tools by name and version.
    pub tools: BTreeMap<String, BTreeMap<Version, Arc<Tool>>>,
    /// Agents that run, by name; of several versions the newest.
    pub agents: BTreeMap<String, Arc<Agent>>,
    /// Engines that run tools which are text, by the digest of their component.
    pub engines: Engines,
    /// Those that wait for an admin.
    pub waiting: Vec<Waiting>,
    /// Those that can't be loaded.
    pub refused: Vec<Refused>,
}

/// A component that waits for an admin.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Waiting {
    /// `name@version`.
    pub component: String,
    /// `tool` or `agent`.
    pub kind: wasmill_registry::Kind,
    /// SHA-256 of the component.
    pub digest: String,
    /// SHA-256 of its manifest.
    pub manifest_digest: String,
    /// Who had it forged; none for a published one.
    pub maker: Option<String>,
    /// What it would be allowed; an approval is given for exactly this.
    pub permissions: Permissions,
    /// The privileged columns among them.
    pub privileged: Vec<String>,
    /// Revision of the permission file.
    pub revision: String,
}

/// A component that can't be loaded.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Refused {
    /// `name@version`.
    pub component: String,
    /// Stable identifier of the reason.
    pub code: &'static str,
    /// Why, and what to do.
    pub reason: String,
}

impl Waiting {
    /// True where `reference` (`name` or `name@version`) means this one.
    pub fn is(&self, reference: &str) -> bool {
        refers(reference, &self.component)
    }
}

impl Refused {
    /// True where `reference` (`name` or `name@version`) means this one.
    pub fn is(&self, reference: &str) -> bool {
        refers(reference, &self.component)
    }
}

fn refers(reference: &str, component: &str) -> bool {
    // Of an MCP server that was never reached nobody knows the version.
    let name_of = |text: &str| text.split_once('@').map(|(name, _)| name.to_owned());
    reference == component
        || name_of(component).as_deref() == Some(reference)
        || (!component.contains('@') && name_of(reference).as_deref() == Some(component))
}

impl Snapshot {
    /// Notes, and says in the log, that a component can't be loaded.
    pub(super) fn refuse(&mut self, component: String, error: &CatalogError) {
        tracing::warn!(%component, code = error.code(), "not loaded: {error}");
        self.refused.push(Refused { component, code: error.code(), reason: error.to_string() });
    }

    /// The callable tool that `name` (the newest version) or `name@version` means.
    pub fn tool(&self, reference: &str) -> Option<&Arc<Tool>> {
        match reference.split_once('@') {
            None => self.tools.get(reference)?.last_key_value().map(|(_, tool)| tool),
            Some((name, version)) => self.tools.get(name)?.get(&Version::parse(version).ok()?),
        }
    }

    /// The newest engine of a language.
    pub fn engine_of(&self, language: &str) -> Option<&Arc<ScriptEngine>> {
        self.engines.values().filter(|engine| engine.language == language).max_by(|a, b| a.version.cmp(&b.version))
    }

    /// The newest version of each callable tool, by name.
    pub fn newest_tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.values().filter_map(|versions| versions.last_key_value().map(|(_, tool)| tool))
    }
}
