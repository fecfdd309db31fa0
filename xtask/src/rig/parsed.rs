//! What arrives on `logs.parsed`, as it arrives: `wasmill record tail` in the background.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::home::PARSED;
use super::wasmill::Wasmill;

/// A parsed line.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// When its line stands for; empty where it has none.
    #[serde(default)]
    pub time: String,
    /// Number of the template; none where the line has none.
    pub template_id: Option<u64>,
    /// Text of the template.
    pub template: Option<String>,
    /// The variable parts by position.
    #[serde(default)]
    pub variables: Vec<Value>,
    /// When its record was written, in milliseconds since 1970.
    #[serde(skip)]
    pub at_ms: i64,
}

/// The lines of each source so far.
type Sources = Arc<Mutex<HashMap<String, Vec<Line>>>>;

/// Reads until it is dropped.
#[derive(Debug)]
pub struct Parsed {
    child: Child,
    sources: Sources,
}

#[derive(Deserialize)]
struct Record {
    key: Option<String>,
    value: Option<String>,
    timestamp_ms: Option<i64>,
}

impl Parsed {
    /// Reads everything from `place` on: `end`, or an offset.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn follow(wasmill: &Wasmill, place: &str) -> Result<Self> {
        let mut tail = wasmill.command(&["record", "tail", PARSED, "--from", place, "--output", "json"]);
        tail.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = tail.spawn().context("read logs.parsed")?;
        let sources = Sources::default();
        if let Some(output) = child.stdout.take() {
            let sources = sources.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    take(&sources, &line);
                }
            });
        }
        Ok(Self { child, sources })
    }

    /// How many lines of a source have come.
    pub fn count(&self, source: &str) -> usize {
        self.with(source, <[Line]>::len)
    }

    /// The lines of a source, in their order.
    pub fn lines(&self, source: &str) -> Vec<Line> {
        self.with(source, <[Line]>::to_vec)
    }

    fn with<T>(&self, source: &str, look: impl FnOnce(&[Line]) -> T) -> T {
        // Lines are added whole: a poisoned lock is as good as any.
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        look(sources.get(source).map_or(&[], Vec::as_slice))
    }
}

fn take(sources: &Sources, line: &str) {
    // Others may write to the topic, on Kafka: what is not logsmith's is not counted.
    let Ok(Record { key: Some(key), value: Some(value), timestamp_ms }) = serde_json::from_str(line) else { return };
    let Ok(mut line) = serde_json::from_str::<Line>(&value) else { return };
    line.at_ms = timestamp_ms.unwrap_or_default();
    sources.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().push(line);
}

impl Drop for Parsed {
    fn drop(&mut self) {
        // It only reads; and where it has ended by itself there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
