//! What somebody tries to do.

use std::fmt;

use serde::Serialize;

use super::column::Column;

/// One thing that needs a permission. Names are concrete: a star here is a star in the name, not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// Read a topic.
    TopicRead(&'a str),
    /// Write to a topic.
    TopicWrite(&'a str),
    /// Create a topic.
    TopicCreate(&'a str),
    /// Call a tool: `name`, which is every version of it, or `name@version`.
    ToolCall(&'a str),
    /// Send an HTTP request.
    Http {
        /// Host name, with `:port` where it isn't the scheme's own; without user name and password.
        host: &'a str,
        /// Method in capitals.
        method: &'a str,
    },
    /// Ask a language model, by its name.
    Model(&'a str),
    /// Have a secret put into an HTTP request.
    Secret(&'a str),
    /// Have the forge build source of a language.
    Forge(&'a str),
    /// Keep durable state.
    State,
    /// See the running clock.
    Clock,
    /// Set timers, and have a schedule.
    Timers,
    /// Start an agent, by the name of its component without version.
    AgentStart(&'a str),
    /// Work on the host at its gateway, by the word of a duty.
    Host(&'a str),
}

impl<'a> Action<'a> {
    /// The column that decides.
    pub fn column(self) -> Column {
        match self {
            Self::TopicRead(_) => Column::TopicsRead,
            Self::TopicWrite(_) => Column::TopicsWrite,
            Self::TopicCreate(_) => Column::TopicsCreate,
            Self::ToolCall(_) => Column::Tools,
            Self::Http { .. } => Column::Http,
            Self::Model(_) => Column::Model,
            Self::Secret(_) => Column::Secrets,
            Self::Forge(_) => Column::Forge,
            Self::State => Column::State,
            Self::Clock => Column::Clock,
            Self::Timers => Column::Timers,
            Self::AgentStart(_) => Column::Agents,
            Self::Host(_) => Column::Host,
        }
    }

    /// The name that the column's patterns are held against; the host for HTTP, empty for what has no names.
    pub fn name(self) -> &'a str {
        match self {
            Self::TopicRead(name)
            | Self::TopicWrite(name)
            | Self::TopicCreate(name)
            | Self::ToolCall(name)
            | Self::Model(name)
            | Self::Secret(name)
            | Self::Forge(name)
            | Self::AgentStart(name)
            | Self::Host(name)
            | Self::Http { host: name, .. } => name,
            Self::State | Self::Clock | Self::Timers => "",
        }
    }

    /// The action in a column, as a person names it: `topics.write` and `payments`, `http` and `GET api.example.com`.
    ///
    /// # Errors
    /// What is missing, as a sentence.
    pub fn parse(column: Column, name: Option<&'a str>) -> Result<Self, String> {
        let needed = || {
            name.filter(|n| !n.is_empty()).ok_or_else(|| format!("{column} needs a name, for example `{column} NAME`"))
        };
        Ok(match column {
            Column::TopicsRead => Self::TopicRead(needed()?),
            Column::TopicsWrite => Self::TopicWrite(needed()?),
            Column::TopicsCreate => Self::TopicCreate(needed()?),
            Column::Tools => Self::ToolCall(needed()?),
            Column::Http => match needed()?.split_once(' ') {
                Some((method, host)) => Self::Http { host, method },
                None => Self::Http { host: needed()?, method: "GET" },
            },
            Column::Model => Self::Model(needed()?),
            Column::Secrets => Self::Secret(needed()?),
            Column::Forge => Self::Forge(needed()?),
            Column::State => Self::State,
            Column::Clock => Self::Clock,
            Column::Timers => Self::Timers,
            Column::Agents => Self::AgentStart(needed()?),
            Column::Host => Self::Host(needed()?),
        })
    }

    /// The action that [`Action`]'s text stands for; none where it is no such text.
    pub fn of_text(text: &'a str) -> Option<Self> {
        let after = |verb: &str| text.strip_prefix(verb).filter(|name| !name.is_empty());
        Some(match text {
            "keep state" => Self::State,
            "see the running clock" => Self::Clock,
            "set timers" => Self::Timers,
            _ => {
                if let Some(name) = after("read topic ") {
                    Self::TopicRead(name)
                } else if let Some(name) = after("write topic ") {
                    Self::TopicWrite(name)
                } else if let Some(name) = after("create topic ") {
                    Self::TopicCreate(name)
                } else if let Some(name) = after("call tool ") {
                    Self::ToolCall(name)
                } else if let Some(name) = after("ask model ") {
                    Self::Model(name)
                } else if let Some(name) = after("use secret ") {
                    Self::Secret(name)
                } else if let Some(name) = after("have the forge build ") {
                    Self::Forge(name)
                } else if let Some(name) = after("start agent ") {
                    Self::AgentStart(name)
                } else if let Some((method, host)) = after("send ").and_then(|rest| rest.split_once(" requests to ")) {
                    Self::Http { host, method }
                } else {
                    Self::Host(text.strip_suffix(" on this host")?)
                }
            }
        })
    }

    /// What one would write into a row, or into a manifest, to allow exactly this.
    pub fn as_toml(self) -> String {
        match self {
            Self::Http { host, method } => format!("http = [{{ host = {host:?}, methods = [{method:?}] }}]"),
            Self::State | Self::Clock | Self::Timers => format!("{} = true", self.column()),
            _ => format!("{} = [{:?}]", self.column(), self.name()),
        }
    }
}

impl fmt::Display for Action<'_> {
    /// A verb with its object: what comes after "may" or "may not".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopicRead(name) => write!(f, "read topic {name}"),
            Self::TopicWrite(name) => write!(f, "write topic {name}"),
            Self::TopicCreate(name) => write!(f, "create topic {name}"),
            Self::ToolCall(name) => write!(f, "call tool {name}"),
            Self::Http { host, method } => write!(f, "send {method} requests to {host}"),
            Self::Model(name) => write!(f, "ask model {name}"),
            Self::Secret(name) => write!(f, "use secret {name}"),
            Self::Forge(name) => write!(f, "have the forge build {name}"),
            Self::State => f.write_str("keep state"),
            Self::Clock => f.write_str("see the running clock"),
            Self::Timers => f.write_str("set timers"),
            Self::AgentStart(name) => write!(f, "start agent {name}"),
            Self::Host(duty) => write!(f, "{duty} on this host"),
        }
    }
}

/// An action that outlives the call it came from, for denials and audit rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Attempt {
    /// The column that decides.
    pub column: Column,
    /// Name of what was tried; the host for HTTP.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

impl Attempt {
    /// The action again.
    pub fn action(&self) -> Action<'_> {
        let name = self.name.as_str();
        match self.column {
            Column::TopicsRead => Action::TopicRead(name),
            Column::TopicsWrite => Action::TopicWrite(name),
            Column::TopicsCreate => Action::TopicCreate(name),
            Column::Tools => Action::ToolCall(name),
            Column::Http => Action::Http { host: name, method: self.method.as_deref().unwrap_or_default() },
            Column::Model => Action::Model(name),
            Column::Secrets => Action::Secret(name),
            Column::Forge => Action::Forge(name),
            Column::State => Action::State,
            Column::Clock => Action::Clock,
            Column::Timers => Action::Timers,
            Column::Agents => Action::AgentStart(name),
            Column::Host => Action::Host(name),
        }
    }
}

impl From<Action<'_>> for Attempt {
    fn from(action: Action<'_>) -> Self {
        let method = match action {
            Action::Http { method, .. } => Some(method.to_string()),
            _ => None,
        };
        Self { column: action.column(), name: action.name().to_string(), method }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_again_in_its_text() {
        for action in [
            Action::TopicRead("a b"),
            Action::TopicWrite("t"),
            Action::TopicCreate("t"),
            Action::ToolCall("t"),
            Action::Http { host: "api.example.com:8443", method: "GET" },
            Action::Model("m/n"),
            Action::Secret("S"),
            Action::Forge("rust"),
            Action::State,
            Action::Clock,
            Action::Timers,
            Action::AgentStart("a"),
            Action::Host("read"),
        ] {
            assert_eq!(Action::of_text(&action.to_string()), Some(action));
        }
        for nothing in ["", "load a@1.0.0", "read topic ", "send GET"] {
            assert_eq!(Action::of_text(nothing), None, "{nothing}");
        }
    }
}
