use serde_json::json;

use super::super::ring::Ring;
use super::{ROW, ring};

const COMPUTE: &str = "compute_ms = 500 (row for \"tool:evil\", permissions.toml line 5)";

#[tokio::test(flavor = "multi_thread")]
async fn loops_end_at_the_compute_limit_however_large_one_instruction_is() {
    let ring = ring().await;
    ring.limited("loop", json!({}), COMPUTE).await;
    ring.limited("copy", json!({}), COMPUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recursion_without_end_meets_the_end_of_its_own_stack() {
    let ring = ring().await;
    // Rust keeps frames in the guest's memory, whose end comes before that of the host's stack for it.
    assert_eq!(ring.refused("recursion", json!({})).await.code, "guest.trap");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_loops_at_once_leave_room_for_others() {
    let ring = Ring::of("evil", &ROW.replace("deadline_ms = 5000", "deadline_ms = 60000")).await;
    let loops = futures(8, || ring.limited("loop", json!({}), COMPUTE));
    tokio::join!(loops, async {
        for _ in 0..5 {
            ring.is_well().await;
        }
    });
}

async fn futures<F: Future<Output = ()>>(count: usize, start: impl Fn() -> F) {
    let mut all: Vec<_> = (0..count).map(|_| Box::pin(start())).collect();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
