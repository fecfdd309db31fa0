//! Who asks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::pattern::Pattern;

/// Kind of a principal: the word before the colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A component that handles records.
    Agent,
    /// A component that answers calls.
    Tool,
    /// Something outside: the CLI, an HTTP or MCP client.
    Client,
}

impl PrincipalKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Tool, Self::Client];

    /// The word before the colon.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Client => "client",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Who asks, written `agent:logsmith`, `tool:logsmith.parse-dpkg`, `client:cli`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct Principal {
    text: Box<str>,
    kind: PrincipalKind,
}

impl Principal {
    /// A principal of a kind. The name is that of the component, without its version, or of the client.
    pub fn new(kind: PrincipalKind, name: &str) -> Self {
        Self { text: format!("{}:{name}", kind.word()).into(), kind }
    }

    /// The agent with this name.
    pub fn agent(name: &str) -> Self {
        Self::new(PrincipalKind::Agent, name)
    }

    /// The tool with this name.
    pub fn tool(name: &str) -> Self {
        Self::new(PrincipalKind::Tool, name)
    }

    /// The client with this name.
    pub fn client(name: &str) -> Self {
        Self::new(PrincipalKind::Client, name)
    }

    /// Kind.
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// Name, without the kind.
    pub fn name(&self) -> &str {
        &self.text[self.kind.word().len() + 1..]
    }

    /// The whole, `kind:name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A text that names no principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no principal; write `agent:NAME`, `tool:NAME` or `client:NAME`")]
pub struct NoPrincipal(pub String);

impl NoPrincipal {
    /// A stable identifier.
    pub fn code(&self) -> &'static str {
        "permission.principal"
    }
}

impl FromStr for Principal {
    type Err = NoPrincipal;

    fn from_str(text: &str) -> Result<Self, NoPrincipal> {
        let parsed = text.split_once(':').and_then(|(kind, name)| Some((PrincipalKind::from_word(kind)?, name)));
        match parsed {
            Some((kind, name)) if is_name(name) => Ok(Self::new(kind, name)),
            _ => Err(NoPrincipal(text.to_string())),
        }
    }
}

/// Names of components and clients: what a manifest allows, and the dots of forged ones.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
}

/// Where a principal comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Signed by a publisher, or a client.
    Published,
    /// Made by the forge for somebody; it never holds more than that maker.
    Forged {
        /// Who asked for it.
        maker: Principal,
    },
}

/// The principals that a row is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPattern(Pattern);

impl PrincipalPattern {
    /// Compiles `*`, or a kind, a colon and a pattern of names.
    ///
    /// # Errors
    /// What is wrong with it, as the second half of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(Pattern::new(text)));
        }
        let Some((kind, name)) = text.split_once(':') else {
            return Err("write `agent:NAME`, `tool:NAME`, `client:NAME` or `*`; NAME may hold `*`".into());
        };
        if PrincipalKind::from_word(kind).is_none() {
            let hint = super::nearest::nearest(kind, PrincipalKind::ALL.map(PrincipalKind::word));
            return Err(format!(
                "`{kind}` is no kind of principal (agent, tool or client){}",
                super::nearest::hint(hint)
            ));
        }
        if !is_name(&name.replace('*', "x")) {
            return Err("a name is made of `a-z`, `0-9`, `-`, `_`, `.` and `*`".into());
        }
        Ok(Self(Pattern::new(text)))
    }

    /// True where the row is for this principal.
    pub fn matches(&self, principal: &Principal) -> bool {
        self.0.matches(principal.as_str())
    }

    /// As written.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// How specific it is: a row for one name beats `tool:logsmith.*`, which beats `tool:*`; `*` is 0.
    pub fn specificity(&self) -> usize {
        if self.0.is_exact() { usize::MAX } else { self.0.literal_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_reads_back_as_it_is_written() {
        for text in ["agent:logsmith", "tool:logsmith.parse-dpkg", "client:cli"] {
            assert_eq!(text.parse::<Principal>().unwrap().to_string(), text);
        }
        assert_eq!("tool:a.b".parse::<Principal>().unwrap().name(), "a.b");
        for text in ["logsmith", "agnet:logsmith", "agent:", "agent:a b", "agent:*"] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_for_agents_is_not_for_tools() {
        let row = PrincipalPattern::parse("agent:*").unwrap();
        assert!(row.matches(&Principal::agent("a")));
        assert!(!row.matches(&Principal::tool("agent:a")));
    }

    #[test]
    fn a_mistyped_kind_gets_a_hint() {
        let error = PrincipalPattern::parse("agnet:logsmith").unwrap_err();
        assert!(error.contains("did you mean `agent`"), "{error}");
        assert!(PrincipalPattern::parse("logsmith").is_err());
        assert!(PrincipalPattern::parse("agent:Log Smith").is_err());
    }
}
