use serde_json::json;
use wasmill::capabilities::LOG_LINES_PER_CALL_MAX;
use wasmill_tests::scratch::manifest;

use super::super::lines::{Line, of};
use super::super::ring::Ring;

/// The lines that an attack leaves in the log. Each test's tool has a name of its own, as the log is one for all.
async fn lines_of(name: &str, attack: &str, arguments: serde_json::Value) -> Vec<Line> {
    let log = of(&format!("{name}@0.1.0"));
    let manifest = manifest("evil").unwrap().replacen("\"evil\"", &format!("{name:?}"), 1);
    let ring = Ring::with("evil", &manifest, name, "", &[]).await;
    ring.attack(attack, arguments).await.unwrap();
    drop(ring);
    log.take().await
}

fn assert_flood_was_stopped(lines: &[Line]) {
    let most = LOG_LINES_PER_CALL_MAX as usize;
    assert_eq!(lines.len(), most + 1, "{most} lines, and one that says how many were dropped");
    let last = lines.last().unwrap();
    assert!(last.message.contains("dropped") && last.dropped > 0, "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_of_log_lines_the_first_stay_and_the_rest_is_counted() {
    let lines = lines_of("flood-lines", "log-flood", json!({ "lines": 20_000 })).await;
    assert_flood_was_stopped(&lines);
    assert_eq!(lines.last().unwrap().dropped, 20_000 - u64::from(LOG_LINES_PER_CALL_MAX));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_on_stdout_the_first_lines_stay_and_the_rest_is_counted() {
    assert_flood_was_stopped(&lines_of("flood-stdout", "stdout-flood", json!({ "mib": 4 })).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_stdout_and_stderr_is_logged() {
    let lines = lines_of("flood-both", "both-streams", json!({})).await;
    let mut messages: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["a complaint", "a word"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_end_becomes_pieces() {
    let lines = lines_of("flood-endless", "stdout-line", json!({ "mib": 1 })).await;
    assert_eq!(lines.len(), 128);
    assert!(lines.iter().all(|line| line.message.len() <= 8 * 1024));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_line_and_many_fields_are_cut() {
    let lines = lines_of("flood-long", "log-line", json!({})).await;
    assert_eq!(lines.iter().map(|line| line.message.len()).collect::<Vec<_>>(), [8 * 1024]);
    let lines = lines_of("flood-fields", "log-fields", json!({})).await;
    assert_eq!(lines[0].fields.matches("name=value").count(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_cannot_fake_another_one() {
    let lines = lines_of("flood-forgery", "log-forgery", json!({})).await;
    assert_eq!(lines.len(), 1);
    let Line { message, fields, .. } = &lines[0];
    assert!(!message.chars().chain(fields.chars()).any(char::is_control), "{message:?} {fields:?}");
}
