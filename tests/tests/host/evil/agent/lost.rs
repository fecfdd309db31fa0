use std::time::Instant;

use serde_json::json;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_record_that_failed_is_ever_seen() {
    let mut arena = Arena::start("", "").await;
    for (attack, code) in [("send-and-fail", "evil.lost"), ("send-and-trap", "guest.trap"), ("odd-row", "evil.lost")] {
        let outcome = arena.attack(json!({ "attack": attack })).await;
        assert_eq!(outcome.dead("wasmill-dlq-code"), code, "{attack}");
        assert_eq!(outcome.dead("wasmill-dlq-attempts"), "1", "{attack}");
    }
    assert_eq!(arena.len("evil.results").await, 3, "only the records between the attacks");
    // The key `lost` was set before each failure.
    let empty = arena.attack(json!({ "attack": "state-others" })).await;
    empty.assert_result("[]");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_asks_for_another_try_is_tried_three_times() {
    let mut arena = Arena::start("", "").await;
    let began = Instant::now();
    let outcome = arena.attack(json!({ "attack": "retry-for-ever" })).await;
    assert_eq!(outcome.dead("wasmill-dlq-attempts"), "3");
    assert!(began.elapsed().as_millis() >= 300, "there are pauses between the tries");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_of_any_size_fits_into_the_dead_letter() {
    let mut arena = Arena::start("", "").await;
    let outcome = arena.attack(json!({ "attack": "huge-reason" })).await;
    let reason = outcome.dead("wasmill-dlq-reason");
    assert!(!reason.is_empty() && reason.len() <= 8 * 1024, "{} bytes", reason.len());
    arena.stop().await;
}
