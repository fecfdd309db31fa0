use serde_json::json;

use super::ring;

const MEMORY: &str = "memory_mib = 32 (row for \"tool:evil\", permissions.toml line 5)";

#[tokio::test(flavor = "multi_thread")]
async fn memory_ends_at_its_limit() {
    let ring = ring().await;
    match ring.attack("eat-memory", json!({})).await {
        Ok(mib) => assert!(mib.as_u64().unwrap() < 32, "{mib} MiB of 32 were had, beside the program itself"),
        Err(problem) => assert!(problem.message.contains(MEMORY), "{problem:?}"),
    }
    ring.limited("crash-on-memory", json!({}), MEMORY).await;
    ring.limited("crash-on-memory", json!({ "mib": 33 }), MEMORY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_sees_what_an_earlier_one_left() {
    let ring = ring().await;
    for _ in 0..5 {
        assert_eq!(ring.attack("remember", json!({})).await.unwrap(), 1);
    }
}
