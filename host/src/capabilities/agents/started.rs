//! An agent that somebody has started, as it is written down.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use wasmill_registry::{check_component_name, check_topic_name};

use super::below;
use crate::capabilities::errors;
use crate::permissions::{Principal, PrincipalKind};
use crate::runtime::bindings::agents::AgentSpec;
use crate::runtime::bindings::errors::Error;

/// Most topics that one agent reads.
const READS_MAX: usize = 64;
/// Most settings.
const SETTINGS_MAX: usize = 64;
/// Most bytes of all settings together.
const SETTINGS_SIZE_MAX: usize = 16 * 1024;

/// Who has started an agent: `NAME`, an agent, or `client:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(into = "String", from = "String")]
#[schemars(with = "String")]
pub enum Maker {
    /// An agent.
    Agent(String),
    /// A client of the gateway.
    Client(String),
}

/// What a client's name has before it.
const CLIENT: &str = "client:";

impl Maker {
    /// The maker that a principal is; none for those that start nothing.
    pub fn of(principal: &Principal) -> Option<Self> {
        let name = principal.name().to_owned();
        match principal.kind() {
            PrincipalKind::Agent => Some(Self::Agent(name)),
            PrincipalKind::Client => Some(Self::Client(name)),
            _ => None,
        }
    }

    /// What the names of its agents begin with.
    pub fn name(&self) -> &str {
        match self {
            Self::Agent(name) | Self::Client(name) => name,
        }
    }
}

impl From<String> for Maker {
    fn from(text: String) -> Self {
        match text.strip_prefix(CLIENT) {
            Some(name) => Self::Client(name.to_owned()),
            None => Self::Agent(text),
        }
    }
}

impl From<Maker> for String {
    fn from(maker: Maker) -> Self {
        maker.to_string()
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(name) => f.write_str(name),
            Self::Client(name) => write!(f, "{CLIENT}{name}"),
        }
    }
}

/// An agent that somebody has started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// Who has started it.
    pub maker: Maker,
    /// Name of its component.
    pub component: String,
    /// Topics that it reads.
    pub reads: Vec<String>,
    /// What it gets from `config`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl Started {
    /// What somebody wants to start, with its full name, where such a thing can be.
    ///
    /// # Errors
    /// `invalid`
    pub(super) fn checked(maker: Maker, wanted: AgentSpec) -> Result<(String, Self), Error> {
        let AgentSpec { name, component, reads, settings } = wanted;
        let invalid = |code: &str, message: String| Err(errors::invalid(code, message, ""));
        if name.contains('.') {
            return invalid("agents.name", format!("`{}` has a dot", name.chars().take(80).collect::<String>()));
        }
        let name = below(maker.name(), &name);
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
        Ok((name, Self { maker, component, reads, settings }))
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
        let fits = name.rsplit_once('.').is_some_and(|(maker, _)| maker == self.maker.name());
        fits && check_component_name(name).is_ok()
    }
}
