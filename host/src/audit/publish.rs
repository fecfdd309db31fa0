//! Brings rows and checkpoints from the database to the topic. What was sent stands in the database, after it was sent:
//! nothing is left out, and after a crash some of it is there twice.

use std::sync::atomic::{AtomicBool, Ordering};

use wasmill_registry::Envelope;

use super::error::AuditError;
use super::topic::{AUDIT_TOPIC, Entry};
use crate::store::{AuditSent, Store};
use crate::streams::{SharedStreams, StreamError, TopicSpec};

/// Most rows, and most checkpoints, of one step.
const PAGE: u32 = 200;

/// Sends chains to the topic.
pub(super) struct Publisher {
    store: Store,
    streams: SharedStreams,
    /// True once the topic was seen.
    is_there: AtomicBool,
}

impl Publisher {
    pub fn new(store: Store, streams: SharedStreams) -> Self {
        Self { store, streams, is_there: AtomicBool::new(false) }
    }

    /// Sends what the topic does not have of a chain.
    pub async fn catch_up(&self, chain: &str) -> Result<(), AuditError> {
        while self.step(chain).await? {}
        Ok(())
    }

    /// Sends one page. False where there is nothing to send.
    async fn step(&self, chain: &str) -> Result<bool, AuditError> {
        let mut sent = self.store.audit_sent(chain).await?;
        let rows = self.store.audit_after(chain, sent.rows, PAGE).await?;
        if rows.is_empty() {
            self.look_for_end(chain, sent).await?;
        }
        let upto = rows.last().map_or(sent.rows, |row| row.seq);
        let checkpoints = self.store.checkpoints(chain, sent.checkpoints, upto, PAGE).await?;
        if rows.is_empty() && checkpoints.is_empty() {
            return Ok(false);
        }
        let mut records = Vec::with_capacity(rows.len() + checkpoints.len());
        for row in rows {
            records.push(Entry::Row(row).record(chain)?);
        }
        for checkpoint in &checkpoints {
            // Somebody else than a host has written into the table; `wasmill audit verify` says so.
            let Ok(envelope) = Envelope::from_json(checkpoint.envelope.as_bytes()) else { continue };
            records.push(Entry::Checkpoint(envelope).record(chain)?);
        }
        self.make_topic().await?;
        if !records.is_empty() {
            self.streams.append(AUDIT_TOPIC, records).await?;
        }
        sent.checkpoints = checkpoints.last().map_or(sent.checkpoints, |checkpoint| checkpoint.seq);
        self.store.set_audit_sent(chain, AuditSent { rows: upto, ..sent }).await?;
        Ok(true)
    }

    /// A chain that ends before what was sent of it is told, and sent on from where it ends now.
    async fn look_for_end(&self, chain: &str, sent: AuditSent) -> Result<(), AuditError> {
        let end = self.store.audit_head(chain).await?.map_or(0, |head| head.seq);
        if end >= sent.rows {
            return Ok(());
        }
        let known = sent.rows;
        self.store.set_audit_sent(chain, AuditSent { rows: end, checkpoints: sent.checkpoints.min(end) }).await?;
        Err(AuditError::Truncated { chain: chain.to_owned(), found: end, known })
    }

    async fn make_topic(&self) -> Result<(), StreamError> {
        if self.is_there.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Looked for first: a host may be allowed to write and not to make it.
        if let Err(StreamError::UnknownTopic(_)) = self.streams.watermarks(AUDIT_TOPIC, 0).await {
            let spec = TopicSpec { name: AUDIT_TOPIC.to_owned(), partitions: 1, compacted: false };
            match self.streams.create_topic(&spec).await {
                Ok(()) | Err(StreamError::TopicExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.is_there.store(true, Ordering::Relaxed);
        Ok(())
    }
}
