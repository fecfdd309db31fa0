//! The attacks of `plugins/evil-calls`: tools that call tools.

use std::time::{Duration, Instant};

use serde_json::json;
use wasmill::problem::ProblemKind;
use wasmill_tests::scratch::{Scratch, denials};

use super::ring::Ring;

const ROW: &str = "[[row]]\nprincipal = \"tool:evil-calls\"\ntools = [\"evil-calls\"]\n\
    limits = { compute_ms = 500, deadline_ms = 3000 }\n";

async fn ring() -> Ring {
    let ring = Ring::of("evil-calls", ROW).await;
    ring.scratch.install("evil").unwrap();
    ring.host.catalog.refresh().await.unwrap();
    ring
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_it_is_refused_at_load_with_the_import_named() {
    let scratch = Scratch::new("").await.unwrap();
    scratch.install("evil-calls").unwrap();
    scratch.install("text-metrics").unwrap();
    let snapshot = scratch.open().await.unwrap().catalog.snapshot();
    assert!(snapshot.tool("text-metrics").is_some());
    let [refused] = &snapshot.refused[..] else { panic!("{:?}", snapshot.refused) };
    assert_eq!(refused.code, "component.import");
    assert!(refused.reason.contains("`wasmill:plugin/tools@0.1.0`"), "{}", refused.reason);
    assert!(refused.reason.contains("\"tool:evil-calls\""), "{}", refused.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_without_a_row_is_not_called_and_not_even_listed() {
    let ring = ring().await;
    assert!(ring.host.catalog.snapshot().tool("evil").is_some(), "there is something to call");
    let problem = ring.refused("ungranted", json!({})).await;
    assert_eq!(problem.code, "tool.said.permission.denied", "{problem:?}");
    assert!(problem.message.contains("tool:evil-calls may not call tool evil"), "{problem:?}");
    assert!(problem.next.contains("tools = [\"evil\"]") && problem.next.contains("(line 5)"), "{problem:?}");
    assert_eq!(denials(&ring.host).await.unwrap().len(), 1);
    assert_eq!(ring.attack("discover", json!({})).await.unwrap(), json!(["evil-calls"]));
    assert_eq!(ring.attack("names", json!({})).await.unwrap(), json!([]));
    assert_eq!(ring.attack("bad-arguments", json!({})).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_calls_itself_ends_at_the_call_depth() {
    let ring = ring().await;
    // The client's own call is the first of eight levels.
    assert_eq!(ring.attack("depth", json!({})).await.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_bounded_and_others_are_answered_meanwhile() {
    let ring = ring().await;
    let began = Instant::now();
    let (_, ()) = tokio::join!(ring.call("evil-calls", "fork-bomb", json!({})), async {
        for _ in 0..10 {
            ring.is_well().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(began.elapsed() < Duration::from_secs(60), "it goes on for {:?}", began.elapsed());
    ring.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_or_too_large_calls_meet_a_limit_and_none_is_made() {
    let ring = ring().await;
    let problem = ring.refused("many", json!({})).await;
    // The tool passes the host's error on, as its own words.
    assert_eq!(problem.code, "tool.said.tools.calls", "{problem:?}");
    assert!(problem.message.contains("10000") && problem.message.contains("64"), "{problem:?}");
    let problem = ring.refused("huge-arguments", json!({})).await;
    assert_eq!(problem.kind, ProblemKind::Limit, "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_its_caller() {
    let rows = "[[row]]\nprincipal = \"tool:evil-calls\"\ntools = [\"evil-calls\"]\nlimits = { compute_ms = 60000 }\n\
        [[row]]\nprincipal = \"client:*\"\nlimits = { deadline_ms = 1000 }\n";
    let ring = Ring::of("evil-calls", rows).await;
    let began = Instant::now();
    ring.limited(
        "outlive",
        json!({}),
        "deadline_ms = 1000 (row for \"client:*\", permissions.toml line 9) of client:cli",
    )
    .await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    ring.limited("loop", json!({}), "deadline_ms = 1000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_in_a_tool_that_may_call_others_ends_as_any_other() {
    ring().await.limited("loop", json!({}), "compute_ms = 500 (row for \"tool:evil-calls\"").await;
}
