use serde_json::json;
use wasmill::problem::ProblemKind;

use super::ring;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_guest_ends_one_call_and_nothing_else() {
    let ring = ring().await;
    for (name, arguments) in [
        ("panic", json!({})),
        ("abort", json!({})),
        ("exit", json!({ "code": 0 })),
        ("exit", json!({ "code": 7 })),
        ("stray-pointer", json!({})),
    ] {
        let problem = ring.refused(name, arguments).await;
        assert_eq!((problem.kind, problem.code.as_str()), (ProblemKind::Failed, "guest.trap"), "{name}: {problem:?}");
        assert!(problem.message.starts_with("evil@0.1.0 trapped: "), "{problem:?}");
        assert_eq!(ring.attack("remember", json!({})).await.unwrap(), 1, "after {name}");
    }
}
