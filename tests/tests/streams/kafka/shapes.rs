//! What topics keep on Kafka, and state that grows with its topics.

use wasmill::streams::{Bound, Cleanup, Keeps, Streams, TopicChange, TopicShape, TopicSpec};

use super::subject;
use crate::contract::subject::{Subject, poll_until};

async fn keeps(streams: &dyn Streams, name: &str) -> Keeps {
    let shapes = streams.shapes().await.unwrap();
    shapes.into_iter().find(|shape| shape.spec.name == name).unwrap().keeps
}

async fn change(s: &Subject, name: &str, keeps: Keeps) {
    s.streams.change_topic(&TopicChange::Keep { name: name.to_owned(), keeps }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_keeps_what_it_is_told_and_a_change_leaves_the_rest() {
    let Some(s) = subject().await else { return };
    let spec = TopicSpec { name: s.name("keeps"), partitions: 1, compacted: true };
    let first = Keeps {
        cleanup: Some(Cleanup::CompactAndDelete),
        retention_ms: Some(Bound::AtMost(86_400_000)),
        retention_bytes: Some(Bound::AtMost(1 << 30)),
    };
    let shape = TopicShape { spec: spec.clone(), replicas: Some(1), keeps: first };
    s.streams.change_topic(&TopicChange::Create(shape)).await.unwrap();
    assert_eq!(keeps(&*s.streams, &spec.name).await, first);

    change(&s, &spec.name, Keeps { retention_ms: Some(Bound::Unlimited), ..Keeps::default() }).await;
    let second = Keeps { retention_ms: Some(Bound::Unlimited), ..first };
    assert_eq!(keeps(&*s.streams, &spec.name).await, second);
    change(&s, &spec.name, Keeps { cleanup: Some(Cleanup::Delete), ..Keeps::default() }).await;
    assert_eq!(keeps(&*s.streams, &spec.name).await, Keeps { cleanup: Some(Cleanup::Delete), ..second });

    // More copies than there are brokers: refused, and nothing is made.
    let spec = TopicSpec { name: s.name("copies"), partitions: 1, compacted: false };
    let shape = TopicShape { spec, replicas: Some(3), keeps: Keeps::default() };
    let error = s.streams.change_topic(&TopicChange::Create(shape)).await.unwrap_err();
    assert_eq!(error.code(), "topic.invalid", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_grows_with_the_topic_whose_partitions_keep_it() {
    let Some(s) = subject().await else { return };
    let topic = s.topic("grows", 1).await;
    let membership = s.membership("keeper", &[&topic]);
    let state = membership.state.clone().unwrap();
    drop(s.streams.join(membership.clone()).await.unwrap());

    let grow =
        |partitions, states: &[String]| TopicChange::Grow { name: topic.clone(), partitions, states: states.to_vec() };
    s.streams.change_topic(&grow(3, &[state, s.name("has-none-yet")])).await.unwrap();
    let mut worker = s.streams.join(membership.clone()).await.unwrap();
    poll_until(worker.as_mut(), |all| all.gained.len() == 3).await;
    drop(worker);

    // Somebody grew the topic alone: the agent does not go on as if its state were there.
    s.streams.change_topic(&grow(4, &[])).await.unwrap();
    let error = s.streams.join(membership).await.err().unwrap();
    assert!(error.code() == "topic.invalid" && error.to_string().contains("partitions"), "{error}");
}
