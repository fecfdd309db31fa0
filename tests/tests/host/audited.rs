//! What leaves a row in the audit trail, and how the trail comes to its topic.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasmill::audit::AUDIT_TOPIC;
use wasmill::host::Host;
use wasmill::store::{AuditEntry, AuditFilter, NewRun, Store};
use wasmill_registry::Checkpoint;
use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::{PATIENCE, Scratch};
use wasmill_tests::up::Up;

/// Action and decision of all rows that begin so, oldest first.
fn rows(cli: &Cli, action: &str) -> Vec<(String, String)> {
    let listed = cli.run(&["audit", "list", "--limit", "1000"]).json();
    let mut rows: Vec<&Value> = listed.as_array().unwrap().iter().collect();
    rows.sort_by_key(|row| (row["at_ms"].as_i64(), row["seq"].as_i64()));
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = rows.into_iter().map(|row| (text(row, "action"), text(row, "decision")));
    rows.filter(|(done, _)| done.starts_with(action)).collect()
}

fn row(action: &str, decision: &str) -> (String, String) {
    (action.to_owned(), decision.to_owned())
}

#[test]
fn loads_and_approvals_leave_a_row_each_time_that_something_changes() {
    let cli = Cli::new();
    let permissions = "privileged = [\"topics.read\"]\n[[row]]\nprincipal = \"agent:upper\"\n\
                       topics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";
    cli.write("home/permissions.toml", permissions);
    let Some(()) = cli.install("upper") else { return };
    for topic in ["lower", "upper"] {
        cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let up = Up::start(&cli);
    cli.status_until(|status| status["waiting"][0]["component"] == "upper@0.1.0");
    // A signature of somebody whom nobody knows.
    let trust = std::fs::read_to_string(cli.home().join("trust.toml")).unwrap();
    cli.write("home/trust.toml", trust.replace("[\"admin\"]", "[\"forge\"]"));
    cli.run(&["approval", "grant", "upper"]).expect_code(3);
    cli.write("home/trust.toml", trust);
    cli.run(&["approval", "grant", "upper"]).expect_code(0);
    cli.status_until(|status| status["agents"][0]["state"] == "running");
    // Everything is decided again meanwhile, and to the same end.
    std::thread::sleep(Duration::from_secs(6));
    cli.run(&["approval", "deny", "upper", "--reason", "no more"]).expect_code(0);
    cli.status_until(|status| status["agents"] == json!([]));
    cli.run(&["plugin", "remove", "upper"]).expect_code(0);
    cli.status_until(|status| status["waiting"] == json!([]) && status["refused"] == json!([]));
    drop(up);
    let loads: Vec<(String, String)> = rows(&cli, "load upper");
    assert_eq!(loads[..2], [row("load upper@0.1.0", "denied"), row("load upper@0.1.0", "allowed")], "{loads:?}");
    assert!(loads.len() <= 3, "{loads:?}");
    assert_eq!(rows(&cli, "unload"), [row("unload upper@0.1.0", "allowed")]);
    let approved = [("approve", "failed"), ("approve upper@0.1.0", "allowed"), ("approve upper@0.1.0", "denied")];
    assert_eq!(rows(&cli, "approve"), approved.map(|(action, decision)| row(action, decision)));
    // All of it is signed: the host has stopped in order.
    let report = cli.run(&["audit", "verify"]).json();
    for chain in report["chains"].as_array().unwrap() {
        assert_eq!(chain["signed_to"], chain["to"], "{chain}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_to_runs_leave_a_row_whether_they_could_be_followed_or_not() {
    let cli = tokio::task::block_in_place(Cli::new);
    let store = Store::open_file(&cli.home().join("store.db")).await.unwrap();
    let run = NewRun {
        id: "0123456789ab".into(),
        agent: "a".into(),
        component: "a@1.0.0".into(),
        digest: "d1".into(),
        topic: "t".into(),
        partition: 0,
        offset: 0,
        key: None,
        traceparent: "00".into(),
        seed: "5eed".into(),
        clock_ns: 7,
    };
    store.begin_run(&run, "turn").await.unwrap();
    for (order, code) in [("pause", 0), ("pause", 1), ("resume", 0), ("cancel", 0), ("restart", 1)] {
        tokio::task::block_in_place(|| cli.run(&["run", order, "0123"])).expect_code(code);
    }
    let rows: Vec<String> =
        rows(&cli, "").into_iter().map(|(action, decision)| format!("{action} {decision}")).collect();
    let expected = ["pause", "pause", "resume", "cancel", "restart"].map(|order| format!("{order} run 0123456789ab"));
    let decisions = ["allowed", "failed", "allowed", "allowed", "failed"];
    assert_eq!(rows, expected.iter().zip(decisions).map(|(row, end)| format!("{row} {end}")).collect::<Vec<_>>());
}

/// Keys of the records on the topic: `row N` and `checkpoint N`.
async fn on_topic(scratch: &Scratch) -> Vec<String> {
    let Ok(marks) = scratch.streams().watermarks(AUDIT_TOPIC, 0).await else { return Vec::new() };
    let count = usize::try_from(marks.next).unwrap();
    let batch = scratch.streams().read(AUDIT_TOPIC, 0, 0, count, PATIENCE).await.unwrap();
    let said = |row: usize| {
        let record: Value = serde_json::from_slice(batch.value(row).unwrap()).unwrap();
        match record["row"]["seq"].as_i64() {
            Some(seq) => format!("row {seq}"),
            None => {
                let envelope = record["checkpoint"].to_string();
                format!("checkpoint {}", Checkpoint::peek(envelope.as_bytes()).unwrap().seq)
            }
        }
    };
    (0..batch.len()).map(said).collect()
}

async fn write(host: &Host, count: usize) {
    (0..count).for_each(|n| host.audit.record(AuditEntry::now("agent:a", format!("call {n}"), "failed", "why")));
    host.audit.flush().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_gets_every_row_and_checkpoint_once_and_catches_up() {
    let scratch = Scratch::new("").await.unwrap();
    // A host that is not at work sends nothing.
    let host = scratch.open().await.unwrap();
    write(&host, 3).await;
    drop(host);
    assert!(on_topic(&scratch).await.is_empty());
    for (more, expected) in [(0, "row 1, row 2, row 3, checkpoint 3"), (1, "row 4, checkpoint 4"), (0, "")] {
        let before = on_topic(&scratch).await.len();
        let running = scratch.run().await.unwrap();
        write(&running.host, more).await;
        let host = running.host.clone();
        running.stop().await.unwrap();
        host.seal_audit().await;
        assert_eq!(on_topic(&scratch).await[before..].join(", "), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_can_not_be_made_stops_nothing_and_is_counted() {
    let scratch = Scratch::new("").await.unwrap();
    // Kafka and the embedded log both refuse a name that differs in a dot and an underscore only.
    scratch.topics(&["wasmill_audit"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    write(&running.host, 3).await;
    let began = Instant::now();
    while running.host.figures().await.audit.failed_topic == 0 {
        assert!(began.elapsed() < PATIENCE, "no failure is counted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let host = running.host.clone();
    running.stop().await.unwrap();
    host.seal_audit().await;
    assert_eq!(host.figures().await.audit.failed_checkpoints, 0);
    let rows = host.store.audit(&AuditFilter { principal: None, limit: 10, after: None }).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(host.store.last_checkpoint(&rows[0].chain).await.unwrap(), 3);
    // Nothing is forgotten: it is still to be sent.
    assert_eq!(host.store.audit_sent(&rows[0].chain).await.unwrap().rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_notices_by_itself_that_rows_are_gone() {
    let scratch = Scratch::new("").await.unwrap();
    let host = scratch.open().await.unwrap();
    write(&host, 3).await;
    host.seal_audit().await;
    drop(host);
    let root = sqlx::AnyPool::connect(&format!("sqlite://{}/store.db", scratch.dir.path().display())).await.unwrap();
    sqlx::query("DELETE FROM audit WHERE seq = 3").execute(&root).await.unwrap();
    let running = scratch.run().await.unwrap();
    let began = Instant::now();
    loop {
        let failed = running.host.figures().await.audit;
        if failed.failed_checkpoints > 0 && failed.failed_topic > 0 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{failed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Nothing is signed that would take the place of what is gone.
    write(&running.host, 1).await;
    let host = running.host.clone();
    running.stop().await.unwrap();
    host.seal_audit().await;
    assert_eq!(host.store.checkpoints("test", 0, 100, 100).await.unwrap().len(), 1);
}
