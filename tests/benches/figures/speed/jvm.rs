//! A Kafka Streams program, in a Java process of its own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use async_trait::async_trait;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use wasmill_tests::parts;
use wasmill_tests::server::{Launch, Server};

use super::program::Program;

/// How Java runs it. Of its collectors this one takes the least CPU time.
const JAVA: [&str; 3] = ["-XX:+UseParallelGC", "-Xms1g", "-Xmx1g"];

/// What it is told.
#[derive(Debug, Clone)]
pub struct Order {
    /// Brokers.
    pub address: String,
    /// Its application id, which is its group.
    pub name: String,
    /// Topic to read.
    pub input: String,
    /// Partitions of that topic.
    pub partitions: u32,
    /// Topic to write.
    pub output: String,
    /// `upper` or `count`.
    pub work: &'static str,
}

/// A Kafka Streams program, running or not.
pub struct Jvm {
    order: Order,
    folder: tempfile::TempDir,
    server: Option<Server>,
    /// Asks what its group has committed.
    group: BaseConsumer,
    before: u64,
}

impl Jvm {
    /// A program that does not run yet.
    pub fn new(order: Order) -> Result<Self> {
        let group = ClientConfig::new()
            .set("bootstrap.servers", &order.address)
            .set("group.id", &order.name)
            // What is committed, and not what may be soon.
            .set("isolation.level", "read_uncommitted")
            .set("enable.auto.commit", "false")
            .create()?;
        Ok(Self { order, folder: tempfile::tempdir()?, server: None, group, before: 0 })
    }

    fn command(&self) -> Result<Vec<String>> {
        let Order { address, name, input, output, work, .. } = &self.order;
        let java = parts::java().map_err(|missing| anyhow!("{missing:?}"))?;
        let built = built();
        ensure!(built.join("classes").is_dir(), "{} is missing: run `cargo xtask bench`", built.display());
        let classes = format!("{}:{}/*", built.join("classes").display(), built.join("libs").display());
        // More threads than partitions or cores cost and do nothing.
        let cores = std::thread::available_parallelism()?.get() as u32;
        let threads = self.order.partitions.min(cores).to_string();
        let state = self.folder.path().join("state").display().to_string();
        let mut command = vec![java.display().to_string()];
        command.extend(JAVA.map(str::to_owned));
        command.extend(["-cp", &classes, "wasmill.Peer", address, name, input, output, work].map(str::to_owned));
        command.extend([threads, state]);
        Ok(command)
    }

    /// Its settings, and everything else that it has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn committed(&self) -> Result<u64> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&self.order.input, 0, i32::try_from(self.order.partitions)? - 1);
        let answer = self.group.committed_offsets(asked, Duration::from_secs(10))?;
        let offsets = answer.elements().into_iter().map(|element| match element.offset() {
            Offset::Offset(offset) => u64::try_from(offset).unwrap_or(0),
            _ => 0,
        });
        Ok(offsets.sum())
    }
}

/// Where `cargo xtask bench` puts classes and libraries.
fn built() -> PathBuf {
    parts::root().join("target/kafka-streams")
}

#[async_trait]
impl Program for Jvm {
    async fn start(&mut self) -> Result<()> {
        self.before = self.committed().unwrap_or(0);
        let (command, log) = (self.command()?, self.folder.path().join("log"));
        let launch = Launch { command: &command, env: &[], log: &log, stop_signal: "TERM", user: None };
        self.server = Some(Server::start(&launch)?);
        Ok(())
    }

    async fn done(&mut self) -> Result<u64> {
        let server = self.server.as_mut().context("it does not run")?;
        ensure!(server.ended()?.is_none(), "Kafka Streams ended: {}", self.log());
        Ok(self.committed().map_or(0, |committed| committed.saturating_sub(self.before)))
    }

    fn cpu_seconds(&self) -> Result<f64> {
        let id = self.server.as_ref().context("it does not run")?.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // After the name in brackets: state is the first field, user and system time are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        // Linux counts hundredths for every process that asks.
        Ok(ticks / 100.0)
    }

    async fn stop(&mut self) -> Result<()> {
        drop(self.server.take());
        Ok(())
    }
}
