//! Access rules of a guarded broker, made and taken away by a client that shares no code with ours.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::kafka::Kafka;
use crate::parts::{self, require};

/// A tool that changes a broker's rules, as its admin.
#[derive(Debug)]
pub struct Acls {
    python: PathBuf,
    broker: String,
}

impl Acls {
    /// Of a broker; `None` (said loudly) where the machine has no such client.
    #[must_use]
    pub fn of(kafka: &Kafka) -> Option<Self> {
        Some(Self { python: require(parts::kafka_python())?, broker: kafka.address() })
    }

    /// Adds rules, in the form of `wasmill permission export --kafka --output json`.
    ///
    /// # Panics
    /// When the broker does not take them.
    pub fn add(&self, acls: &[Value]) {
        self.run("add", acls);
    }

    /// Takes rules away.
    ///
    /// # Panics
    /// When one of them was not there.
    pub fn remove(&self, acls: &[Value]) {
        self.run("remove", acls);
    }

    #[allow(clippy::expect_used, reason = "a test without its rules has nothing to say")]
    fn run(&self, verb: &str, acls: &[Value]) {
        let mut command = Command::new(&self.python);
        command.arg(parts::root().join("tests/kafka/acls.py")).args([&self.broker, verb]);
        let mut running = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("Python runs");
        let input = Value::from(acls.to_vec()).to_string();
        running.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
        let output = running.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
