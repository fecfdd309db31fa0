use serde_json::json;
use wasmill::problem::{Problem, ProblemKind};

use super::super::ring::Ring;
use super::{ROW, ring};

const OUTPUT: &str = "output_kib = 1024 (row for \"tool:evil\", permissions.toml line 5)";

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_meets_a_limit_by_name() {
    ring().await.limited("huge-result", json!({}), "memory_mib = 32").await;
    let ring = Ring::of("evil", &ROW.replace("memory_mib = 32", "memory_mib = 128")).await;
    // Just over the limit, and so far over it that the host does not even take it out of the guest.
    ring.limited("huge-result", json!({ "mib": 1 }), OUTPUT).await;
    ring.limited("huge-result", json!({ "mib": 8 }), OUTPUT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_result_that_fits_is_passed_on() {
    let ring = Ring::of("evil", &ROW.replace("output_kib = 1024", "output_kib = 1025")).await;
    assert_eq!(ring.attack("huge-result", json!({ "mib": 1 })).await.unwrap().as_str().unwrap().len(), 1024 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_text_of_any_size_becomes_a_short_one() {
    let ring = ring().await;
    let cut = ring.refused("huge-error", json!({ "mib": 1 })).await;
    assert_eq!(cut.code, "tool.said.evil.huge");
    assert!(cut.message.len() < 8 * 1024, "{} bytes", cut.message.len());
    for mib in [8, 1024] {
        let limited = ring.refused("huge-error", json!({ "mib": mib })).await;
        assert_eq!(limited.kind, ProblemKind::Limit, "{mib} MiB: {}", limited.code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_not_passed_on() {
    let ring = ring().await;
    for (name, reason) in [("no-json", "not JSON"), ("half-json", "not JSON"), ("deep-json", "nested over 100 deep")] {
        let problem = ring.refused(name, json!({})).await;
        assert_eq!((problem.kind, problem.code.as_str()), (ProblemKind::Failed, "tool.answer"), "{name}: {problem:?}");
        assert!(problem.message.contains(reason), "{name}: {problem:?}");
    }
    let problem = ring.refused("no-utf8", json!({})).await;
    assert_eq!((problem.kind, problem.code.as_str()), (ProblemKind::Failed, "guest.trap"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_cannot_steer_a_terminal() {
    let Problem { code, message, next, .. } = ring().await.refused("escape", json!({})).await;
    for text in [code, message, next] {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tools_word_never_passes_for_a_decision_of_the_host() {
    let problem = ring().await.refused("pretend", json!({})).await;
    assert_eq!((problem.kind, problem.code.as_str()), (ProblemKind::Failed, "tool.said.permission.denied"));
    assert!(problem.message.starts_with("evil@0.1.0 says: "), "{problem:?}");
    assert!(problem.next.starts_with("evil@0.1.0 suggests: "), "{problem:?}");
}
