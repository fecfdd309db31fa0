//! Topics.

use wasmill::streams::{PARTITIONS_MAX, StreamError, TopicSpec, Work};

use super::subject::{A_MOMENT, Subject, done, keyed, keyless, output, poll_until};

pub async fn created_topics_are_listed(s: Subject) {
    let plain = TopicSpec { name: s.name("plain"), partitions: 3, compacted: false };
    let compacted = TopicSpec { name: s.name("compacted"), partitions: 1, compacted: true };
    s.streams.create_topic(&plain).await.unwrap();
    s.streams.create_topic(&compacted).await.unwrap();
    // A group with state must not add a topic of its own to the list.
    let mut worker = s.join("group", &[&plain.name]).await;
    worker.poll(A_MOMENT).await.unwrap();
    drop(worker);
    let s = s.reopened().await;
    let mut listed = s.streams.topics().await.unwrap();
    assert!(listed.is_sorted_by(|a, b| a.name < b.name), "{listed:?}");
    listed.retain(|topic| topic.name.ends_with(&s.name("")));
    assert_eq!(listed, [compacted, plain]);
}

pub async fn a_topic_is_created_only_once(s: Subject) {
    let name = s.topic("once", 1).await;
    for partitions in [1, 2] {
        let again = TopicSpec { name: name.clone(), partitions, compacted: false };
        assert_eq!(s.streams.create_topic(&again).await, Err(StreamError::TopicExists(name.clone())));
    }
}

pub async fn names_and_partition_counts_follow_kafkas_rules(s: Subject) {
    s.topic("a.b", 1).await;
    let collides = s.name("a_b");
    let cases = [
        ("", 1),
        (".", 1),
        ("..", 1),
        ("with space", 1),
        ("../escape", 1),
        ("ünïcode", 1),
        ("none", 0),
        ("many", PARTITIONS_MAX + 1),
        (collides.as_str(), 1),
    ];
    for (name, partitions) in cases {
        let topic = TopicSpec { name: name.to_owned(), partitions, compacted: false };
        let error = s.streams.create_topic(&topic).await.unwrap_err();
        assert_eq!(error.code(), "topic.invalid", "{name:?}, {partitions}: {error}");
    }
}

pub async fn what_does_not_exist_is_named(s: Subject) {
    let (topic, missing) = (s.topic("there", 2).await, s.name("missing"));
    let unknown = StreamError::UnknownTopic(missing.clone());
    assert_eq!(s.streams.append(&missing, vec![keyed("k", "v")]).await.unwrap_err(), unknown);
    assert_eq!(s.streams.read(&missing, 0, 0, 1, A_MOMENT).await.unwrap_err(), unknown);
    assert_eq!(s.streams.watermarks(&missing, 0).await.unwrap_err(), unknown);
    assert_eq!(s.streams.committed("group", &missing).await.unwrap_err(), unknown);
    assert_eq!(s.streams.join(s.membership("group", &[&topic, &missing])).await.err(), Some(unknown.clone()));

    let mut worker = s.join("group", &[&topic]).await;
    let work = Work { outputs: vec![output(&missing, &[("k", "v")])], ..Work::default() };
    assert_eq!(worker.commit(work).await.unwrap_err(), unknown);

    let beyond = StreamError::UnknownPartition { topic: topic.clone(), partition: 2 };
    assert_eq!(s.streams.read(&topic, 2, 0, 1, A_MOMENT).await.unwrap_err(), beyond);
    assert_eq!(s.streams.watermarks(&topic, 2).await.unwrap_err(), beyond);
    let mut record = keyed("k", "v");
    record.partition = Some(2);
    assert_eq!(s.streams.append(&topic, vec![record]).await.unwrap_err(), beyond);
}

pub async fn a_compacted_topic_keeps_the_newest_record_of_each_key(s: Subject) {
    let topic = TopicSpec { name: s.name("compacted"), partitions: 1, compacted: true };
    s.streams.create_topic(&topic).await.unwrap();
    let records = vec![keyed("a", "1"), keyed("b", "1"), keyed("a", "2")];
    s.streams.append(&topic.name, records).await.unwrap();
    s.streams.append(&topic.name, vec![keyed("c", "1"), keyed("b", "2")]).await.unwrap();
    let mut worker = s.join("group", &[&topic.name]).await;
    // Kafka compacts when it likes: older records may still be there, but the last of each key must be right.
    let mut newest = std::collections::BTreeMap::new();
    while !newest.contains_key("c") || newest.get("b").is_none_or(|value| value != "2") {
        let batches = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
        for batch in &batches {
            for i in 0..batch.len() {
                let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
                newest.insert(text(batch.key(i)), text(batch.value(i)));
            }
        }
        worker.commit(done(&batches)).await.unwrap();
    }
    let newest: Vec<_> = newest.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(newest, [("a", "2"), ("b", "2"), ("c", "1")]);
    let record = keyless("v");
    assert_eq!(s.streams.append(&topic.name, vec![record]).await.unwrap_err().code(), "record.invalid");
}
