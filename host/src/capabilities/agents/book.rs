//! Which agents have been started: a compacted topic that every host follows, and nobody but hosts writes to.
//!
//! An entry gives nobody anything by itself: what it comes to is decided from what its maker may do.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::started::Started;
use crate::capabilities::errors;
use crate::permissions::Limit;
use crate::runtime::bindings::errors::Error;
use crate::streams::{Record, SharedStreams, StreamError, TopicSpec};

/// The topic: by the agent's name, how it was started; no value where it was stopped.
pub const BOOK_TOPIC: &str = "wasmill.agents";
/// Most started agents at work, of all makers together.
const STARTED_MAX: usize = 1000;
/// Most records that are read at once.
const PAGE: usize = 500;
/// How long reading waits for records that are there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Started agents by name.
pub type Entries = BTreeMap<String, Started>;

/// All started agents, as far as they were read.
pub struct Book {
    streams: SharedStreams,
    entries: RwLock<Arc<Entries>>,
    /// Offset to read on from. Who writes holds it too.
    next: Mutex<u64>,
    changes: watch::Sender<u64>,
}

impl Book {
    /// A book of which nothing was read yet.
    pub fn new(streams: SharedStreams) -> Self {
        Self { streams, entries: RwLock::default(), next: Mutex::default(), changes: watch::channel(0).0 }
    }

    /// What was read so far.
    pub fn current(&self) -> Arc<Entries> {
        // One assignment can't be half-done: a poisoned lock is as good as any.
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Announces each change that was read.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Reads what others have written.
    ///
    /// # Errors
    /// Those of the log.
    pub async fn catch_up(&self) -> Result<(), StreamError> {
        let mut next = self.next.lock().await;
        self.read_on(&mut next).await
    }

    /// Writes an agent down. False where exactly this is there already.
    ///
    /// # Errors
    /// `invalid` where something else has the name; `limit`; those of the log.
    pub(super) async fn start(&self, name: &str, started: Started, most: &Limit) -> Result<bool, Error> {
        let mut next = self.next.lock().await;
        self.read_on(&mut next).await.map_err(|e| errors::stream(&e))?;
        let entries = self.current();
        match entries.get(name) {
            Some(old) if *old == started => return Ok(false),
            Some(_) => {
                let message = format!("agent `{name}` is at work otherwise");
                return Err(errors::invalid("agents.exists", message, "stop it first, or take another name"));
            }
            None => {}
        }
        let own = entries.values().filter(|other| other.maker == started.maker).count();
        if own as u64 >= most.value {
            let message = format!("{own} agents that `{}` has started are at work, the most: {most}", started.maker);
            let next = "stop those that are not needed, or raise agents_started where it is set";
            return Err(errors::limit("agents.many", message, next));
        }
        if entries.len() >= STARTED_MAX {
            let message = format!("{STARTED_MAX} started agents are at work, which is the most of all makers together");
            return Err(errors::limit("agents.many", message, "stop those that are not needed"));
        }
        let value = serde_json::to_vec(&started)
            .map_err(|e| errors::failed("agents.entry", format!("it can't be written down: {e}"), ""))?;
        self.write(&mut next, name, Some(value)).await.map_err(|e| errors::stream(&e))?;
        Ok(true)
    }

    /// Crosses an agent out. False where it isn't there.
    ///
    /// # Errors
    /// Those of the log.
    pub async fn stop(&self, name: &str) -> Result<bool, StreamError> {
        self.stop_if(name, |_| true).await
    }

    /// The same for an agent that fits.
    ///
    /// # Errors
    /// Those of the log.
    pub(super) async fn stop_if(&self, name: &str, fits: impl Fn(&Started) -> bool) -> Result<bool, StreamError> {
        let mut next = self.next.lock().await;
        self.read_on(&mut next).await?;
        if !self.current().get(name).is_some_and(fits) {
            return Ok(false);
        }
        self.write(&mut next, name, None).await?;
        Ok(true)
    }

    async fn write(&self, next: &mut u64, name: &str, value: Option<Vec<u8>>) -> Result<(), StreamError> {
        let spec = TopicSpec { name: BOOK_TOPIC.to_owned(), partitions: 1, compacted: true };
        match self.streams.create_topic(&spec).await {
            Ok(()) | Err(StreamError::TopicExists(_)) => {}
            Err(error) => return Err(error),
        }
        let record = Record { key: Some(name.as_bytes().to_vec()), value, ..Record::default() };
        self.streams.append(BOOK_TOPIC, vec![record]).await?;
        self.read_on(next).await
    }

    async fn read_on(&self, next: &mut u64) -> Result<(), StreamError> {
        let end = match self.streams.watermarks(BOOK_TOPIC, 0).await {
            Ok(marks) => marks.next,
            // Nobody has ever started an agent.
            Err(StreamError::UnknownTopic(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        if *next >= end {
            return Ok(());
        }
        let mut entries = Entries::clone(&self.current());
        while *next < end {
            let page = self.streams.read(BOOK_TOPIC, 0, *next, PAGE, PATIENCE).await?;
            let Some(last) = page.offsets.last() else { break };
            *next = last + 1;
            for row in 0..page.len() {
                take_in(&mut entries, page.key(row), page.value(row));
            }
        }
        if entries != *self.current() {
            *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
            self.changes.send_modify(|change| *change += 1);
        }
        Ok(())
    }
}

/// What a record changes. One that no host has written changes nothing.
fn take_in(entries: &mut Entries, key: Option<&[u8]>, value: Option<&[u8]>) {
    let Some(name) = key.and_then(|key| std::str::from_utf8(key).ok()) else { return };
    let Some(value) = value else {
        entries.remove(name);
        return;
    };
    match serde_json::from_slice::<Started>(value) {
        Ok(started) if started.belongs_under(name) && (entries.len() < STARTED_MAX || entries.contains_key(name)) => {
            entries.insert(name.to_owned(), started);
        }
        _ => tracing::warn!(agent = name, "topic `{BOOK_TOPIC}` has a record that no host has written"),
    }
}

/// What hosts that read these records know then.
#[cfg(fuzzing)]
pub(crate) fn fuzz_entries(records: &[(Option<&[u8]>, Option<&[u8]>)]) {
    let mut entries = Entries::default();
    for (key, value) in records {
        take_in(&mut entries, *key, *value);
        assert!(entries.len() <= STARTED_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(maker: &str) -> Vec<u8> {
        format!(r#"{{"maker":"{maker}","component":"c","reads":["t"]}}"#).into_bytes()
    }

    #[test]
    fn only_what_a_host_could_have_written_is_taken_in() {
        let mut entries = Entries::new();
        for (key, value) in [
            ("a.b", entry("other")),
            ("a", entry("a")),
            ("a..b", entry("a.")),
            ("A.b", entry("A")),
            ("a.b", b"{}".to_vec()),
            ("a.b", br#"{"maker":"a","component":"c","reads":["t"],"may":"all"}"#.to_vec()),
        ] {
            take_in(&mut entries, Some(key.as_bytes()), Some(&value));
        }
        take_in(&mut entries, None, Some(&entry("a")));
        take_in(&mut entries, Some(b"\xff.b"), Some(&entry("a")));
        assert_eq!(entries, Entries::new());
        take_in(&mut entries, Some(b"a.b"), Some(&entry("a")));
        assert_eq!(entries["a.b"].component, "c");
        take_in(&mut entries, Some(b"a.b"), None);
        assert_eq!(entries, Entries::new());
    }
}
