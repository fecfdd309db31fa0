//! An agent that another one has started, as it is written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmill_registry::{check_component_name, check_topic_name};

use super::below;
use crate::capabilities::errors;
use crate::runtime::bindings::agents::AgentSpec;
use crate::runtime::bindings::errors::Error;

/// Most topics that one agent reads.
const READS_MAX: usize = 64;
/// Most settings.
const SETTINGS_MAX: usize = 64;
/// Most bytes of all settings together.
const SETTINGS_SIZE_MAX: usize = 16 * 1024;

/// An agent that another one has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// Name of the agent that has started it.
    pub maker: String,
    /// Name of its component.
    pub component: String,
    /// Topics that it reads.
    pub reads: Vec<String>,
    /// What it gets from `config`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl Started {
    /// What an agent wants to start, with its full name, where such a thing can be.
    ///
    /// # Errors
    /// `invalid`
    pub(super) fn checked(maker: &str, wanted: AgentSpec) -> Result<(String, Self), Error> {
        let AgentSpec { name, component, reads, settings } = wanted;
        let invalid = |code: &str, message: String| Err(errors::invalid(code, message, ""));
        if name.contains('.') {
            return invalid("agents.name", format!("`{}` has a dot", name.chars().take(80).collect::<String>()));
        }
        let name = below(maker, &name);
        for given in [&name, &component] {
            if let Err(error) = check_component_name(given) {
                return invalid("agents.name", error.to_string());
            }
        }
        if reads.is_empty() || reads.len() > READS_MAX {
            return invalid("agents.reads", format!("an agent reads 1 to {READS_MAX} topics"));
        }
        if let Some(error) = reads.iter().find_map(|topic| check_topic_name(topic).err()) {
            return invalid("agents.reads", error.to_string());
        }
        let size: usize = settings.iter().map(|(key, value)| key.len() + value.len()).sum();
        if settings.len() > SETTINGS_MAX || size > SETTINGS_SIZE_MAX {
            let most = format!("at most {SETTINGS_MAX} settings with {SETTINGS_SIZE_MAX} bytes together");
            return invalid("agents.settings", most);
        }
        let settings = settings.into_iter().collect();
        Ok((name, Self { maker: maker.to_owned(), component, reads, settings }))
    }

    /// As its maker sees it.
    pub(super) fn to_guest(&self, name: &str) -> AgentSpec {
        AgentSpec {
            name: name.rsplit('.').next().unwrap_or(name).to_owned(),
            component: self.component.clone(),
            reads: self.reads.clone(),
            settings: self.settings.clone().into_iter().collect(),
        }
    }

    /// True where somebody else than this host could not have written it under this name.
    pub(super) fn belongs_under(&self, name: &str) -> bool {
        let fits = name.rsplit_once('.').is_some_and(|(maker, _)| maker == self.maker);
        fits && check_component_name(name).is_ok()
    }
}
