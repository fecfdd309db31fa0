use std::time::{Duration, Instant};

use serde_json::json;
use wasmill_tests::scratch::manifest;

use super::super::ring::Ring;
use super::ROW;

/// Work that a guest can't hurry, and a machine under load may take long for.
const PATIENT: &str = "[[row]]\nprincipal = \"tool:evil\"\nclock = true\nlimits = { compute_ms = 60000 }\n";

#[tokio::test(flavor = "multi_thread")]
async fn without_the_grant_both_clocks_stand_still() {
    let ring = Ring::of("evil", PATIENT).await;
    // The row allows it, the manifest doesn't ask for it.
    for name in ["wall-clock", "monotonic-clock"] {
        assert_eq!(ring.attack(name, json!({})).await.unwrap(), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_grant_they_run() {
    let manifest = format!("{}\n[permissions]\nclock = true\n", manifest("evil").unwrap());
    let ring = Ring::with("evil", &manifest, "evil", PATIENT, &[]).await;
    for name in ["wall-clock", "monotonic-clock"] {
        assert!(ring.attack(name, json!({})).await.unwrap().as_u64().unwrap() > 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeper_holds_up_nobody_and_ends_with_its_deadline() {
    let rows = ROW.replace("deadline_ms = 5000", "deadline_ms = 1500");
    let ring = Ring::of("evil", &rows).await;
    let began = Instant::now();
    let others = async {
        let mut answered = 0;
        while began.elapsed() < Duration::from_millis(1000) {
            ring.is_well().await;
            answered += 1;
        }
        answered
    };
    let hour = json!({ "ms": 3_600_000 });
    let ((), answered) = tokio::join!(
        ring.limited("sleep", hour, "deadline_ms = 1500 (row for \"tool:evil\", permissions.toml line 5)"),
        others
    );
    assert!(answered > 0);
}
