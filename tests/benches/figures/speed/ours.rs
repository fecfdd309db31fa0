//! The host with one agent, in this process.

use anyhow::{Context, Result};
use async_trait::async_trait;
use wasmill::runtime::EngineConfig;
use wasmill::streams::SharedStreams;
use wasmill::telemetry::Telemetry;
use wasmill_registry::RecordHeaders;
use wasmill_tests::scratch::{Running, Scratch, component, manifest};

use super::program::{Program, own_cpu_seconds};

/// What the host runs.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Plugin of this repository, which must have been built.
    pub plugin: &'static str,
    /// Name that it gets here.
    pub name: String,
    /// Topic to read.
    pub input: String,
    /// Topic to write; none: the records are only read.
    pub output: Option<String>,
    /// Most records of one batch.
    pub batch_records: usize,
    /// Least time between two transactions, milliseconds.
    pub commit_ms: u64,
    /// Manifest's `headers`.
    pub headers: RecordHeaders,
    /// Lines of permissions beside the topics', for the row and the manifest.
    pub more: &'static str,
    /// Settings of the agent beside `to`.
    pub settings: Vec<(&'static str, &'static str)>,
    /// A tool that the agent calls.
    pub tool: Option<&'static str>,
}

/// A host with one agent, running or not.
pub struct Ours {
    scratch: Scratch,
    running: Option<Running>,
}

impl Ours {
    /// A host that doesn't run yet, on these streams; none: on an embedded log of its own.
    pub async fn new(order: &Order, streams: Option<SharedStreams>) -> Result<Self> {
        let Order { name, input, more, .. } = order;
        let output = order.output.iter().map(|topic| format!("\"{topic}\"")).collect::<String>();
        let mut scratch = Scratch::new(&format!(
            "[[row]]\nprincipal = \"agent:{name}\"\ntopics.read = [\"{input}\"]\ntopics.write = [{output}]\n{more}\n"
        ))
        .await?;
        if let Some(streams) = streams {
            scratch = scratch.with_streams(streams);
        }
        scratch.engine = EngineConfig { instances_max: 2_048, ..EngineConfig::default() };
        let settings = scratch.settings.entry(name.clone()).or_default();
        settings.extend(order.output.iter().map(|topic| ("to".to_owned(), topic.clone())));
        settings.extend(order.settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let agent = format!(
            "name = \"{name}\"\nversion = \"0.1.0\"\nkind = \"agent\"\n[agent]\nreads = [\"{input}\"]\n\
             batch_records = {}\ncommit_ms = {}\nheaders = \"{}\"\n[permissions]\ntopics.read = [\"{input}\"]\ntopics.write = [{output}]\n{more}\n",
            order.batch_records,
            order.commit_ms,
            match order.headers {
                RecordHeaders::All => "all",
                RecordHeaders::None => "none",
            }
        );
        scratch.install_bytes(&component(order.plugin)?, &agent)?;
        if let Some(tool) = order.tool {
            scratch.install_bytes(&component(tool)?, &manifest(tool)?)?;
        }
        Ok(Self { scratch, running: None })
    }

    /// Records traces from its start on.
    pub fn record(&mut self, telemetry: Telemetry) {
        self.scratch.telemetry = telemetry;
    }

    /// The streams that it runs on.
    pub fn streams(&self) -> &SharedStreams {
        self.scratch.streams()
    }
}

#[async_trait]
impl Program for Ours {
    async fn start(&mut self) -> Result<()> {
        self.running = Some(self.scratch.run().await?);
        Ok(())
    }

    async fn done(&mut self) -> Result<u64> {
        let running = self.running.as_ref().context("the host does not run")?;
        let status = running.host.supervisor.status();
        let refused = running.host.catalog.snapshot().refused.first().map(|refused| refused.reason.clone());
        anyhow::ensure!(refused.is_none(), "{refused:?}");
        anyhow::ensure!(status.iter().all(|agent| agent.dead_letters == 0), "records were set aside");
        Ok(status.iter().map(|agent| agent.records).sum())
    }

    fn cpu_seconds(&self) -> Result<f64> {
        own_cpu_seconds()
    }

    async fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(running) => running.stop().await,
            None => Ok(()),
        }
    }
}
