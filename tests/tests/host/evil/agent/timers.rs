use std::time::{Duration, Instant};

use serde_json::json;
use wasmill::agents::{list_all, redrive};
use wasmill::streams::StreamError;
use wasmill_tests::scratch::PATIENCE;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn timers_are_out_of_the_reach_of_state_and_odd_ones_are_refused() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "timer-keys" })).await.assert_result("[]");
    arena.attack(json!({ "attack": "timer-names" })).await.assert_result("[]");
    arena.attack(json!({ "attack": "timer-payload" })).await.assert_error("timer.payload", &["65536"]);
    arena.attack(json!({ "attack": "timer-far" })).await.assert_result("0");
    arena.attack(json!({ "attack": "timer-cancel" })).await.assert_result("[true, false]");
    arena.attack(json!({ "attack": "timer-fired" })).await.assert_result("[]");
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_end_at_their_number() {
    let mut arena = Arena::start("timers_waiting = 50", "").await;
    let says = ["timers_waiting = 50 (row for \"agent:evil-agent\", permissions.toml line 2)"];
    arena.attack(json!({ "attack": "timer-many" })).await.assert_error("timer.full", &says);
    arena.attack(json!({ "attack": "timer-set", "timer": "more" })).await.assert_error("timer.full", &says);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_count_towards_the_state_of_their_partition() {
    let mut arena = Arena::start("state_mib = 3", "").await;
    let says = ["state_mib = 3 (row for \"agent:evil-agent\", permissions.toml line 2)"];
    arena.attack(json!({ "attack": "timer-fill" })).await.assert_error("state.full", &says);
    arena.attack(json!({ "attack": "state-fill" })).await.assert_error("state.full", &says);
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_set_themselves_for_ever_hold_up_no_record() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "timer-storm" })).await.assert_result("it blows");
    for expected in ["1", "2", "3", "4", "5"] {
        arena.attack(json!({ "attack": "state-count" })).await.assert_result(expected);
    }
    arena.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_fails_is_set_aside_and_the_others_fire() {
    let mut arena = Arena::start("", "").await;
    for (timer, payload) in [("fails", "fail"), ("good", ""), ("traps", "trap")] {
        let set = json!({ "attack": "timer-set", "timer": timer, "payload": payload });
        arena.attack(set).await.assert_result("set");
    }
    let dead = arena.scratch.wait_for("wasmill.timer.dlq", 2).await.unwrap();
    let began = Instant::now();
    loop {
        let report = arena.attack(json!({ "attack": "timer-fired" })).await.report();
        if report["result"] == "[(\"good\", 1)]" {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{report}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let header = |row: usize, name: &str| {
        let found = dead.headers.as_ref().unwrap().of(row).find(|(n, _)| *n == name.as_bytes());
        String::from_utf8(found.unwrap().1.to_vec()).unwrap()
    };
    for (row, (name, code)) in [("fails", "evil.lost"), ("traps", "guest.trap")].into_iter().enumerate() {
        assert_eq!(dead.key(row), Some(name.as_bytes()));
        assert_eq!(header(row, "wasmill-dlq-code"), code);
        assert_eq!(header(row, "wasmill-dlq-topic"), "wasmill.timer");
        assert_eq!(header(row, "wasmill-dlq-agent"), "evil-agent");
    }
    let letters = list_all(arena.scratch.streams(), 10).await.unwrap();
    assert_eq!(letters.iter().filter(|letter| letter.topic == "wasmill.timer").count(), 2, "{letters:?}");
    let refused = redrive(arena.scratch.streams(), "wasmill.timer", 10).await.unwrap_err();
    assert!(matches!(refused, StreamError::InvalidTopic { .. }), "{refused}");
    arena.stop().await;
}
