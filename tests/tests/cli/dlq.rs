//! Dead letters on the command line.

use serde_json::Value;
use wasmill_tests::binary::Cli;

/// A home with a topic that has two dead letters, the second without its record.
fn with_letters() -> Cli {
    let cli = Cli::new();
    for topic in ["words", "words.dlq"] {
        cli.run(&["topic", "create", topic]).json();
    }
    let header = |name: &str, value: &str| format!("wasmill-dlq-{name}={value}");
    let kept = [header("partition", "0"), header("offset", "7"), header("agent", "counter"), header("attempts", "3")];
    let send = ["record", "send", "words.dlq"];
    let with = |value: &str, headers: &[String]| {
        let headers: Vec<&str> = headers.iter().flat_map(|header| ["--header", header.as_str()]).collect();
        cli.run(&[&send[..], &[value, "--key", "k", "--header", "own=1"], &headers].concat()).json();
    };
    with("lost", &kept);
    with("", &[header("omitted", "all"), header("partition", "0"), header("offset", "9")]);
    cli
}

fn values(records: &[Value]) -> Vec<&Value> {
    records.iter().map(|record| &record["value"]).collect()
}

#[test]
fn dead_letters_are_listed_shown_and_sent_again() {
    let cli = with_letters();
    let listed = cli.run(&["dlq", "list"]).json();
    assert_eq!(
        (&listed[0]["topic"], &listed[0]["agent"], &listed[0]["attempts"]),
        (&"words".into(), &"counter".into(), &3.into())
    );
    assert_eq!((&listed[0]["origin"]["offset"], &listed[1]["is_omitted"]), (&7.into(), &true.into()));
    assert_eq!(cli.run(&["dlq", "list", "words", "--max", "1"]).json().as_array().unwrap().len(), 1);
    assert_eq!(cli.run(&["dlq", "show", "words", "0"]).json()["value"], "lost");

    let redriven = cli.run(&["dlq", "redrive", "words"]).json();
    assert_eq!((&redriven["records"], &redriven["omitted"][0]["origin"]["offset"]), (&1.into(), &9.into()));
    let records = cli.run(&["record", "tail", "words", "--no-follow"]).json_lines();
    assert_eq!(values(&records), ["lost"]);
    assert_eq!(records[0]["headers"], serde_json::json!([["own", "1"]]));
    assert_eq!(cli.run(&["dlq", "list"]).json(), serde_json::json!([]));
    // What was sent again can still be looked at.
    assert_eq!(cli.run(&["dlq", "show", "words", "0"]).json()["value"], "lost");
}

#[test]
fn what_is_not_there_is_said() {
    let cli = with_letters();
    assert_eq!(cli.run(&["dlq", "show", "words", "99"]).problem(4).code, "dlq.unknown");
    assert_eq!(cli.run(&["dlq", "list", "nowhere"]).problem(4).code, "topic.unknown");
    assert_eq!(cli.run(&["dlq", "redrive", "nowhere"]).problem(4).code, "topic.unknown");
}
