//! Where the hostile agent works: records go in, and each ends as a report or as a dead letter.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasmill::capabilities::ModelConfig;
use wasmill::streams::{Batch, Record, TopicSpec};
use wasmill_tests::scratch::{PATIENCE, Running, Scratch, component, manifest};

/// Topic of the attacks, of the reports, of what failed.
const TOPICS: [&str; 3] = ["evil.attacks", "evil.results", "evil.attacks.dlq"];

/// A host with the agent at work.
pub struct Arena {
    /// Its folder.
    pub scratch: Scratch,
    running: Running,
    reports: u64,
    dead: u64,
}

/// How a record ended.
#[derive(Debug)]
pub enum Outcome {
    /// The agent handled it and said this.
    Report(Value),
    /// It was set aside, with these headers.
    Dead(Vec<(String, String)>),
}

impl Arena {
    /// Starts the agent. Its row begins at line 2; `limits` go into it, `rows` come after it.
    pub async fn start(limits: &str, rows: &str) -> Self {
        Self::with(&manifest("evil-agent").unwrap(), limits, rows).await
    }

    /// The same with another manifest.
    pub async fn with(manifest: &str, limits: &str, rows: &str) -> Self {
        Self::open(scratch(limits, rows).await, manifest).await
    }

    /// The same with a language model.
    pub async fn asking(model: ModelConfig) -> Self {
        let mut scratch = scratch("", "").await;
        scratch.model = Some(model);
        Self::open(scratch, &manifest("evil-agent").unwrap()).await
    }

    async fn open(scratch: Scratch, manifest: &str) -> Self {
        scratch.install_bytes(&component("evil-agent").unwrap(), manifest).unwrap();
        scratch.install("evil").unwrap();
        let attacks = TopicSpec { name: TOPICS[0].to_owned(), partitions: 2, compacted: false };
        scratch.streams().create_topic(&attacks).await.unwrap();
        scratch.topics(&[TOPICS[1], "payments"]).await.unwrap();
        let running = scratch.run().await.unwrap();
        assert!(running.host.catalog.snapshot().refused.is_empty(), "{:?}", running.host.catalog.snapshot().refused);
        Self { scratch, running, reports: 0, dead: 0 }
    }

    /// The host.
    pub fn host(&self) -> &wasmill::host::Host {
        &self.running.host
    }

    /// Sends an attack and waits for how it ends. The agent must handle the next record.
    pub async fn attack(&mut self, arguments: Value) -> Outcome {
        self.attack_in(0, arguments).await
    }

    /// The same in another of its two partitions.
    pub async fn attack_in(&mut self, partition: u32, arguments: Value) -> Outcome {
        let outcome = self.send(partition, &arguments).await;
        match self.send(partition, &json!({ "attack": "list" })).await {
            Outcome::Report(Value::Array(_)) => outcome,
            other => panic!("after {arguments} the agent is not well: {other:?}"),
        }
    }

    async fn send(&mut self, partition: u32, arguments: &Value) -> Outcome {
        let value = Some(arguments.to_string().into_bytes());
        let record = Record { value, partition: Some(partition), ..Record::default() };
        self.scratch.streams().append(TOPICS[0], vec![record]).await.unwrap();
        let began = Instant::now();
        loop {
            if let Some(batch) = self.read(TOPICS[1], self.reports).await {
                self.reports += 1;
                return Outcome::Report(serde_json::from_slice(batch.value(0).unwrap()).unwrap());
            }
            if let Some(batch) = self.read(TOPICS[2], self.dead).await {
                self.dead += 1;
                let headers = batch.headers.as_ref().unwrap();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                return Outcome::Dead(headers.of(0).map(|(name, value)| (text(name), text(value))).collect());
            }
            assert!(began.elapsed() < PATIENCE * 2, "{arguments}: nothing came: {:?}", self.host().supervisor.status());
        }
    }

    /// The record at that place, if there is one.
    async fn read(&self, topic: &str, offset: u64) -> Option<Batch> {
        let read = self.scratch.streams().read(topic, 0, offset, 1, Duration::from_millis(50)).await;
        read.ok().filter(|batch| !batch.is_empty())
    }

    /// Records of a topic; none where there is no such topic.
    pub async fn len(&self, topic: &str) -> u64 {
        self.scratch.streams().watermarks(topic, 0).await.map_or(0, |marks| marks.next)
    }

    /// Stops the host.
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }
}

async fn scratch(limits: &str, rows: &str) -> Scratch {
    let row = format!(
        "privileged = []\n[[row]]\nprincipal = \"agent:evil-agent\"\ntopics.read = [\"evil.attacks\"]\n\
             topics.write = [\"evil.results\"]\ntopics.create = [\"evil.results\"]\ntools = [\"evil-agent.*\"]\n\
             forge = [\"rust\"]\nstate = true\ntimers = true\nagents = [\"none\"]\nmodel = [\"allowed\"]\nlimits = {{ {limits} }}\n{rows}"
    );
    Scratch::new(&row).await.unwrap()
}

impl Outcome {
    /// What the agent said.
    pub fn report(self) -> Value {
        match self {
            Self::Report(report) => report,
            Self::Dead(headers) => panic!("set aside: {headers:?}"),
        }
    }

    /// Asserts that the attack came back with this result.
    pub fn assert_result(self, expected: &str) {
        let report = self.report();
        assert_eq!(report["result"], expected, "{report}");
    }

    /// Asserts that the attack met an error with this code, whose message says all of this.
    pub fn assert_error(self, code: &str, says: &[&str]) {
        let report = self.report();
        assert_eq!(report["code"], code, "{report}");
        let message = report["message"].as_str().unwrap();
        says.iter().for_each(|part| assert!(message.contains(part), "{message} does not say {part}"));
    }

    /// A header of the dead letter.
    pub fn dead(&self, name: &str) -> &str {
        match self {
            Self::Report(report) => panic!("it was handled: {report}"),
            Self::Dead(headers) => &headers.iter().find(|(n, _)| n == name).unwrap().1,
        }
    }
}
