//! What is over its topic's bounds goes, and everything else goes on.

use std::time::{Duration, SystemTime};

use wasmill::streams::embedded::{Embedded, EmbeddedConfig};
use wasmill::streams::{Bound, Keeps, Record, StateChange, Streams, TopicChange, TopicShape, TopicSpec, Work};

use super::subject;
use crate::contract::subject::{A_MOMENT, Subject, done, keyed, poll_records, texts};

const HOUR_MS: u64 = 3_600_000;

fn aged(key: &str, value: &str, age: Duration) -> Record {
    let then = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() - age;
    Record { timestamp_ms: Some(then.as_millis() as i64), ..keyed(key, value) }
}

fn old(key: &str, value: &str) -> Record {
    aged(key, value, Duration::from_secs(2 * 3600))
}

async fn keep(s: &Subject, name: &str, keeps: Keeps) {
    s.streams.change_topic(&TopicChange::Keep { name: name.to_owned(), keeps }).await.unwrap();
}

fn an_hour() -> Keeps {
    Keeps { retention_ms: Some(Bound::AtMost(HOUR_MS)), ..Keeps::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_too_old_go_and_groups_go_on_behind_them() {
    let s = subject().await.unwrap();
    let topic = s.topic("t", 1).await;
    // Each append is a segment of its own.
    for record in [old("a", "0"), old("b", "1"), keyed("c", "2")] {
        s.streams.append(&topic, vec![record]).await.unwrap();
    }
    let mut worker = s.join("g", &[&topic]).await;
    let first = poll_records(worker.as_mut(), 3).await;
    let state = vec![StateChange { partition: 0, key: b"k".to_vec(), value: Some(b"v".to_vec()) }];
    worker.commit(Work { state, ..done(&first) }).await.unwrap();
    drop((first, worker));

    keep(&s, &topic, an_hour()).await;
    let marks = s.streams.watermarks(&topic, 0).await.unwrap();
    assert_eq!((marks.first, marks.next), (2, 3));
    assert_eq!(texts(&s.streams.read(&topic, 0, 0, 10, A_MOMENT).await.unwrap()), ["2"]);

    let s = s.reopened().await;
    let shape = s.streams.shapes().await.unwrap().into_iter().find(|shape| shape.spec.name == topic).unwrap();
    assert_eq!(shape.keeps.retention_ms, Some(Bound::AtMost(HOUR_MS)));
    s.append_numbered(&topic, ["d".to_owned()]).await;
    let mut worker = s.join("g", &[&topic]).await;
    let next = poll_records(worker.as_mut(), 1).await;
    assert_eq!((next[0].offsets[0], worker.state().get(0, b"k").unwrap()), (3, Some(b"v".to_vec())));
    // Who begins only now begins with what is left.
    let mut other = s.join("other", &[&topic]).await;
    assert_eq!(poll_records(other.as_mut(), 2).await[0].offsets[0], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_is_too_large_loses_its_oldest_and_keeps_as_much_as_was_said() {
    let s = subject().await.unwrap();
    let (bounded, other) = (s.topic("bounded", 2).await, s.topic("other", 1).await);
    let text = "x".repeat(1000);
    for number in 0..50 {
        let mut record = keyed("k", &format!("{number} {text}"));
        record.partition = Some(0);
        s.streams.append(&bounded, vec![record.clone()]).await.unwrap();
        s.streams.append(&other, vec![record]).await.unwrap();
    }
    keep(&s, &bounded, Keeps { retention_bytes: Some(Bound::AtMost(10_000)), ..Keeps::default() }).await;
    let marks = s.streams.watermarks(&bounded, 0).await.unwrap();
    let left = marks.next - marks.first;
    assert!((9..=10).contains(&left), "{left} of 50 records of a thousand bytes are left");
    assert_eq!(s.streams.watermarks(&other, 0).await.unwrap().first, 0, "another topic");
    assert_eq!(s.all(&bounded, 1).await.offsets.len(), 0);

    // The sizes are still right after a while: more records, the same room.
    for _ in 0..20 {
        let mut record = keyed("k", &text);
        record.partition = Some(0);
        s.streams.append(&bounded, vec![record]).await.unwrap();
    }
    keep(&s, &bounded, Keeps::default()).await;
    let marks = s.streams.watermarks(&bounded, 0).await.unwrap();
    assert!(marks.next == 70 && (9..=10).contains(&(marks.next - marks.first)), "{marks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_a_compacted_topic_goes_and_comes_again() {
    let s = subject().await.unwrap();
    let name = s.name("settings");
    let spec = TopicSpec { name: name.clone(), partitions: 1, compacted: true };
    let shape = TopicShape { spec, replicas: None, keeps: an_hour() };
    s.streams.change_topic(&TopicChange::Create(shape)).await.unwrap();
    s.streams.append(&name, vec![old("a", "1"), old("b", "1"), keyed("a", "2")]).await.unwrap();
    keep(&s, &name, Keeps::default()).await;
    assert_eq!(texts(&s.all(&name, 0).await), ["2"]);
    s.streams.append(&name, vec![keyed("b", "2"), keyed("a", "3")]).await.unwrap();
    assert_eq!(texts(&s.all(&name, 0).await), ["2", "3"]);
    let refused = TopicChange::Keep {
        name: name.clone(),
        keeps: Keeps { cleanup: Some(wasmill::streams::Cleanup::Delete), ..Keeps::default() },
    };
    assert_eq!(s.streams.change_topic(&refused).await.unwrap_err().code(), "topic.invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_too_old_goes_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig { sweep_every: Duration::from_millis(20), ..EmbeddedConfig::default() };
    let log = Embedded::open(dir.path(), config).unwrap();
    let spec = TopicSpec { name: "t".to_owned(), partitions: 1, compacted: false };
    let shape = TopicShape { spec, replicas: None, keeps: an_hour() };
    log.change_topic(&TopicChange::Create(shape)).await.unwrap();
    // More than one sweep takes.
    for _ in 0..11 {
        let segments = (0..100).map(|number| log.append("t", vec![old("k", &number.to_string())]));
        futures::future::try_join_all(segments).await.unwrap();
    }
    log.append("t", vec![keyed("k", "new")]).await.unwrap();
    let all_gone = async {
        while log.watermarks("t", 0).await.unwrap().first < 1100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_gone).await.expect("nobody sweeps");
    assert_eq!(texts(&log.read("t", 0, 0, 10, A_MOMENT).await.unwrap()), ["new"]);
}
