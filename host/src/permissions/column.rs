//! The columns of the matrix: the kinds of things that can be allowed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use wasmill_registry::Permissions;

/// One column. Its word is the key in a row, and what `privileged` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Column {
    /// Reading topics.
    TopicsRead,
    /// Writing topics.
    TopicsWrite,
    /// Creating topics.
    TopicsCreate,
    /// Calling tools.
    Tools,
    /// HTTP requests, by host and method.
    Http,
    /// Asking language models.
    Model,
    /// Having secrets put into HTTP requests.
    Secrets,
    /// Having the forge build, by language.
    Forge,
    /// Keeping durable state.
    State,
    /// Seeing the running clock.
    Clock,
    /// Setting timers, and having a schedule.
    Timers,
    /// Starting agents, by component.
    Agents,
    /// Working on the host at its gateway, by duty.
    Host,
}

impl Column {
    /// All columns, in the order of the grid.
    pub const ALL: [Self; 13] = [
        Self::TopicsRead,
        Self::TopicsWrite,
        Self::TopicsCreate,
        Self::Tools,
        Self::Http,
        Self::Model,
        Self::Secrets,
        Self::Forge,
        Self::State,
        Self::Clock,
        Self::Timers,
        Self::Agents,
        Self::Host,
    ];

    /// The key in a row.
    pub fn word(self) -> &'static str {
        match self {
            Self::TopicsRead => "topics.read",
            Self::TopicsWrite => "topics.write",
            Self::TopicsCreate => "topics.create",
            Self::Tools => "tools",
            Self::Http => "http",
            Self::Model => "model",
            Self::Secrets => "secrets",
            Self::Forge => "forge",
            Self::State => "state",
            Self::Clock => "clock",
            Self::Timers => "timers",
            Self::Agents => "agents",
            Self::Host => "host",
        }
    }

    /// The column with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.word() == word)
    }

    /// The patterns of names in this column; none for those that are no lists of names.
    pub(super) fn names(self, permissions: &Permissions) -> Option<&Vec<String>> {
        match self {
            Self::TopicsRead => Some(&permissions.topics.read),
            Self::TopicsWrite => Some(&permissions.topics.write),
            Self::TopicsCreate => Some(&permissions.topics.create),
            Self::Tools => Some(&permissions.tools),
            Self::Model => Some(&permissions.model),
            Self::Secrets => Some(&permissions.secrets),
            Self::Forge => Some(&permissions.forge),
            Self::Agents => Some(&permissions.agents),
            Self::Host => Some(&permissions.host),
            Self::Http | Self::State | Self::Clock | Self::Timers => None,
        }
    }

    /// The same, to change.
    pub(super) fn names_mut(self, permissions: &mut Permissions) -> Option<&mut Vec<String>> {
        match self {
            Self::TopicsRead => Some(&mut permissions.topics.read),
            Self::TopicsWrite => Some(&mut permissions.topics.write),
            Self::TopicsCreate => Some(&mut permissions.topics.create),
            Self::Tools => Some(&mut permissions.tools),
            Self::Model => Some(&mut permissions.model),
            Self::Secrets => Some(&mut permissions.secrets),
            Self::Forge => Some(&mut permissions.forge),
            Self::Agents => Some(&mut permissions.agents),
            Self::Host => Some(&mut permissions.host),
            Self::Http | Self::State | Self::Clock | Self::Timers => None,
        }
    }

    /// What a set of permissions holds in this column, one text per entry.
    pub fn cell(self, permissions: &Permissions) -> Vec<String> {
        let flag = |on: bool| if on { vec!["yes".to_string()] } else { Vec::new() };
        match self {
            Self::Http => permissions.http.iter().map(|r| format!("{} {}", r.methods.join(","), r.host)).collect(),
            Self::State => flag(permissions.state),
            Self::Clock => flag(permissions.clock),
            Self::Timers => flag(permissions.timers),
            _ => self.names(permissions).cloned().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl schemars::JsonSchema for Column {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words = Self::ALL.map(Self::word);
        schemars::json_schema!({ "type": "string", "enum": words, "description": "A column of the matrix." })
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| de::Error::custom(format!("`{word}` is no column")))
    }
}

/// A set of columns, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, schemars::JsonSchema)]
#[schemars(with = "Vec<Column>")]
pub struct Columns(u16);

impl Columns {
    /// True where the column is in the set.
    pub fn contains(self, column: Column) -> bool {
        self.0 & (1 << column as u8) != 0
    }

    /// Adds a column.
    pub fn insert(&mut self, column: Column) {
        self.0 |= 1 << column as u8;
    }

    /// True where no column is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The columns of both sets.
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The columns in the order of the grid.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(move |column| self.contains(*column))
    }

    /// The columns in which these permissions hold anything.
    pub fn touched_by(permissions: &Permissions) -> Self {
        Column::ALL.into_iter().filter(|column| !column.cell(permissions).is_empty()).collect()
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        let mut set = Self::default();
        columns.into_iter().for_each(|column| set.insert(column));
        set
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Column>::deserialize(deserializer)?.into_iter().collect())
    }
}
