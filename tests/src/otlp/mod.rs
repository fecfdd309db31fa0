//! A receiver of OTLP over HTTP: a program in Python with OpenTelemetry's own messages, which share no code with a host.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::parts::{self, require};
use crate::scratch::PATIENCE;
use crate::server::until;

/// A span as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// Trace, hexadecimal.
    pub trace: String,
    /// The span, hexadecimal.
    pub id: String,
    /// Its parent; empty for the first of a trace.
    pub parent: String,
    /// Name.
    pub name: String,
    /// `SPAN_KIND_…`.
    pub kind: String,
    /// Attributes, numbers as text.
    pub attributes: BTreeMap<String, String>,
    /// Traces that it is linked with, hexadecimal.
    pub links: Vec<String>,
    /// Whether it failed.
    pub failed: bool,
    /// Nanoseconds from its start to its end.
    pub nanos: i64,
    /// Name of the scope that it is of.
    pub scope: String,
    /// Attributes of whoever sent it.
    pub resource: BTreeMap<String, String>,
}

impl Seen {
    /// An attribute; empty where it has none of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }
}

/// A line that the program writes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Port(u16),
    Headers(BTreeMap<String, String>),
    Span(Box<Seen>),
}

/// The receiver. It ends with this value.
#[derive(Debug)]
pub struct Receiver {
    program: Child,
    port: u16,
    spans: Arc<Mutex<Vec<Seen>>>,
    headers: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl Receiver {
    /// A receiver on a port that the system chose. `None` (said loudly) where the machine lacks its parts.
    ///
    /// # Panics
    /// When they are there and it doesn't start.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_at(0)
    }

    /// A receiver on this port.
    ///
    /// # Panics
    /// As [`Receiver::start`].
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test without its receiver has nothing to say")]
    pub fn start_at(port: u16) -> Option<Self> {
        let python = require(parts::otlp_python())?;
        Some(Self::run(&mut Command::new(python), port).expect("the receiver starts"))
    }

    fn run(python: &mut Command, port: u16) -> Result<Self> {
        let program = include_str!("receiver.py");
        python.args(["-c", program, &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = python.spawn()?;
        let mut lines = BufReader::new(program.stdout.take().context("no output")?).lines();
        let first = serde_json::from_str(&lines.next().context("it has ended")??)?;
        let Line::Port(port) = first else { anyhow::bail!("{first:?} instead of a port") };
        let (spans, headers) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let receiver = Self { program, port, spans: spans.clone(), headers: headers.clone() };
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(Line::Span(span)) => spans.lock().unwrap_or_else(PoisonError::into_inner).push(*span),
                    Ok(Line::Headers(all)) => headers.lock().unwrap_or_else(PoisonError::into_inner).push(all),
                    _ => break,
                }
            }
        });
        Ok(receiver)
    }

    /// Base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Seen> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Headers of all requests so far.
    #[must_use]
    pub fn headers(&self) -> Vec<BTreeMap<String, String>> {
        self.headers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a span of this trace has come whose name begins so; gives the first.
    ///
    /// # Panics
    /// When it doesn't come, with the names of those that did.
    #[must_use]
    pub fn wait_for(&self, trace: &str, name: &str) -> Seen {
        let find = || self.spans().into_iter().find(|span| span.trace == trace && span.name.starts_with(name));
        until(PATIENCE, || find().is_some());
        find().unwrap_or_else(|| {
            let names: Vec<String> = self.spans().iter().map(|span| format!("{} {}", span.trace, span.name)).collect();
            panic!("no `{name}` of trace {trace} among {names:#?}")
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It ends by itself when its input does; what is left is to take its end.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
