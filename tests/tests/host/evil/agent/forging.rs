use serde_json::{Value, json};
use wasmill_tests::parts::{Missing, require};

use super::Arena;

/// True where this machine has a forge.
async fn can_forge(arena: &mut Arena) -> bool {
    let report = arena.attack(json!({ "attack": "forge" })).await.report();
    let forged = report["result"].as_str().is_some_and(|result| result.starts_with("callable: evil-agent."));
    if !forged {
        let missing = report["message"].as_str().unwrap_or_default().to_owned();
        return require(Err::<(), _>(Missing { part: "forge", reason: missing })).is_some();
    }
    forged
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forge_makes_what_is_harmless_and_nothing_else() {
    let mut arena = Arena::start("", "").await;
    if !can_forge(&mut arena).await {
        return;
    }
    arena.attack(json!({ "attack": "forge-names" })).await.assert_result("[]");
    arena.attack(json!({ "attack": "forge-crates" })).await.assert_result("[]");
    let size = arena.attack(json!({ "attack": "forge-size" })).await.report();
    assert!(refusal(&size).starts_with("refused: Stage::Refuse"), "{size}");
    let source = json!({ "attack": "forge", "source": "fn main() { include_str!(\"/etc/passwd\"); }" });
    let source = arena.attack(source).await.report();
    assert!(refusal(&source).starts_with("refused: "), "{source}");
    let more = arena.attack(json!({ "attack": "forge-more" })).await.report();
    if !refusal(&more).starts_with("refused: ") {
        let snapshot = arena.host().catalog.snapshot();
        let made = snapshot.tool("evil-agent.more").unwrap();
        let effective = made.identity.grant.effective();
        assert!(effective.http.is_empty() && effective.secrets.is_empty(), "{effective:?}");
    }
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_builds_than_an_hour_has_meet_a_limit_by_name() {
    let mut arena = Arena::start("builds_per_hour = 2, deadline_ms = 300000", "").await;
    if !can_forge(&mut arena).await {
        return;
    }
    let outcome = arena.attack(json!({ "attack": "forge-many" })).await;
    outcome.assert_error("forge.quota", &["agent:evil-agent", "builds_per_hour"]);
    arena.stop().await;
}

fn refusal(report: &Value) -> &str {
    report["result"].as_str().or(report["message"].as_str()).unwrap_or_default()
}
