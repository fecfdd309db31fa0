//! What an admin does to topics beside the host.

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

fn admin(address: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", address).create().unwrap()
}

/// Gives a topic these settings, and no others.
pub async fn alter(address: &str, topic: &str, settings: &[(&str, &str)]) {
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic));
    let change = settings.iter().fold(change, |change, (name, value)| change.set(name, value));
    for answer in admin(address).alter_configs(&[change], &AdminOptions::new()).await.unwrap() {
        answer.unwrap();
    }
}

/// One setting of a topic, as the broker has it.
pub async fn setting(address: &str, topic: &str, name: &str) -> String {
    let answer = admin(address).describe_configs(&[ResourceSpecifier::Topic(topic)], &AdminOptions::new()).await;
    let settings = answer.unwrap().pop().unwrap().unwrap();
    settings.get(name).and_then(|entry| entry.value.clone()).unwrap()
}

/// Creates a topic with these settings.
pub async fn create(address: &str, topic: &str, settings: &[(&str, &str)]) {
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let new = settings.iter().fold(new, |new, (name, value)| new.set(name, value));
    for answer in admin(address).create_topics(&[new], &AdminOptions::new()).await.unwrap() {
        answer.unwrap();
    }
}

/// Deletes a topic.
pub async fn delete(address: &str, topic: &str) {
    for answer in admin(address).delete_topics(&[topic], &AdminOptions::new()).await.unwrap() {
        answer.unwrap();
    }
}

/// Deletes the records of partition 0 before an offset. A compacted topic has to be less than that for a moment.
pub async fn delete_before(address: &str, topic: &str, offset: u64) {
    alter(address, topic, &[("cleanup.policy", "compact,delete")]).await;
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(topic, 0, Offset::Offset(offset as i64)).unwrap();
    let answer = admin(address).delete_records(&before, &AdminOptions::new()).await.unwrap();
    assert!(answer.elements().iter().all(|element| element.error().is_ok()), "{answer:?}");
    alter(address, topic, &[("cleanup.policy", "compact")]).await;
}
