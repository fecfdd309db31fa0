use serde_json::json;

use super::Arena;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_stays_warm_for_its_partition_alone_and_is_replaced_after_a_trap() {
    let mut arena = Arena::start("", "").await;
    let memory = json!({ "attack": "memory" });
    for (partition, handled) in [(0, "1"), (0, "2"), (1, "1"), (0, "3"), (1, "2")] {
        arena.attack_in(partition, memory.clone()).await.assert_result(handled);
    }
    arena.attack_in(0, json!({ "attack": "send-and-trap" })).await.dead("wasmill-dlq-code");
    arena.attack_in(0, memory.clone()).await.assert_result("1");
    arena.attack_in(1, memory).await.assert_result("3");
    arena.stop().await;
}
