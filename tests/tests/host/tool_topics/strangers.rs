//! A stranger calls tools with nothing but Kafka's protocol.

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::parts::{self, require};
use wasmill_tests::up::Up;

use super::{DESK_MAY, request};
use crate::strangers::run;

const PYTHON: &str = include_str!("stranger.py");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn kcat_and_a_python_client_call_tools() {
    let (Some(kafka), Some(kcat), Some(python)) =
        (Kafka::start(), require(parts::kcat()), require(parts::kafka_python()))
    else {
        return;
    };
    let (cli, broker) = (Cli::new(), kafka.address());
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{broker}\"]\n[[tool_topics]]\nclient = \"desk\"\n"));
    cli.allow(DESK_MAY);
    let (Some(()), Some(())) = (cli.install("evil"), cli.install("text-metrics")) else { return };
    let up = Up::start(&cli);
    cli.status_until(|status| status["tool_topics"][0]["reason"].as_str().is_some_and(|r| r.contains("tool.requests")));
    for topic in ["tool.requests", "tool.results"] {
        cli.run(&["topic", "create", topic, "--partitions", "2"]).expect_code(0);
    }
    cli.status_until(|status| status["tool_topics"][0]["state"] == "running");

    let asked = [
        request("1", "s1", "text-metrics/count", &json!({ "text": "one two" })),
        request("2", "s1", "text-metrics/count", &json!({ "text": 2 })),
        request("3", "s2", "json-query/query", &json!({})),
        request("4", "s2", "evil/loop", &json!({})),
    ];
    let input: Vec<String> = asked.iter().map(Value::to_string).chain(["no request".to_owned()]).collect();
    let read = lines(&run(&python, &["-c", PYTHON, &broker, "4"], &input.join("\n")));
    let found = |id: &str| read.iter().find(|record| record["value"]["metadata"]["request_id"] == id).unwrap();
    for (id, status) in [("1", "success"), ("2", "error"), ("3", "blocked"), ("4", "timeout")] {
        let record = found(id);
        assert_eq!(record["value"]["status"], status, "{record:#}");
        assert_eq!(record["key"], record["value"]["session_id"], "{record:#}");
        assert_eq!(record["headers"]["event_type"], "tool.result", "{record:#}");
    }
    assert_eq!(found("2")["value"]["payload"]["code"], "tool.arguments");
    let letter = read.iter().find(|record| record["topic"] == "tool.requests.dlq").unwrap();
    assert_eq!(
        (&letter["value"], &letter["headers"]["wasmill-dlq-code"]),
        (&json!("no request"), &json!("request.json"))
    );

    let last = request("5", "s3", "text-metrics/count", &json!({ "text": "a b c" }));
    let send = ["-b", &broker, "-P", "-t", "tool.requests", "-K", "|"];
    run(&kcat, &send, &format!("s3|{last}\n"));
    let from = ["-b", &broker, "-C", "-t", "tool.results", "-o", "beginning", "-c", "5", "-q"];
    let committed = ["-X", "isolation.level=read_committed"];
    let answers = lines(&run(&kcat, &[&from[..], &committed[..]].concat(), ""));
    let answer = answers.iter().find(|answer| answer["metadata"]["request_id"] == "5").unwrap();
    assert_eq!((&answer["status"], &answer["payload"]["words"]), (&json!("success"), &json!(3)));
    let status = cli.status_until(|status| status["tool_topics"][0]["answers"] == 5);
    assert_eq!(status["tool_topics"][0]["dead_letters"], 1);
    drop(up);
    let report: Value = serde_json::from_str(&cli.run(&["doctor"]).stdout).unwrap();
    let doctor = report["findings"].as_array().unwrap().iter().find(|f| f["check"] == "tool_topics tool.requests");
    assert_eq!(doctor.unwrap()["level"], "ok", "{report:#}");
}
