//! Dead letters and their way back, over the store's groups and transactions.

use wasmill::agents::{list, redrive};
use wasmill::streams::{Record, StreamError, TopicSpec};

use super::subject::{Subject, keyed, texts};

/// Dead letters of a topic, as a worker would have set them aside.
async fn with_letters(s: &Subject, partitions: u32, values: &[&str]) -> String {
    let topic = s.topic("work", 1).await;
    let dead = TopicSpec { name: format!("{topic}.dlq"), partitions, compacted: false };
    s.streams.create_topic(&dead).await.unwrap();
    more(s, &topic, values).await;
    topic
}

async fn more(s: &Subject, topic: &str, values: &[&str]) {
    let records = values.iter().enumerate().map(|(i, value)| Record {
        headers: vec![
            ("own".into(), b"\xff".to_vec()),
            // A stranger may claim anything; it goes where it belongs all the same.
            ("wasmill-dlq-topic".into(), b"elsewhere".to_vec()),
            ("wasmill-dlq-partition".into(), b"0".to_vec()),
            ("wasmill-dlq-offset".into(), i.to_string().into_bytes()),
            ("wasmill-dlq-reason".into(), b"because".to_vec()),
        ],
        ..keyed(value, value)
    });
    s.streams.append(&format!("{topic}.dlq"), records.collect()).await.unwrap();
}

pub async fn dead_letters_go_back_once_and_wait_no_more(s: Subject) {
    let topic = with_letters(&s, 3, &["a", "b", "c", "d"]).await;
    let waiting = list(&s.streams, &topic, 100).await.unwrap();
    assert_eq!(waiting.len(), 4);
    assert!(waiting.iter().all(|l| l.topic == topic && l.reason.as_deref() == Some("because") && l.origin.is_some()));

    assert_eq!(redrive(&s.streams, &topic, 100).await.unwrap().records, 4);
    assert_eq!(list(&s.streams, &topic, 100).await.unwrap(), []);
    assert_eq!(redrive(&s.streams, &topic, 100).await.unwrap().records, 0);

    let back = s.all_of(&topic, 1, 4).await.remove(0);
    let mut values = texts(&back);
    values.sort();
    assert_eq!(values, ["a", "b", "c", "d"]);
    let headers: Vec<_> = back.headers.as_ref().unwrap().of(0).map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
    assert_eq!(headers, [(b"own".to_vec(), b"\xff".to_vec())]);
}

pub async fn of_many_dead_letters_the_oldest_go_first(s: Subject) {
    let topic = with_letters(&s, 1, &["a", "b", "c"]).await;
    assert_eq!(redrive(&s.streams, &topic, 2).await.unwrap().records, 2);
    let waiting = list(&s.streams, &topic, 100).await.unwrap();
    assert_eq!(waiting.iter().map(|letter| letter.offset).collect::<Vec<_>>(), [2]);
    more(&s, &topic, &["d"]).await;
    assert_eq!(redrive(&s.streams, &topic, 100).await.unwrap().records, 2);
    assert_eq!(texts(&s.all_of(&topic, 1, 4).await[0]), ["a", "b", "c", "d"]);
}

pub async fn a_topic_without_dead_letters_has_none(s: Subject) {
    let topic = s.topic("work", 1).await;
    assert_eq!(list(&s.streams, &topic, 100).await.unwrap(), []);
    assert_eq!(redrive(&s.streams, &topic, 100).await.unwrap().records, 0);
    let nowhere = s.name("nowhere");
    assert_eq!(list(&s.streams, &nowhere, 100).await.unwrap_err(), StreamError::UnknownTopic(nowhere.clone()));
    assert_eq!(redrive(&s.streams, &nowhere, 100).await.unwrap_err(), StreamError::UnknownTopic(nowhere));
}
