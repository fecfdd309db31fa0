//! Names that are functions of what they name: the same record is the same run, the same call has the same key.

use sha2::{Digest, Sha256};

/// Hexadecimal digits of a run's id and of an idempotency key.
const DIGITS: usize = 32;

/// A record, by its place and by what it is: a topic that was deleted and made again has other records at the same offsets.
#[derive(Debug, Clone, Copy)]
pub struct RecordPlace<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
}

/// The id of an agent's run for a record.
pub fn run_id(agent: &str, record: &RecordPlace<'_>) -> String {
    let mut hasher = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        // With their lengths, so that no two lists of parts look the same.
        hasher.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
        hasher.update(bytes.unwrap_or_default());
    };
    part(Some(agent.as_bytes()));
    part(Some(record.topic.as_bytes()));
    part(Some(&record.partition.to_le_bytes()));
    part(Some(&record.offset.to_le_bytes()));
    part(Some(&record.timestamp_ms.to_le_bytes()));
    part(record.key);
    part(record.value);
    hex::encode(hasher.finalize()).chars().take(DIGITS).collect()
}

/// SHA-256 of a request.
pub(super) fn request_digest(kind: &str, request: &str) -> String {
    hex::encode(Sha256::new().chain_update(kind).chain_update([0]).chain_update(request).finalize())
}

/// The key of a call: the same however often the same step asks the same.
pub(super) fn idempotency_key(run: &str, epoch: u32, seq: u64, digest: &str) -> String {
    let all = format!("{run} {epoch} {seq} {digest}");
    hex::encode(Sha256::digest(all)).chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: RecordPlace<'static> =
        RecordPlace { topic: "t", partition: 1, offset: 7, timestamp_ms: 5, key: Some(b"k"), value: Some(b"v") };

    #[test]
    fn a_run_is_told_by_everything_that_its_record_is() {
        let id = run_id("a", &RECORD);
        assert_eq!((id.len(), &id), (DIGITS, &run_id("a", &RECORD)));
        for other in [
            RecordPlace { topic: "u", ..RECORD },
            RecordPlace { partition: 2, ..RECORD },
            RecordPlace { offset: 8, ..RECORD },
            RecordPlace { timestamp_ms: 6, ..RECORD },
            RecordPlace { key: None, ..RECORD },
            RecordPlace { key: Some(b""), ..RECORD },
            RecordPlace { key: Some(b"kv"), value: Some(b""), ..RECORD },
        ] {
            assert_ne!(run_id("a", &other), id, "{other:?}");
        }
        assert_ne!(run_id("b", &RECORD), id);
    }

    #[test]
    fn another_request_or_another_beginning_is_another_call() {
        let key = idempotency_key("r", 0, 1, "d");
        for other in [("s", 0, 1, "d"), ("r", 1, 1, "d"), ("r", 0, 2, "d"), ("r", 0, 1, "e")] {
            assert_ne!(idempotency_key(other.0, other.1, other.2, other.3), key);
        }
    }
}
