use serde_json::json;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_values_over_their_limits_are_refused() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "state-key" })).await.assert_result("0");
    arena.attack(json!({ "attack": "state-value" })).await.assert_error("state.value", &["1048576"]);
    arena.attack(json!({ "attack": "state-scan" })).await.assert_result("1024");
    // So many that the host does not even take them out of the guest.
    let outcome = arena.attack(json!({ "attack": "state-batch" })).await;
    assert_eq!(outcome.dead("wasmill-dlq-code"), "guest.limit");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn state_ends_at_its_limit_and_what_was_stored_before_stays() {
    let mut arena = Arena::start("state_mib = 3", "").await;
    let says = ["state_mib = 3 (row for \"agent:evil-agent\", permissions.toml line 2)"];
    arena.attack(json!({ "attack": "state-fill" })).await.assert_error("state.full", &says);
    // Stored under the limit: the next one meets it at once, so it counts what is there.
    arena.attack(json!({ "attack": "state-fill" })).await.assert_error("state.full", &says);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_counts_each_record_once() {
    let mut arena = Arena::start("", "").await;
    for expected in ["1", "2", "3"] {
        arena.attack(json!({ "attack": "state-count" })).await.assert_result(expected);
    }
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_leads_to_anothers_state() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "state-others" })).await.assert_result("[]");
    arena.stop().await;
}
