//! Growing a topic of the embedded log: its ends are counted in one place, so nobody may be using it.

use wasmill::streams::{StateChange, TopicChange, Work};

use super::subject;
use crate::contract::subject::{done, poll_records, poll_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_read_does_not_grow_and_afterwards_does() {
    let s = subject().await.unwrap();
    let topic = s.topic("t", 1).await;
    s.append_numbered(&topic, ["a".to_owned()]).await;
    let mut worker = s.join("g", &[&topic]).await;
    let batches = poll_records(worker.as_mut(), 1).await;
    let state = vec![StateChange { partition: 0, key: b"k".to_vec(), value: Some(b"v".to_vec()) }];
    worker.commit(Work { state, ..done(&batches) }).await.unwrap();
    drop(batches);

    let grow = TopicChange::Grow { name: topic.clone(), partitions: 2, states: vec![] };
    let error = s.streams.change_topic(&grow).await.unwrap_err();
    assert!(error.code() == "topic.invalid" && error.to_string().contains("stop the host"), "{error}");
    drop(worker);
    s.streams.change_topic(&grow).await.unwrap();

    let mut worker = s.join("g", &[&topic]).await;
    let polled = poll_until(worker.as_mut(), |all| all.gained.len() == 2).await;
    assert!(polled.batches.is_empty(), "what was done stays done");
    assert_eq!(worker.state().get(0, b"k").unwrap().as_deref(), Some(&b"v"[..]));
    let mut record = crate::contract::subject::keyed("k", "new");
    record.partition = Some(1);
    s.streams.append(&topic, vec![record]).await.unwrap();
    assert_eq!(poll_records(worker.as_mut(), 1).await[0].partition, 1);
}
