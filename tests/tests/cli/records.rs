use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;

fn with_topic(partitions: &str) -> Cli {
    let cli = Cli::new();
    cli.run(&["topic", "create", "words", "--partitions", partitions]).json();
    cli
}

fn tail(cli: &Cli, arguments: &[&str]) -> Vec<Value> {
    cli.run(&[&["record", "tail", "words", "--no-follow"], arguments].concat()).json_lines()
}

fn values(records: &[Value]) -> Vec<&Value> {
    records.iter().map(|record| &record["value"]).collect()
}

#[test]
fn each_line_of_input_is_a_record() {
    let cli = with_topic("1");
    let sent = cli.run_with_input(&["record", "send", "words"], b"one\r\n\ntwo\nlast without an end").json();
    assert_eq!(sent["records"], 4);
    assert_eq!(values(&tail(&cli, &[])), ["one", "", "two", "last without an end"]);
}

#[test]
fn keys_and_headers_travel_along() {
    let cli = with_topic("1");
    cli.run(&["record", "send", "words", "hello", "--key", "k", "--header", "a=1", "--header", "a=x=y"]).json();
    cli.run_with_input(&["record", "send", "words", "--key-separator", ": "], b"dpkg: a: b\nnone\n").json();
    let records = tail(&cli, &[]);
    assert_eq!((&records[0]["key"], &records[0]["headers"]), (&json!("k"), &json!([["a", "1"], ["a", "x=y"]])));
    assert_eq!((&records[1]["key"], &records[1]["value"]), (&json!("dpkg"), &json!("a: b")));
    assert_eq!((&records[2]["key"], &records[2]["value"]), (&Value::Null, &json!("none")));
}

#[test]
fn reading_begins_and_ends_where_it_is_told() {
    let cli = with_topic("1");
    let lines: String = (0..10).map(|i| format!("{i}\n")).collect();
    cli.run_with_input(&["record", "send", "words"], lines.as_bytes()).json();
    assert_eq!(values(&tail(&cli, &["--from", "8"])), ["8", "9"]);
    assert_eq!(values(&tail(&cli, &["--from", "3", "--count", "2"])), ["3", "4"]);
    assert_eq!(values(&tail(&cli, &["--from", "end"])), Vec::<&Value>::new());
    let counted = cli.run(&["record", "tail", "words", "--count", "10"]).json_lines();
    assert_eq!(counted.len(), 10);
    assert_eq!((&counted[9]["offset"], &counted[9]["partition"]), (&json!(9), &json!(0)));
}

#[test]
fn all_partitions_are_read_or_one() {
    let cli = with_topic("3");
    for partition in ["0", "1", "2"] {
        cli.run(&["record", "send", "words", partition, "--partition", partition]).json();
    }
    assert_eq!(tail(&cli, &[]).len(), 3);
    assert_eq!(values(&tail(&cli, &["--partition", "1"])), ["1"]);
    assert_eq!(cli.run(&["record", "tail", "words", "--partition", "3"]).problem(4).code, "partition.unknown");
}

#[test]
fn bytes_that_are_no_text_stay_whole() {
    let cli = with_topic("1");
    cli.run_with_input(&["record", "send", "words"], b"\xff\x00\xfe\n").json();
    assert_eq!(tail(&cli, &[])[0]["value"], json!({"base64": "/wD+"}));
}

#[test]
fn a_terminal_is_not_steered_by_a_record() {
    let cli = with_topic("1");
    cli.run_with_input(&["record", "send", "words"], b"\x1b[2Jgone\n").json();
    let ended = cli.run(&["record", "tail", "words", "--no-follow", "--output", "human"]).expect_code(0);
    assert!(!ended.stdout.contains('\x1b') && ended.stdout.contains("gone"), "{ended:?}");
}

#[test]
fn many_lines_arrive_in_order() {
    let cli = with_topic("1");
    let lines: String = (0..2500).map(|i| format!("{i}\n")).collect();
    assert_eq!(cli.run_with_input(&["record", "send", "words"], lines.as_bytes()).json()["records"], 2500);
    let records = tail(&cli, &[]);
    assert_eq!(records.len(), 2500);
    let numbers = records.iter().map(|record| record["value"].as_str().unwrap().parse::<u32>().unwrap());
    assert!(numbers.eq(0..2500));
}

#[test]
fn a_record_over_the_limit_is_refused_with_the_limit() {
    let cli = with_topic("1");
    let mut line = vec![b'x'; 1024 * 1024 - 100];
    cli.run_with_input(&["record", "send", "words"], &line).json();
    line.resize(1024 * 1024 + 1, b'x');
    let problem = cli.run_with_input(&["record", "send", "words"], &line).problem(6);
    assert_eq!(problem.code, "record.too-large");
    assert!(problem.message.contains("1048576"), "{problem:?}");
}

#[test]
fn a_topic_that_does_not_exist_is_named_with_the_way_to_make_it() {
    let cli = Cli::new();
    for verb in [&["record", "tail", "nowhere"][..], &["record", "send", "nowhere", "x"]] {
        let problem = cli.run(verb).problem(4);
        assert_eq!(problem.code, "topic.unknown");
        assert!(problem.next.contains("wasmill topic create nowhere"), "{problem:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let cli = with_topic("1");
    let lines: String = (0..2000).map(|i| format!("{i} {}\n", "x".repeat(200))).collect();
    cli.run_with_input(&["record", "send", "words"], lines.as_bytes()).json();
    let mut child = cli.command(&["record", "tail", "words", "--no-follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"0 x"), "{first}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
