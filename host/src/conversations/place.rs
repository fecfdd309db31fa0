//! Places in the topic that answers come from.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::error::ConversationError;

/// Behind something that was told, written `PARTITION-OFFSET` with the offset of what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct Place {
    /// Partition.
    pub partition: u32,
    /// Offset of what comes next.
    pub next: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.partition, self.next)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Place {
    type Err = ConversationError;

    fn from_str(text: &str) -> Result<Self, ConversationError> {
        let read = || {
            let (partition, next) = text.split_once('-')?;
            Some(Self { partition: partition.parse().ok()?, next: next.parse().ok()? })
        };
        read().ok_or(ConversationError::Place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place { partition: 3, next: 12 };
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        for text in ["", "3", "3-", "-3-4", "3-x", "3--4", "99999999999-1"] {
            assert_eq!(text.parse::<Place>().unwrap_err(), ConversationError::Place, "{text}");
        }
    }
}
