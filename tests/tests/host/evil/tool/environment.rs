use serde_json::json;

use super::ring;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_what_the_host_was_started_with_is_seen() {
    let ring = ring().await;
    assert!(std::env::vars_os().next().is_some(), "the host has an environment to hide");
    assert_eq!(ring.attack("environment", json!({})).await.unwrap(), json!([]));
    assert_eq!(ring.attack("arguments", json!({})).await.unwrap(), json!([]));
    match ring.attack("input", json!({})).await {
        Ok(got) => assert_eq!(got, "got: 0"),
        Err(problem) => assert_eq!(problem.code, "tool.said.evil.refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_and_no_thread_is_started() {
    let ring = ring().await;
    for name in ["spawn", "thread"] {
        let problem = ring.refused(name, json!({})).await;
        assert_eq!(problem.code, "tool.said.evil.refused", "{name}: {problem:?}");
    }
}
