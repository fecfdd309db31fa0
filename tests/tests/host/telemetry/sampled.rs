//! Which traces are recorded.

use serde_json::json;
use wasmill_tests::otlp::Receiver;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::mill::{Mill, upper_home};

const RECORDED: &str = "0af7651916cd43dd8448eb211c80319c";
const UNRECORDED: &str = "1af7651916cd43dd8448eb211c80319c";
const CALL: &str = r#"{"function":"count","arguments":{"text":"two words"}}"#;

#[test]
fn of_those_that_begin_here_none_at_0_and_all_at_1() {
    for ratio in [0, 1] {
        let Some(receiver) = Receiver::start() else { return };
        let Some(cli) = upper_home() else { return };
        let mill = Mill::start(cli, &receiver.url(), &format!("sample_ratio = {ratio}"), "");
        mill.post("/v1/tools/text-metrics/calls", CALL, None);
        // Whoever began a trace has decided about it, whatever the share is.
        mill.send("lower", &[json!({ "value": "a" })], Some(&format!("00-{UNRECORDED}-b7ad6b7169203331-00")));
        mill.send("lower", &[json!({ "value": "b" })], Some(&format!("00-{RECORDED}-b7ad6b7169203331-01")));
        let _ = receiver.wait_for(RECORDED, "commit");
        assert!(until(PATIENCE, || mill.records("upper").len() == 2));
        let spans = receiver.spans();
        assert!(spans.iter().all(|span| span.trace != UNRECORDED), "{spans:#?}");
        let own: Vec<_> = spans.iter().filter(|span| span.trace != RECORDED).collect();
        let call = own.iter().find(|span| span.name == "execute_tool text-metrics");
        assert_eq!((own.is_empty(), call.is_some()), (ratio == 0, ratio == 1), "{own:#?}");
        if let Some(call) = call {
            let first = own.iter().find(|span| span.id == call.parent).expect("its request");
            assert_eq!((first.parent.as_str(), first.trace == call.trace), ("", true), "{first:#?}");
        }
        // The ids go on all the same, and say that nobody records.
        let upper = mill.records("upper");
        let header = |row: usize| upper[row]["headers"].to_string();
        assert!(header(0).contains(&format!("00-{UNRECORDED}-b7ad6b7169203331-00")), "{}", header(0));
        assert!(header(1).contains(&format!("00-{RECORDED}-")) && header(1).contains("-01"), "{}", header(1));
    }
}

#[test]
fn a_batch_goes_on_with_its_first_recorded_trace_and_is_linked_with_the_others() {
    let Some(receiver) = Receiver::start() else { return };
    let Some(cli) = upper_home() else { return };
    let other = "2af7651916cd43dd8448eb211c80319c";
    let header = |trace: &str, flags: &str| json!([["traceparent", format!("00-{trace}-b7ad6b7169203331-{flags}")]]);
    let traces = [(UNRECORDED, "00"), (RECORDED, "01"), (other, "01"), (RECORDED, "01")];
    let lines = traces.map(|(trace, flags)| json!({ "value": "x", "headers": header(trace, flags) }));
    // All in one batch: they are there before the host is.
    let mill = Mill::start(cli, &receiver.url(), "sample_ratio = 0", "");
    mill.send("lower", &lines, None);
    let batch = receiver.wait_for(RECORDED, "process lower");
    assert_eq!((batch.get("messaging.batch.message_count"), batch.get("wasmill.records.sent")), ("4", "4"));
    assert_eq!(batch.links, [other]);
    let headers = receiver.headers();
    assert!(headers[0]["user-agent"].starts_with("wasmill/"));
}

#[test]
fn a_receiver_that_wants_a_secret_gets_it_and_nobody_else() {
    let Some(receiver) = Receiver::start() else { return };
    let Some(cli) = upper_home() else { return };
    cli.write("home/secrets.toml", "OTLP_TOKEN = \"s3cret-of-the-receiver\"\n");
    let header = "headers = { authorization = \"Bearer ${secret:OTLP_TOKEN}\" }\nsample_ratio = 1";
    let mill = Mill::start(cli, &receiver.url(), header, "");
    mill.post("/v1/tools/text-metrics/calls", CALL, None);
    assert!(until(PATIENCE, || !receiver.headers().is_empty()));
    assert_eq!(receiver.headers()[0]["authorization"], "Bearer s3cret-of-the-receiver");
    assert!(!mill.up.log().contains("s3cret") && !mill.page().contains("s3cret"));

    // Without encryption it goes to this machine only, and one that is not there is said before anything starts.
    for (url, secret, word) in [("http://192.0.2.1:4318", "OTLP_TOKEN", "https"), ("http://127.0.0.1:9", "NO", "`NO`")]
    {
        let text = format!("[telemetry]\nendpoint = \"{url}\"\nheaders = {{ a = \"${{secret:{secret}}}\" }}\n");
        let cli = upper_home().unwrap();
        cli.write("home/secrets.toml", "OTLP_TOKEN = \"s3cret-of-the-receiver\"\n");
        cli.write("home/host.toml", text);
        let ended = cli.run(&["up"]).expect_code(2);
        assert!(ended.stderr.contains("telemetry.secret") && ended.stderr.contains(word), "{ended:?}");
        assert!(!ended.stderr.contains("s3cret-of"), "{ended:?}");
    }
}
