//! Writes the audit trail behind the back of whoever acts: taking an entry never waits for the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Store;
use super::audit::AuditEntry;

/// Entries that may wait. A database that is away for longer than it takes to fill this costs entries, never memory.
const WAITING_MAX: usize = 10_000;
/// Most entries of one transaction.
const BATCH_MAX: usize = 500;
/// Pause before a failed batch is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

enum Message {
    Entry(AuditEntry),
    Flush(oneshot::Sender<()>),
}

/// Takes entries and writes them in batches, in order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AuditWriter {
    queue: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
}

impl AuditWriter {
    /// Starts a writer of one chain; `chain` names this host. Must be called inside a tokio runtime.
    pub fn start(store: Store, chain: &str) -> Self {
        let (queue, messages) = mpsc::channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write(store, chain.to_string(), messages, lost.clone()));
        Self { queue, lost }
    }

    /// Takes an entry without waiting. Where too many wait already it is dropped and counted; the number of dropped
    /// ones becomes an entry itself as soon as there is room.
    pub fn record(&self, entry: AuditEntry) {
        if self.queue.try_send(Message::Entry(entry)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was recorded before is written or given up: without end while the database is away.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // An error says that the writer is gone, and with it whatever could be waited for.
            let _ = written.await;
        }
    }
}

async fn write(store: Store, chain: String, mut messages: mpsc::Receiver<Message>, lost: Arc<AtomicU64>) {
    let mut received = Vec::new();
    while messages.recv_many(&mut received, BATCH_MAX).await > 0 {
        let (mut entries, mut flushes) = (Vec::new(), Vec::new());
        for message in received.drain(..) {
            match message {
                Message::Entry(entry) => entries.push(entry),
                Message::Flush(done) => flushes.push(done),
            }
        }
        let dropped = lost.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let detail = format!("{dropped} entries could not be written, see the log");
            entries.push(AuditEntry::now("host", "write the audit trail", "failed", detail));
        }
        while !entries.is_empty() {
            match store.append_audit(&chain, &entries).await {
                Ok(()) => break,
                Err(error) if error.is_transient() => {
                    tracing::error!(code = error.code(), waiting = entries.len(), "audit trail: {error}");
                }
                // It would fail again, and everything behind it would wait for it.
                Err(error) => {
                    tracing::error!(code = error.code(), lost = entries.len(), "audit trail: {error}");
                    lost.fetch_add(u64::try_from(entries.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
                    break;
                }
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        for done in flushes {
            // Nobody waits any more: nothing to tell.
            let _ = done.send(());
        }
    }
}
