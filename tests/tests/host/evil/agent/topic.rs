use serde_json::json;
use wasmill_tests::scratch::{denials, manifest};

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn another_topic_is_denied_and_stays_unwritten() {
    let mut arena = Arena::start("", "").await;
    let outcome = arena.attack(json!({ "attack": "topic" })).await;
    outcome.assert_error("permission.denied", &["agent:evil-agent may not write topic payments"]);
    arena.attack(json!({ "attack": "odd-topics" })).await.assert_result("[]");
    assert_eq!(arena.len("payments").await, 0);
    let denials = denials(arena.host()).await.unwrap();
    let row = "topics.write = [\"payments\"]";
    assert!(denials.iter().any(|denial| denial.contains(row)), "{denials:?}");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_even_a_star_leads_to_other_agents_state() {
    let wide = manifest("evil-agent").unwrap().replace("write = [\"evil.results\"]", "write = [\"*\"]");
    let rows = "[[row]]\nprincipal = \"agent:*\"\ntopics.write = [\"*\"]\n";
    let mut arena = Arena::with(&wide, "", rows).await;
    arena.attack(json!({ "attack": "topic" })).await.assert_result("sent");
    assert_eq!(arena.len("payments").await, 1);
    arena.attack(json!({ "attack": "odd-topics" })).await.assert_result("[]");
    let state = json!({ "attack": "topic", "topic": "wasmill.state.upper" });
    arena.attack(state).await.assert_error("topic.reserved", &["wasmill.state.upper"]);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_own_headers_are_not_forged() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "headers" })).await.assert_result("[]");
    arena.stop().await;
}
