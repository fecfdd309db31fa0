//! Checkpoints of state: what they save is time, and nothing may ever be wrong for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Membership, StateChange, StateEntry, Streams, Work, Worker};
use wasmill_tests::kafka::Kafka;

use super::admin;
use crate::contract::subject::{PATIENCE, Subject, poll_until};

/// One agent with state on one partition, and hosts that may run it.
struct Agent {
    s: Subject,
    address: String,
    topic: String,
}

/// A host with a home of its own.
struct Host {
    streams: Arc<KafkaStreams>,
    home: TempDir,
}

impl Agent {
    async fn new() -> Option<Self> {
        let address = Kafka::shared()?.address();
        let s = super::subject().await?;
        let topic = s.topic("in", 1).await;
        Some(Self { s, address, topic })
    }

    fn host(&self) -> Host {
        let home = TempDir::new().unwrap();
        let checkpoints = Some(home.path().join("checkpoints"));
        let config = KafkaConfig { checkpoints, ..super::config(&self.address) };
        Host { streams: super::connect(&config), home }
    }

    fn membership(&self) -> Membership {
        self.s.membership("group", &[&self.topic])
    }

    fn state_topic(&self) -> String {
        format!("wasmill.state.{}", self.s.name("group"))
    }

    /// The file of the checkpoint on a host.
    fn file(&self, host: &Host) -> PathBuf {
        host.home.path().join("checkpoints").join(self.state_topic()).join("0")
    }

    /// Joins alone, with the state restored.
    async fn join(&self, host: &Host) -> Box<dyn Worker> {
        let mut worker = host.streams.join(self.membership()).await.unwrap();
        poll_until(worker.as_mut(), |all| !all.gained.is_empty()).await;
        worker
    }

