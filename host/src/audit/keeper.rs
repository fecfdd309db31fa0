//! Signs how far chains went, and has the topic follow.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, watch};
use wasmill_registry::{Checkpoint, Digest, SecretKey};

use super::error::AuditError;
use super::file::{self, Line, Lines};
use super::publish::Publisher;
use crate::meters::AuditMeter;
use crate::store::{CheckpointRow, Store, now_ms};
use crate::streams::SharedStreams;

/// How often is looked whether something is to be signed or sent.
const LOOK: Duration = Duration::from_secs(1);
/// Pause after something could not be done.
const PAUSE: Duration = Duration::from_secs(10);
/// A chain that went so many rows further is signed at once.
const ROWS_UNSIGNED_MAX: i64 = 1_000;
/// A row is signed after this time at the latest.
const UNSIGNED_MAX: Duration = Duration::from_secs(60);
/// How long the last word of a host that stops may take.
const LAST_WORD_MAX: Duration = Duration::from_secs(5);

/// What a keeper works on.
pub struct KeeperParts {
    /// The database.
    pub store: Store,
    /// The log.
    pub streams: SharedStreams,
    /// The host's key; none: nothing is signed.
    pub key: Option<Arc<SecretKey>>,
    /// The file of checkpoints; made when there is one to write.
    pub file: PathBuf,
    /// The chains that this host writes.
    pub chains: Vec<String>,
    /// Counts what fails.
    pub meter: Arc<AuditMeter>,
}

/// Signs checkpoints of chains, keeps them, and has the topic follow.
pub struct Keeper {
    store: Store,
    key: Option<Arc<SecretKey>>,
    file: PathBuf,
    chains: Vec<String>,
    meter: Arc<AuditMeter>,
    publisher: Publisher,
    /// One signs at a time. None before the file was read.
    progress: Mutex<Option<Progress>>,
}

/// How far chains are signed by this home.
#[derive(Default)]
struct Progress {
    signed: BTreeMap<String, i64>,
    /// Since when there are rows after that.
    behind: BTreeMap<String, Instant>,
}

impl Keeper {
    /// A keeper. Nothing is signed before it runs.
    pub fn new(parts: KeeperParts) -> Self {
        let KeeperParts { store, streams, key, file, chains, meter } = parts;
        let publisher = Publisher::new(store.clone(), streams);
        Self { store, key, file, chains, meter, publisher, progress: Mutex::default() }
    }

    /// Signs and sends until `stop` becomes true.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        tokio::join!(self.sign_on(stop.clone()), self.send_on(stop));
    }

    /// Signs what is not signed yet, and sends it, within a few seconds. What can't be sent now is sent after the next
    /// start.
    pub async fn seal(&self) {
        let last_word = async {
            if let Err(error) = self.sign(true).await {
                tracing::warn!(code = error.code(), "the end of the audit trail is not signed: {error}");
            }
            if let Err(error) = self.send().await {
                tracing::warn!(code = error.code(), "the end of the audit trail is not sent: {error}");
            }
        };
        if tokio::time::timeout(LAST_WORD_MAX, last_word).await.is_err() {
            tracing::warn!("the end of the audit trail is not signed, or not sent: it takes too long");
        }
    }

    async fn sign_on(&self, mut stop: watch::Receiver<bool>) {
        let mut said = None;
        while !stopped(&mut stop, if said.is_some() { PAUSE } else { LOOK }).await {
            let done = self.sign(false).await;
            if done.is_err() {
                self.meter.checkpoint_failed();
            }
            say_once(&mut said, "the audit trail is not signed now", done);
        }
    }

    async fn send_on(&self, mut stop: watch::Receiver<bool>) {
        let mut said = None;
        while !stopped(&mut stop, if said.is_some() { PAUSE } else { LOOK }).await {
            let done = self.send().await;
            if done.is_err() {
                self.meter.topic_failed();
            }
            say_once(&mut said, "the audit trail is not sent to its topic now, and will be later", done);
        }
    }

    async fn send(&self) -> Result<(), AuditError> {
        let mut done = Ok(());
        for chain in &self.chains {
            done = done.and(self.publisher.catch_up(chain).await);
        }
        done
    }

    /// Signs chains that went far enough, or, `at_once`, each that went any further.
    async fn sign(&self, at_once: bool) -> Result<(), AuditError> {
        let Some(key) = &self.key else { return Ok(()) };
        let mut progress = self.progress.lock().await;
        if progress.is_none() {
            let signed = newest(&self.file).await?;
            *progress = Some(Progress { signed, ..Progress::default() });
        }
        let progress = progress.get_or_insert_default();
        let mut done = Ok(());
        for chain in &self.chains {
            done = done.and(self.sign_chain(chain, key, progress, at_once).await);
        }
        done
    }

    async fn sign_chain(
        &self,
        chain: &str,
        key: &SecretKey,
        progress: &mut Progress,
        at_once: bool,
    ) -> Result<(), AuditError> {
        let known = progress.signed.get(chain).copied().unwrap_or_default();
        let head = self.store.audit_head(chain).await?;
        let seq = head.as_ref().map_or(0, |head| head.seq);
        if seq < known {
            return Err(AuditError::Truncated { chain: chain.to_owned(), found: seq, known });
        }
        // A row of a host that made no hashes can't be signed; the next one can.
        let hash = head.and_then(|head| head.hash).and_then(|hash| hash.parse::<Digest>().ok());
        let Some(hash) = hash.filter(|_| seq > known) else { return Ok(()) };
        let waits = progress.behind.entry(chain.to_owned()).or_insert_with(Instant::now).elapsed();
        if !at_once && seq - known < ROWS_UNSIGNED_MAX && waits < UNSIGNED_MAX {
            return Ok(());
        }
        let checkpoint = Checkpoint { chain: chain.to_owned(), seq, hash, at_ms: now_ms() };
        let envelope = checkpoint.sign(key)?.to_json();
        // The file after the table: what the file has, the table must have.
        let row = CheckpointRow { seq, envelope: String::from_utf8_lossy(&envelope).into_owned() };
        self.store.add_checkpoint(chain, &row).await?;
        let path = self.file.clone();
        let failed = |source: io::Error| AuditError::File { path: path.clone(), source };
        let at = path.clone();
        let added = tokio::task::spawn_blocking(move || file::add(&at, &envelope)).await;
        added.map_err(|error| failed(error.into()))?.map_err(failed)?;
        progress.signed.insert(chain.to_owned(), seq);
        progress.behind.remove(chain);
        Ok(())
    }
}

/// The newest checkpoint of each chain that the file has. Not verified: it only says where to go on.
async fn newest(path: &Path) -> Result<BTreeMap<String, i64>, AuditError> {
    let mut newest = BTreeMap::new();
    let mut lines = Lines::open(path).await?;
    while let Some(line) = lines.next().await? {
        if let Line::Envelope(_, said) = line {
            let seq: &mut i64 = newest.entry(said.chain).or_default();
            *seq = said.seq.max(*seq);
        }
    }
    Ok(newest)
}

/// Waits; true where it is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok()
}

/// An error is said when it begins, and not each time it is met.
fn say_once(said: &mut Option<&'static str>, what: &str, done: Result<(), AuditError>) {
    let code = done.as_ref().err().map(AuditError::code);
    match done {
        Err(error) if *said != code => match error {
            AuditError::Truncated { .. } => tracing::error!(code, "{what}: {error}"),
            _ => tracing::warn!(code, "{what}: {error}"),
        },
        _ => {}
    }
    *said = code;
}
