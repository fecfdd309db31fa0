//! What a dead letter's headers say.

use serde::{Deserialize, Serialize};

use super::set_aside::{self, HEADER_PREFIX};
use crate::streams::Batch;

/// A record on a dead-letter topic, without its contents. Anybody who may write to that topic can have written it: what
/// it says of itself is shown, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeadLetter {
    /// The topic that it belongs to.
    pub topic: String,
    /// Partition of the dead-letter topic.
    pub partition: u32,
    /// Offset in it.
    pub offset: u64,
    /// Where the record was; none where the headers don't say.
    pub origin: Option<Origin>,
    /// Agent that could not handle it; `client:NAME` where it was no request of that client.
    pub agent: Option<String>,
    /// Code of the last error.
    pub code: Option<String>,
    /// The last error in words.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: Option<u32>,
    /// Where the agent trapped, the innermost function first; none where it did not.
    #[serde(default)]
    pub stack: Option<String>,
    /// True where the record was too large to be kept: it can only be read where it was.
    pub is_omitted: bool,
}

/// A place in the topic that a dead letter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Origin {
    /// Partition.
    pub partition: u32,
    /// Offset in it.
    pub offset: u64,
}

impl DeadLetter {
    /// Row `row` of a batch of the dead-letter topic of `topic`.
    pub(super) fn of(topic: &str, batch: &Batch, row: usize) -> Self {
        let header = |name: &str| {
            let mut all = batch.headers.iter().flat_map(|headers| headers.of(row));
            let found = all.find(|(n, _)| n.strip_prefix(HEADER_PREFIX.as_bytes()) == Some(name.as_bytes()));
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let number = |name: &str| header(name).and_then(|text| text.parse::<u64>().ok());
        let small = |name: &str| number(name).and_then(|number| u32::try_from(number).ok());
        Self {
            topic: topic.to_owned(),
            partition: batch.partition,
            offset: batch.offsets.get(row).copied().unwrap_or_default(),
            origin: small(set_aside::PARTITION)
                .zip(number(set_aside::OFFSET))
                .map(|(partition, offset)| Origin { partition, offset }),
            agent: header(set_aside::AGENT),
            code: header(set_aside::CODE),
            reason: header(set_aside::REASON),
            attempts: small(set_aside::ATTEMPTS),
            stack: header(set_aside::STACK),
            is_omitted: header(set_aside::OMITTED).is_some(),
        }
    }
}
