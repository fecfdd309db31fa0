//! Shapes of topics, and how they change.

use wasmill::streams::{Bound, Keeps, StreamError, TopicChange, TopicShape, TopicSpec};

use super::subject::{A_MOMENT, Subject, keyed, texts};

fn grow(name: &str, partitions: u32) -> TopicChange {
    TopicChange::Grow { name: name.to_owned(), partitions, states: vec![] }
}

pub async fn shapes_tell_what_topics_do(s: Subject) {
    let compacted = TopicSpec { name: s.name("compacted"), partitions: 2, compacted: true };
    let change = TopicChange::Create(TopicShape { spec: compacted, replicas: None, keeps: Keeps::default() });
    s.streams.change_topic(&change).await.unwrap();
    s.topic("plain", 1).await;
    let ours = |name: &str| name.ends_with(&s.name(""));
    let mut specs = s.streams.topics().await.unwrap();
    let mut shapes = s.streams.shapes().await.unwrap();
    specs.retain(|spec| ours(&spec.name));
    shapes.retain(|shape| ours(&shape.spec.name));
    assert_eq!(shapes.iter().map(|shape| shape.spec.clone()).collect::<Vec<_>>(), specs);
    assert_eq!(shapes.len(), 2);
    for shape in &shapes {
        assert_eq!(shape.replicas, Some(1));
        assert_eq!(shape.keeps.cleanup.unwrap().is_compacting(), shape.spec.compacted);
        assert!(shape.keeps.retention_ms.is_some() && shape.keeps.retention_bytes.is_some());
    }
    assert!(matches!(s.streams.change_topic(&change).await, Err(StreamError::TopicExists(_))));
}

pub async fn what_a_topic_keeps_changes_and_the_rest_stays(s: Subject) {
    let spec = TopicSpec { name: s.name("bounded"), partitions: 1, compacted: false };
    let keeps = Keeps { retention_ms: Some(Bound::AtMost(86_400_000)), ..Keeps::default() };
    s.streams
        .change_topic(&TopicChange::Create(TopicShape { spec: spec.clone(), replicas: None, keeps }))
        .await
        .unwrap();
    let bounds = async || {
        let shapes = s.streams.shapes().await.unwrap();
        let keeps = shapes.into_iter().find(|shape| shape.spec.name == spec.name).unwrap().keeps;
        (keeps.retention_ms, keeps.retention_bytes)
    };
    assert_eq!(bounds().await, (Some(Bound::AtMost(86_400_000)), Some(Bound::Unlimited)));
    let keeps = Keeps { retention_bytes: Some(Bound::AtMost(1 << 30)), ..Keeps::default() };
    s.streams.change_topic(&TopicChange::Keep { name: spec.name.clone(), keeps }).await.unwrap();
    assert_eq!(bounds().await, (Some(Bound::AtMost(86_400_000)), Some(Bound::AtMost(1 << 30))));
    let keeps = Keeps { retention_ms: Some(Bound::Unlimited), ..Keeps::default() };
    s.streams.change_topic(&TopicChange::Keep { name: spec.name.clone(), keeps }).await.unwrap();
    assert_eq!(bounds().await, (Some(Bound::Unlimited), Some(Bound::AtMost(1 << 30))));
}

pub async fn a_grown_topic_keeps_its_records_and_takes_new_ones(s: Subject) {
    let topic = s.topic("grows", 1).await;
    s.append_numbered(&topic, ["a", "b", "c"].map(str::to_owned)).await;
    // Who has written to it already must not go on as if it had one partition.
    s.streams.change_topic(&grow(&topic, 3)).await.unwrap();
    let mut record = keyed("k", "new");
    record.partition = Some(2);
    assert_eq!(s.streams.append(&topic, vec![record]).await.unwrap(), [(2, 0)]);
    let s = s.reopened().await;
    let specs = s.streams.topics().await.unwrap();
    assert_eq!(specs.iter().find(|spec| spec.name == topic).unwrap().partitions, 3);
    assert_eq!(texts(&s.streams.read(&topic, 0, 0, 10, A_MOMENT).await.unwrap()), ["0", "1", "2"]);
    assert_eq!(texts(&s.streams.read(&topic, 2, 0, 10, A_MOMENT).await.unwrap()), ["new"]);
}

pub async fn partitions_are_never_taken_away(s: Subject) {
    let (topic, missing) = (s.topic("stays", 3).await, s.name("missing"));
    assert_eq!(s.streams.change_topic(&grow(&topic, 2)).await.unwrap_err().code(), "topic.invalid");
    assert_eq!(s.streams.change_topic(&grow(&topic, 100_000)).await.unwrap_err().code(), "topic.invalid");
    assert_eq!(s.streams.change_topic(&grow(&missing, 4)).await.unwrap_err(), StreamError::UnknownTopic(missing));
    assert_eq!(s.streams.topics().await.unwrap().iter().find(|spec| spec.name == topic).unwrap().partitions, 3);
}
