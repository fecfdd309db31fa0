//! What is installed at one moment. Readers keep the snapshot they began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;
use wasmill_registry::Permissions;

use super::component::{Agent, Tool};
use super::engine::{Engines, ScriptEngine};
use super::error::CatalogError;
use super::quarantine::Quarantined;
use super::rollback::RolledBack;
use crate::permissions::{Action, Grant};

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
    /// Those of them that an advisory touches.
    pub quarantined: Vec<Quarantined>,
    /// Callable versions of tools that fail, and that plain names therefore don't reach, by name and version.
    pub rolled_back: BTreeMap<String, BTreeMap<Version, RolledBack>>,
    /// What plain names reach where that is not the newest version.
    pub(super) instead: BTreeMap<String, Version>,
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

    /// The callable tool that `name` (the newest version that wasn't taken back) or `name@version` means.
    pub fn tool(&self, reference: &str) -> Option<&Arc<Tool>> {
        match reference.split_once('@') {
            None => {
                let versions = self.tools.get(reference)?;
                let instead = self.instead.get(reference).and_then(|version| versions.get(version));
                instead.or_else(|| versions.last_key_value().map(|(_, tool)| tool))
            }
            Some((name, version)) => self.tools.get(name)?.get(&Version::parse(version).ok()?),
        }
    }

    /// The tool that a caller reaches by a plain name: what all do, or the version that its rows name. Of several that they
    /// name the newest that wasn't taken back.
    pub fn tool_for(&self, grant: &Grant, name: &str) -> Option<&Arc<Tool>> {
        if grant.check(Action::ToolCall(name)).is_allowed() {
            return self.tool(name);
        }
        let pinned = |tool: &&Arc<Tool>| grant.check(Action::ToolCall(&tool.identity.component)).is_allowed();
        let pinned: Vec<&Arc<Tool>> = self.tools.get(name)?.values().rev().filter(pinned).collect();
        let fails = |tool: &Tool| self.rolled_back_of(tool).is_some();
        pinned.iter().find(|tool| !fails(tool)).or(pinned.first()).copied()
    }

    /// That a version was taken back, where it was.
    pub fn rolled_back_of(&self, tool: &Tool) -> Option<&RolledBack> {
        self.rolled_back.get(&tool.manifest.name)?.get(&tool.manifest.version)
    }

    /// The newest engine of a language.
    pub fn engine_of(&self, language: &str) -> Option<&Arc<ScriptEngine>> {
        self.engines.values().filter(|engine| engine.language == language).max_by(|a, b| a.version.cmp(&b.version))
    }

    /// Each callable tool in the version that its plain name reaches, by name.
    pub fn current_tools(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.keys().filter_map(|name| self.tool(name))
    }

    /// Each tool that a caller may call, in the version that it reaches by the plain name, by name.
    pub fn tools_for(&self, grant: &Grant) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.keys().filter_map(|name| self.tool_for(grant, name))
    }
}
