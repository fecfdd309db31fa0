//! Names: of components and topics, and references to a component.

use std::fmt;
use std::str::FromStr;

use semver::Version;

/// Most characters of one part of a component's name.
pub const NAME_PART_CHARS_MAX: usize = 64;

/// Most parts of a forged component's name: its maker may be forged too.
pub const NAME_PARTS_MAX: usize = 4;

/// Most characters of a topic's name, as in Kafka.
pub const TOPIC_CHARS_MAX: usize = 249;

/// A name that is not allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a name: {reason}")]
pub struct NameError {
    /// The name as given, cut where it is very long.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

fn refused(name: &str, reason: &'static str) -> NameError {
    NameError { name: name.chars().take(80).collect(), reason }
}

/// Checks a component's name: parts of 1 to 64 characters of `a-z`, `0-9` and `-`, with dots between them.
///
/// # Errors
/// Says which rule is broken.
pub fn check_component_name(name: &str) -> Result<(), NameError> {
    if name.split('.').count() > NAME_PARTS_MAX {
        return Err(refused(name, "it has more than 4 parts"));
    }
    for part in name.split('.') {
        if part.is_empty() || part.len() > NAME_PART_CHARS_MAX {
            return Err(refused(name, "each part has 1 to 64 characters"));
        }
        if !part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(refused(
                name,
                "only `a-z`, `0-9` and `-` are allowed, and dots between the parts of a forged one",
            ));
        }
    }
    Ok(())
}

/// True for the name of a forged component: `<maker>.<name>`.
pub fn is_forged_name(name: &str) -> bool {
    name.contains('.')
}

/// Checks a topic's name by Kafka's rules: 1 to 249 characters of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`.
///
/// # Errors
/// Says which rule is broken.
pub fn check_topic_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.len() > TOPIC_CHARS_MAX {
        return Err(refused(name, "a topic's name has 1 to 249 characters"));
    }
    if name == "." || name == ".." {
        return Err(refused(name, "dots alone are not a topic's name"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Err(refused(name, "a topic's name consists of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`"));
    }
    Ok(())
}

/// Which component is meant: `name`, the newest one of that name, or `name@version`, exactly that one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Name of the component.
    pub name: String,
    /// Its version; none: the newest.
    pub version: Option<Version>,
}

impl FromStr for Reference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, version) = match text.split_once('@') {
            None => (text, None),
            Some((name, version)) => (
                name,
                Some(version.parse().map_err(|_| refused(text, "what follows `@` is not a version like 1.2.3"))?),
            ),
        };
        check_component_name(name)?;
        Ok(Self { name: name.to_owned(), version })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            None => f.write_str(&self.name),
            Some(version) => write!(f, "{}@{version}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_a_folder_are_refused() {
        for name in ["..", "../x", "a/b", "a\\b", "", ".", "a..b", ".a", "a.", "a\0b", "A", "ü", "a b", "a.b.c.d.e"] {
            assert!(check_component_name(name).is_err(), "{name:?}");
        }
        assert!(check_component_name(&"a".repeat(65)).is_err());
        assert!(check_component_name(&"a".repeat(64)).is_ok());
        assert!(check_component_name("logsmith.parse-dpkg2").is_ok());
    }

    #[test]
    fn topics_follow_the_rules_of_kafka() {
        assert!(check_topic_name("Logs.raw_2-x").is_ok());
        for name in ["", ".", "..", "a/b", "a b", "*"] {
            assert!(check_topic_name(name).is_err(), "{name:?}");
        }
        assert!(check_topic_name(&"a".repeat(250)).is_err());
    }

    #[test]
    fn a_reference_reads_what_it_writes() {
        for text in ["counter", "logsmith.parse@1.2.3"] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        assert!("counter@latest".parse::<Reference>().is_err());
        assert!("../counter@1.0.0".parse::<Reference>().is_err());
    }
}
