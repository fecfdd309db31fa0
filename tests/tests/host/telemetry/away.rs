//! A receiver that is away or slow is never the host's trouble.

use std::net::TcpListener;

use serde_json::json;
use wasmill_tests::otlp::Receiver;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::mill::{Mill, upper_home};

fn send_all(mill: &Mill, from: usize) {
    for number in from..from + 50 {
        mill.send("lower", &[json!({ "value": format!("n{number}") })], None);
    }
    assert!(until(PATIENCE, || mill.value("wasmill_agent_records_total{agent=\"upper\"}") as usize >= from + 50));
}

#[test]
fn while_the_receiver_is_away_work_goes_on_and_it_is_said_once() {
    // A port that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(cli) = upper_home() else { return };
    let url = format!("http://127.0.0.1:{port}");
    let mill = Mill::start(cli, &url, "sample_ratio = 1\nbatch_spans = 20", "");
    send_all(&mill, 0);
    assert!(until(PATIENCE, || mill.spans("failed") >= 40.0), "two batches of spans have failed");
    let said = |what: &str| mill.up.log().matches(what).count();
    assert_eq!(said("traces can't be sent"), 1, "{}", mill.up.log());

    let Some(receiver) = Receiver::start_at(port) else { return };
    assert!(until(PATIENCE, || {
        mill.post("/v1/tools/text-metrics/calls", CALL, None);
        mill.spans("sent") > 0.0
    }));
    assert!(until(PATIENCE, || said("traces are sent again") == 1), "{}", mill.up.log());
    assert!(!receiver.spans().is_empty());
    assert_eq!(said("traces can't be sent"), 1);
}

const CALL: &str = r#"{"function":"count","arguments":{"text":"two words"}}"#;

#[test]
fn what_a_slow_receiver_does_not_take_is_dropped_and_counted_and_the_end_does_not_wait() {
    // It accepts, by the system's queue, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let Some(cli) = upper_home() else { return };
    let mill = Mill::start(cli, &url, "sample_ratio = 1\nqueue_spans = 8\nbatch_spans = 4", "");
    send_all(&mill, 0);
    // Each request has four spans at least: most find the queue full.
    assert!(mill.spans("dropped") > 100.0, "{}", mill.page());
    assert_eq!(mill.spans("sent"), 0.0);
    let Mill { cli, up, .. } = mill;
    drop(up);
    assert!(!cli.home().join("host.sock").exists(), "it had to be killed");
}
