//! What holds a chain together: a row's hash is made of everything in the row, and of the hash before it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::audit::{AuditEntry, AuditRow};

/// Stands in front of what is hashed, so that no hash of another kind passes for one of these.
const TAG: &[u8] = b"wasmill audit row, version 1";

/// Hash of a row, and of all rows before it: SHA-256. Written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

/// What stands for the hash before the first row, and before the first one that has a hash.
pub const NO_ROW: AuditHash = AuditHash([0; 32]);

impl AuditHash {
    /// What a row says its hash is; [`NO_ROW`] where it says none, or something that can't be one.
    pub fn read(text: Option<&str>) -> Self {
        let mut raw = [0; 32];
        match text.map(|text| hex::decode_to_slice(text, &mut raw)) {
            Some(Ok(())) => Self(raw),
            _ => NO_ROW,
        }
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The hash of an entry at its place in a chain. No two rows are hashed alike: the length stands in front of each text.
pub fn hash_of(chain: &str, seq: i64, before: AuditHash, entry: &AuditEntry) -> AuditHash {
    let AuditEntry { at_ms, principal, action, decision, detail } = entry;
    let mut hash = Sha256::new();
    hash.update(TAG);
    hash.update(before.0);
    hash.update(seq.to_be_bytes());
    hash.update(at_ms.to_be_bytes());
    for text in [chain, principal, action, decision, detail] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    AuditHash(hash.finalize().into())
}

impl AuditRow {
    /// The hash that this row would have as number `seq` after a row with hash `before`.
    pub fn hash_at(&self, seq: i64, before: AuditHash) -> AuditHash {
        let entry = AuditEntry {
            at_ms: self.at_ms,
            principal: self.principal.clone(),
            action: self.action.clone(),
            decision: self.decision.clone(),
            detail: self.detail.clone(),
        };
        hash_of(&self.chain, seq, before, &entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(texts: [&str; 4]) -> AuditEntry {
        let [principal, action, decision, detail] = texts.map(str::to_owned);
        AuditEntry { at_ms: 7, principal, action, decision, detail }
    }

    #[test]
    fn the_hash_is_the_same_in_every_version() {
        let hash = hash_of("host", 1, NO_ROW, &entry(["agent:a", "call t f", "denied", "why"]));
        assert_eq!(hash.to_string(), "073372d4e361d5ffb93b13d00ada1130f5ba50bd78912026c02ef3b65c0d3ed9");
    }

    #[test]
    fn a_border_between_two_texts_can_not_be_moved() {
        let hash = |texts| hash_of("host", 1, NO_ROW, &entry(texts));
        assert_ne!(hash(["ab", "c", "d", "e"]), hash(["a", "bc", "d", "e"]));
        assert_ne!(hash(["a", "b", "c", ""]), hash(["a", "b", "", "c"]));
    }

    #[test]
    fn only_64_digits_are_read_as_a_hash() {
        let hash = hash_of("host", 1, NO_ROW, &entry(["a", "b", "c", "d"]));
        assert_eq!(AuditHash::read(Some(&hash.to_string())), hash);
        for text in [None, Some(""), Some("00"), Some("zz")] {
            assert_eq!(AuditHash::read(text), NO_ROW);
        }
    }
}