    /// Leaves, and waits for the checkpoint that is left behind.
    async fn leave(&self, worker: Box<dyn Worker>, host: &Host) -> Vec<u8> {
        drop(worker);
        let deadline = Instant::now() + PATIENCE;
        let mut last = None;
        loop {
            let now = std::fs::read(self.file(host)).ok();
            match &now {
                Some(bytes) if now == last => return bytes.clone(),
                _ => assert!(Instant::now() < deadline, "no checkpoint"),
            }
            last = now;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Waits until the topic of the state shows so many records.
    async fn shown(&self, records: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.s.streams.watermarks(&self.state_topic(), 0).await.unwrap().next <= records {
            assert!(Instant::now() < deadline, "the state topic doesn't show {records} records");
        }
    }

    /// Makes everything before a checkpoint vanish from the topic: whoever still knows it has it from the checkpoint.
    async fn forget_before(&self, checkpoint: &[u8]) {
        // Behind mark, identity and partition.
        let offset = u64::from_le_bytes(checkpoint[36..44].try_into().unwrap());
        admin::delete_before(&self.address, &self.state_topic(), offset).await;
    }
}

fn set(key: &str, value: Vec<u8>) -> StateChange {
    StateChange { partition: 0, key: key.into(), value: Some(value) }
}

fn remove(key: &str) -> StateChange {
    StateChange { partition: 0, key: key.into(), value: None }
}

async fn commit(worker: &mut dyn Worker, state: Vec<StateChange>) {
    worker.commit(Work { state, ..Work::default() }).await.unwrap();
}

/// More than a checkpoint is written for, under the keys `<name>-00` to `<name>-29`, in one commit.
async fn fill(worker: &mut dyn Worker, name: &str, byte: u8) {
    commit(worker, (0..30).map(|i| set(&format!("{name}-{i:02}"), vec![byte; 50_000])).collect()).await;
}

fn all(worker: &dyn Worker) -> Vec<StateEntry> {
    worker.state().scan(0, b"", None, 1000).unwrap()
}

fn keys(worker: &dyn Worker) -> Vec<String> {
    all(worker).into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_checkpoint_holds_is_not_read_again_and_what_came_after_it_is() {
    let Some(agent) = Agent::new().await else { return };
    let (here, there) = (agent.host(), agent.host());
    let mut worker = agent.join(&here).await;
    fill(worker.as_mut(), "a", 1).await;
    // A commit is decided before the topic shows it, and a checkpoint begins behind what the topic shows.
    agent.shown(30).await;
    commit(worker.as_mut(), vec![remove("a-00"), set("b", vec![2])]).await;
    let before = all(worker.as_ref());
    let checkpoint = agent.leave(worker, &here).await;
    agent.forget_before(&checkpoint).await;
    let worker = agent.join(&here).await;
    assert_eq!(all(worker.as_ref()), before);
    drop(worker);

    // Another host owned the partition in between. It has no checkpoint, and the older records are gone.
    let mut worker = agent.join(&there).await;
    assert_eq!(keys(worker.as_ref()), ["b"]);
    commit(worker.as_mut(), vec![remove("a-01"), set("a-02", vec![3]), set("c", vec![4])]).await;
    drop(worker);
    let worker = agent.join(&here).await;
    let mut expected: Vec<String> = (2..30).map(|i| format!("a-{i:02}")).collect();
    expected.extend(["b".to_owned(), "c".to_owned()]);
    assert_eq!(keys(worker.as_ref()), expected);
    assert_eq!(worker.state().get(0, b"a-02").unwrap(), Some(vec![3]));
}

/// While a worker works, too: who is killed has left one that is not much older.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_written_from_time_to_time() {
    let Some(agent) = Agent::new().await else { return };
    let host = agent.host();
    let mut worker = agent.join(&host).await;
    let mut seen = std::collections::BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    while seen.len() < 3 {
        assert!(Instant::now() < deadline, "{} checkpoints", seen.len());
        fill(worker.as_mut(), "a", seen.len() as u8).await;
        if let Ok(bytes) = std::fs::read(agent.file(&host)) {
            seen.insert(bytes);
        }
    }
    let before = all(worker.as_ref());
    drop(worker);
    let worker = agent.join(&host).await;
    assert_eq!(all(worker.as_ref()), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_checkpoint_is_no_loss() {
    let Some(agent) = Agent::new().await else { return };
    let host = agent.host();
    let mut worker = agent.join(&host).await;
    fill(worker.as_mut(), "a", 1).await;
    let before = all(worker.as_ref());
    let good = agent.leave(worker, &host).await;
    for damage in [0, 40, 200_000, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[damage] ^= 0x10;
        std::fs::write(agent.file(&host), &bytes).unwrap();
        let worker = agent.join(&host).await;
        assert_eq!(all(worker.as_ref()), before, "damaged at {damage}");
        assert_ne!(std::fs::read(agent.file(&host)).unwrap(), bytes, "it has been replaced");
    }
    std::fs::write(agent.file(&host), &good[..good.len() / 2]).unwrap();
    assert_eq!(all(agent.join(&host).await.as_ref()), before);
    std::fs::write(agent.file(&host), b"").unwrap();
    assert_eq!(all(agent.join(&host).await.as_ref()), before);
}

/// Kafka may drop the tombstone of a key some time after it was removed. An older checkpoint would bring the key back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_does_not_outlive_tombstones() {
    let Some(agent) = Agent::new().await else { return };
    let compacted = [("cleanup.policy", "compact"), ("delete.retention.ms", "4000")];
    admin::create(&agent.address, &agent.state_topic(), &compacted).await;
    let (here, there) = (agent.host(), agent.host());
    let mut worker = agent.join(&here).await;
    fill(worker.as_mut(), "a", 1).await;
    commit(worker.as_mut(), vec![set("kept", vec![1])]).await;
    agent.leave(worker, &here).await;

    let mut worker = agent.join(&there).await;
    commit(worker.as_mut(), vec![remove("a-00"), set("kept", vec![2])]).await;
    drop(worker);
    tokio::time::sleep(Duration::from_secs(4)).await;
    // As if it had been compacted: the key's last record and its tombstone are gone.
    let end = agent.s.streams.watermarks(&agent.state_topic(), 0).await.unwrap().next;
    admin::delete_before(&agent.address, &agent.state_topic(), end).await;
    admin::alter(&agent.address, &agent.state_topic(), &compacted).await;

    let worker = agent.join(&here).await;
    assert_eq!(worker.state().get(0, b"a-00").unwrap(), None, "a removed key came back");
    assert!(!agent.file(&here).exists(), "it is of no use any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_of_another_topic_of_the_same_name_does_not_count() {
    let Some(agent) = Agent::new().await else { return };
    let (here, there) = (agent.host(), agent.host());
    let mut worker = agent.join(&here).await;
    fill(worker.as_mut(), "a", 1).await;
    let old = agent.leave(worker, &here).await;

    // Shorter than the checkpoint, then longer.
    for more in [false, true] {
        std::fs::write(agent.file(&here), &old).unwrap();
        admin::delete(&agent.address, &agent.state_topic()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut worker = agent.join(&there).await;
        commit(worker.as_mut(), vec![set("new", vec![1])]).await;
        if more {
            for _ in 0..2 {
                fill(worker.as_mut(), "b", 2).await;
            }
        }
        let expected = all(worker.as_ref());
        assert!(expected.iter().all(|(key, _)| !key.starts_with(b"a-")), "{:?}", keys(worker.as_ref()));
        drop(worker);
        let worker = agent.join(&here).await;
        assert_eq!(
            keys(worker.as_ref()),
            expected.into_iter().map(|(k, _)| String::from_utf8(k).unwrap()).collect::<Vec<_>>()
        );
        drop(worker);
    }
}

/// The topic keeps the newest value of each key for ever, and tombstones longer than any checkpoint counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_topic_of_state_is_created_compacted() {
    let Some(agent) = Agent::new().await else { return };
    drop(agent.join(&agent.host()).await);
    let topic = agent.state_topic();
    assert_eq!(admin::setting(&agent.address, &topic, "cleanup.policy").await, "compact");
    assert_eq!(admin::setting(&agent.address, &topic, "delete.retention.ms").await, "604800000");

    // One that would lose state is refused.
    for policy in ["delete", "compact,delete"] {
        admin::alter(&agent.address, &topic, &[("cleanup.policy", policy)]).await;
        let error = agent.host().streams.join(agent.membership()).await.err().unwrap();
        assert_eq!(error.code(), "topic.invalid", "{error}");
        assert!(error.to_string().contains("cleanup.policy"), "{error}");
    }
}
