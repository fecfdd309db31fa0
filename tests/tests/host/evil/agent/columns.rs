use serde_json::json;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_contradict_each_other_are_refused() {
    let mut arena = Arena::start("", "").await;
    arena.attack(json!({ "attack": "columns" })).await.assert_result("[]");
    assert_eq!(arena.len("evil.results").await, 2, "the report and the record after it, and nothing else");
    arena.stop().await;
}
