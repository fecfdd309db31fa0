use serde_json::json;
use wasmill_tests::scratch::manifest;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn what_no_row_grants_is_not_started() {
    let mut arena = Arena::start("", "").await;
    let says = ["agent:evil-agent may not start agent relay"];
    for attack in ["start", "start-many"] {
        arena.attack(json!({ "attack": attack })).await.assert_error("permission.denied", &says);
    }
    arena.attack(json!({ "attack": "stop-others" })).await.assert_result("[]");
    let topics = arena.scratch.streams().topics().await.unwrap();
    assert!(!topics.iter().any(|topic| topic.name == "wasmill.agents"), "{topics:?}");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_start_agents_starts_none_with_an_odd_name_and_not_too_many() {
    let wide = manifest("evil-agent").unwrap().replace("agents = [\"none\"]", "agents = [\"*\"]");
    let rows = "[[row]]\nprincipal = \"agent:*\"\nagents = [\"*\"]\n";
    let mut arena = Arena::with(&wide, "agents_started = 3", rows).await;
    // Only what this agent may read itself.
    let refused = arena.attack(json!({ "attack": "start" })).await;
    refused.assert_error("permission.denied", &["agent:evil-agent may not read topic relay.in"]);
    let reads = json!({ "attack": "start-names", "reads": "evil.attacks" });
    arena.attack(reads).await.assert_result("[]");
    let many = json!({ "attack": "start-many", "reads": "evil.attacks" });
    let says = ["agents_started = 3 (row for \"agent:evil-agent\", permissions.toml line 2)"];
    arena.attack(many).await.assert_error("agents.many", &says);
    arena.attack(json!({ "attack": "stop-others" })).await.assert_result("[]");
    for expected in ["stopped: true", "stopped: false"] {
        arena.attack(json!({ "attack": "stop", "name": "many-0" })).await.assert_result(expected);
    }
    arena.stop().await;
}
