use serde_json::json;
use wasmill_tests::scratch::manifest;

use super::super::ring::Ring;
use super::ring;

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_its_own_settings_and_nobody_elses() {
    let own = [("colour", "red"), ("size", "7")];
    let ring = Ring::with("evil", &manifest("evil").unwrap(), "evil", "", &own).await;
    assert_eq!(ring.attack("settings", json!({})).await.unwrap(), json!([["colour", "red"], ["size", "7"]]));
    assert_eq!(ring.attack("setting-names", json!({})).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_that_attacks_works_where_it_is_harmless() {
    let ring = ring().await;
    assert_eq!(ring.attack("echo", json!({ "a": [1, null] })).await.unwrap(), json!({ "a": [1, null] }));
}
