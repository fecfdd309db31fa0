//! On Kafka: two hosts, and a stranger that speaks with the agent with nothing but Kafka's protocol.

use serde_json::{Value, json};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::parts::{self, require};

use super::{ANSWER, Ears, Event, kinds, open, ready, running, say};
use crate::strangers::run;

const PYTHON: &str = include_str!("stranger.py");

#[test]
fn every_host_hears_all_and_a_stranger_needs_none() {
    let (Some(kafka), Some(python)) = (Kafka::start(), require(parts::kafka_python())) else { return };
    let broker = kafka.address();
    let settings = format!("[streams]\nbrokers = [\"{broker}\"]\n");
    let Some(works) = open(&settings, &["concierge", "text-metrics"]) else { return };
    let Some(only_talks) = open(&settings, &[]) else { return };
    ready(&works, "3");
    running(&only_talks);

    // Said at one host, worked at by the other, heard at both by the same client.
    let mut ears = [&works, &only_talks].map(|host| Ears::listen(host, &host.token("ada"), "trip", ""));
    let begun = ears.each_mut().map(|ears| ears.next().unwrap());
    let (code, sent) = say(&only_talks, &only_talks.token("bob"), "trip", &json!({ "message": "not ada's" }));
    assert_eq!(code, 200, "{sent}");
    let (code, sent) = say(&only_talks, &only_talks.token("ada"), "trip", &json!({ "message": "one two" }));
    assert_eq!(code, 200, "{sent}");
    let heard = ears.map(|ears| ears.take(3).collect::<Vec<Event>>());
    assert_eq!(kinds(&heard[0]), ANSWER);
    assert_eq!(heard[0], heard[1]);
    // A place of one host is a place of the other.
    let after = format!("Last-Event-ID: {}\r\n", heard[0][0].id);
    let missed =
        Ears::listen(&only_talks, &only_talks.token("ada"), "trip", &after).skip(1).take(2).collect::<Vec<_>>();
    assert_eq!(missed, heard[0][1..]);
    assert_eq!(begun[0].id, begun[1].id);

    // A session that no client of a gateway can have.
    let message = json!({
        "event_id": "e1", "session_id": "stranger's", "persona_id": "p", "role": "user", "message": "one two three",
        "metadata": { "tenant": "t" }, "trace_context": { "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
    });
    let read = run(&python, &["-c", PYTHON, &broker, "3"], &message.to_string());
    let records: Vec<Value> = read.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = records.iter().map(|record| record["value"]["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["tool.call", "tool.result", "message"]);
    for record in &records {
        let value = &record["value"];
        assert_eq!((&record["key"], &value["session_id"]), (&json!("stranger's"), &json!("stranger's")), "{record:#}");
        for field in ["persona_id", "trace_context"] {
            assert_eq!(value[field], message[field], "{record:#}");
        }
        assert_eq!(
            (&record["headers"]["event_type"], &record["headers"]["event_id"]),
            (&json!("conversation.outbound"), &value["event_id"])
        );
    }
    assert_eq!(records[2]["value"]["message"], "That was 3 words in 13 characters.");
    // The host's own record of what a client said, as the stranger sees it.
    let inbound: Value = serde_json::from_str(&run(&python, &["-c", PYTHON, &broker, "in"], "")).unwrap();
    assert_eq!((&inbound["key"], &inbound["value"]["role"]), (&json!("ada/trip"), &json!("user")), "{inbound:#}");
    assert_eq!(inbound["headers"]["event_id"], inbound["value"]["event_id"]);
    assert_eq!(inbound["headers"]["traceparent"], inbound["value"]["trace_context"]["traceparent"]);
}
