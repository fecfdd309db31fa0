use serde_json::json;

use super::Arena;

const ROW: &str = "(row for \"agent:evil-agent\", permissions.toml line 2)";

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_ends_at_the_compute_limit_and_its_record_is_set_aside() {
    let mut arena = Arena::start("compute_ms = 300", "").await;
    let outcome = arena.attack(json!({ "attack": "loop" })).await;
    assert_eq!(outcome.dead("wasmill-dlq-code"), "guest.limit");
    let reason = outcome.dead("wasmill-dlq-reason");
    assert!(reason.contains("compute_ms = 300") && reason.contains(ROW), "{reason}");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_kept_from_record_to_record_ends_at_its_limit() {
    let mut arena = Arena::start("memory_mib = 40", "").await;
    // An instance that is full is replaced, and the record that met its end is handled by the next one.
    for _ in 0..6 {
        arena.attack(json!({ "attack": "keep" })).await.assert_result("kept 16777216 bytes");
    }
    let outcome = arena.attack(json!({ "attack": "keep", "mib": 41 })).await;
    let reason = outcome.dead("wasmill-dlq-reason");
    assert!(reason.contains("memory_mib = 40") && reason.contains(ROW), "{reason}");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_output_than_the_limit_is_not_seen_at_all() {
    let mut arena = Arena::start("output_kib = 4096", "").await;
    let outcome = arena.attack(json!({ "attack": "amplify", "records": 10_000 })).await;
    assert_eq!(outcome.dead("wasmill-dlq-code"), "agent.output");
    let reason = outcome.dead("wasmill-dlq-reason");
    assert!(reason.contains("output_kib = 4096") && reason.contains(ROW), "{reason}");
    assert_eq!(arena.len("evil.results").await, 1, "the record after it, and nothing of the flood");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_no_log_takes_is_refused_when_it_is_sent() {
    let mut arena = Arena::start("", "").await;
    for attack in ["huge-record", "huge-key"] {
        let says = ["over the limit of 1048576"];
        arena.attack(json!({ "attack": attack, "mib": 2 })).await.assert_error("record.too-large", &says);
    }
    arena.attack(json!({ "attack": "many-headers" })).await.assert_error("record.headers", &["64"]);
    arena.stop().await;
}
