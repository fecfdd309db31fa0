//! The topic of the trail: what is in its records, and the newest checkpoints that it has.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmill_registry::{Checkpoint, Envelope, TrustRoots};

use super::error::AuditError;
use crate::store::AuditRow;
use crate::streams::{Batch, Record, StreamError, Streams};

/// The topic: rows and checkpoints as JSON, by chain. A record may be there twice: `chain` and `seq` tell.
pub const AUDIT_TOPIC: &str = "wasmill.audit";
/// Most records that are read at once.
const PAGE: usize = 500;
/// How long reading waits for records that are there.
const PATIENCE: Duration = Duration::from_secs(5);

/// A record's value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Entry {
    /// A row, as the database has it.
    Row(AuditRow),
    /// A checkpoint, signed.
    Checkpoint(Envelope),
}

impl Entry {
    /// As a record of the topic.
    pub fn record(&self, chain: &str) -> Result<Record, AuditError> {
        let value = serde_json::to_vec(self).map_err(|error| AuditError::Record(error.to_string()))?;
        Ok(Record { key: Some(chain.as_bytes().to_vec()), value: Some(value), ..Record::default() })
    }
}

/// The newest checkpoint of each chain that the topic has, verified. Others may write to the topic: what no host has
/// signed is read over. None where there is no such topic.
pub(super) async fn newest(
    streams: &dyn Streams,
    trust: &TrustRoots,
) -> Result<Option<BTreeMap<String, Checkpoint>>, StreamError> {
    let mut newest = BTreeMap::new();
    for partition in 0.. {
        let end = match streams.watermarks(AUDIT_TOPIC, partition).await {
            Ok(marks) => marks.next,
            Err(StreamError::UnknownTopic(_)) => return Ok(None),
            Err(StreamError::UnknownPartition { .. }) => break,
            Err(error) => return Err(error),
        };
        let mut next = 0;
        while next < end {
            let page = streams.read(AUDIT_TOPIC, partition, next, PAGE, PATIENCE).await?;
            let Some(last) = page.offsets.last() else { break };
            next = last + 1;
            take_in(&mut newest, &page, trust);
        }
    }
    Ok(Some(newest))
}

fn take_in(newest: &mut BTreeMap<String, Checkpoint>, page: &Batch, trust: &TrustRoots) {
    for value in (0..page.len()).filter_map(|row| page.value(row)) {
        // Most are rows, which nobody needs here.
        if !value.starts_with(br#"{"checkpoint""#) {
            continue;
        }
        let Ok(Entry::Checkpoint(envelope)) = serde_json::from_slice(value) else { continue };
        let Ok(found) = Checkpoint::verify(&envelope.to_json(), trust) else { continue };
        if newest.get(&found.chain).is_none_or(|known| known.seq < found.seq) {
            newest.insert(found.chain.clone(), found);
        }
    }
}
