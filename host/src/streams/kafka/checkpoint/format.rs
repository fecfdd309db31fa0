//! A checkpoint as bytes: a head, the entries in the order of their keys, and the SHA-256 of all that.
//!
//! Numbers are little endian. Head: mark (16 bytes), topic's identity (16), partition (4), offset (8), as of (8), number
//! of entries (8). Entry: size of the key (4), key, size of the value (4), value.

use std::collections::BTreeMap;

use wasmill_registry::Digest;

use crate::streams::kafka::state::Store;
use crate::streams::kafka::topic_id::TopicId;

const MARK: &[u8; 16] = b"wasmill state 1\n";
const DIGEST_SIZE: usize = 32;

/// Writes a checkpoint.
pub(super) fn encode(partition: u32, store: &Store) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(store.size() + 8 * store.entries().len() + 128);
    bytes.extend_from_slice(MARK);
    bytes.extend_from_slice(&store.topic_id.0);
    bytes.extend_from_slice(&partition.to_le_bytes());
    bytes.extend_from_slice(&store.restored_to.to_le_bytes());
    bytes.extend_from_slice(&store.as_of_ms.to_le_bytes());
    bytes.extend_from_slice(&(store.entries().len() as u64).to_le_bytes());
    for (key, value) in store.entries() {
        for part in [key, value] {
            // A record's size is limited far below 4 GiB.
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// Reads a checkpoint; none where it is not exactly what [`encode`] wrote for this partition.
pub(super) fn decode(partition: u32, bytes: &[u8]) -> Option<Store> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_SIZE)?)?;
    if Digest::of(body).as_bytes() != digest {
        return None;
    }
    let mut rest = body;
    if take::<16>(&mut rest)? != *MARK {
        return None;
    }
    let topic_id = TopicId(take(&mut rest)?);
    if u32::from_le_bytes(take(&mut rest)?) != partition {
        return None;
    }
    let restored_to = u64::from_le_bytes(take(&mut rest)?);
    let as_of_ms = u64::from_le_bytes(take(&mut rest)?);
    let count = u64::from_le_bytes(take(&mut rest)?);
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        let key = part(&mut rest)?;
        entries.insert(key, part(&mut rest)?);
    }
    rest.is_empty().then(|| Store::saved(topic_id, restored_to, as_of_ms, entries))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn part(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let size = usize::try_from(u32::from_le_bytes(take(rest)?)).ok()?;
    let (head, tail) = rest.split_at_checked(size)?;
    *rest = tail;
    Some(head.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::known_to(TopicId([3; 16]), 12, 34);
        store.apply(b"key".to_vec(), Some(b"value".to_vec()));
        store.apply(b"".to_vec(), Some(b"".to_vec()));
        store
    }

    #[test]
    fn what_was_written_is_read() {
        let read = decode(5, &encode(5, &store())).unwrap();
        assert_eq!((read.topic_id, read.restored_to, read.as_of_ms), (TopicId([3; 16]), 12, 34));
        assert_eq!((read.entries(), read.size()), (store().entries(), 8));
        assert_eq!(read.unsaved(), 0);
    }

    #[test]
    fn whatever_is_damaged_is_not_read() {
        let bytes = encode(5, &store());
        assert!(decode(6, &bytes).is_none(), "another partition's");
        for length in 0..bytes.len() {
            assert!(decode(5, &bytes[..length]).is_none(), "cut to {length}");
        }
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1;
            assert!(decode(5, &damaged).is_none(), "byte {i}");
        }
        assert!(decode(5, &[bytes, vec![0]].concat()).is_none());
    }
}
