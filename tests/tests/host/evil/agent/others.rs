use serde_json::json;
use wasmill::streams::PARTITIONS_MAX;
use wasmill_tests::scratch::manifest;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn tools_models_and_topics_of_others_are_denied() {
    let mut arena = Arena::start("", "").await;
    for (attack, tried) in [
        ("tool", "agent:evil-agent may not call tool evil"),
        ("model", "agent:evil-agent may not"),
        ("create-topic", "agent:evil-agent may not create topic evil.new"),
        ("many-partitions", "agent:evil-agent may not create topic evil.wide"),
        ("retention", "agent:evil-agent may not create topic evil.long"),
        ("many-topics", "agent:evil-agent may not create topic evil.many-0"),
    ] {
        arena.attack(json!({ "attack": attack })).await.assert_error("permission.denied", &[tried]);
    }
    arena.attack(json!({ "attack": "topic-names" })).await.assert_result("[]");
    arena.attack(json!({ "attack": "model-size" })).await.assert_error("model.none", &["no model is configured"]);
    let topics = arena.scratch.streams().topics().await.unwrap();
    assert!(!topics.iter().any(|topic| topic.name == "evil.new"), "{topics:?}");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_create_any_topic_creates_none_with_an_odd_name_or_size() {
    let wide = manifest("evil-agent").unwrap().replace("create = [\"evil.results\"]", "create = [\"*\"]");
    let rows = "[[row]]\nprincipal = \"agent:*\"\ntopics.create = [\"*\"]\n";
    let mut arena = Arena::with(&wide, "", rows).await;
    arena.attack(json!({ "attack": "create-topic" })).await.assert_result("created: true");
    arena.attack(json!({ "attack": "topic-names" })).await.assert_result("[]");
    let most = PARTITIONS_MAX.to_string();
    let outcome = arena.attack(json!({ "attack": "many-partitions" })).await;
    outcome.assert_error("topic.invalid", &[&most]);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_without_end_is_refused_before_it_is_sent() {
    // Nobody listens there: a question that is sent ends otherwise.
    let nowhere = wasmill::capabilities::ModelConfig::new("http://127.0.0.1:9/v1", "allowed");
    let mut arena = Arena::asking(nowhere).await;
    arena.attack(json!({ "attack": "model-size" })).await.assert_error("model.question", &["256"]);
    let sent = arena.attack(json!({ "attack": "model", "model": "allowed" })).await;
    sent.assert_error("model.unavailable", &[]);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_create_topics_creates_as_many_and_as_large_ones_as_the_row_says() {
    let wide = manifest("evil-agent").unwrap().replace("create = [\"evil.results\"]", "create = [\"evil.*\"]");
    let rows = "[[row]]\nprincipal = \"agent:*\"\ntopics.create = [\"evil.*\"]\n";
    let mut arena = Arena::with(&wide, "topics_made = 5, topic_partitions = 3, topic_hours = 1", rows).await;
    let row = "(row for \"agent:evil-agent\", permissions.toml line 2)";
    let says = |limit: &str| format!("{limit} {row}");
    let four = json!({ "attack": "many-partitions", "partitions": 4 });
    arena.attack(four).await.assert_error("topic.partitions", &[&says("topic_partitions = 3")]);
    arena.attack(json!({ "attack": "retention" })).await.assert_error("topic.retention", &[&says("topic_hours = 1")]);
    let three = json!({ "attack": "many-partitions", "partitions": 3 });
    arena.attack(three.clone()).await.assert_result("created: true");
    arena.attack(three).await.assert_result("created: false");
    arena.attack(json!({ "attack": "many-topics" })).await.assert_error("topic.many", &[&says("topics_made = 5")]);
    let topics = arena.scratch.streams().topics().await.unwrap();
    let evil: Vec<_> = topics.iter().filter(|topic| topic.name.starts_with("evil.")).collect();
    assert_eq!(evil.len(), 5, "{evil:?}");
    arena.stop().await;
}
