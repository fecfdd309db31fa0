use serde_json::json;
use wasmill_tests::binary::Cli;

#[test]
fn topics_are_created_and_listed_with_what_is_in_them() {
    let cli = Cli::new();
    assert_eq!(cli.run(&["topic", "list"]).json(), json!([]));
    let made = cli.run(&["topic", "create", "words", "--partitions", "2"]).json();
    assert_eq!(made, json!({"name": "words", "partitions": 2, "compacted": false}));
    cli.run(&["topic", "create", "settings", "--compacted"]).json();
    cli.run(&["record", "send", "words", "hello", "--partition", "1"]).json();

    let topics = cli.run(&["topic", "list"]).json();
    assert_eq!((&topics[0]["name"], &topics[0]["compacted"]), (&json!("settings"), &json!(true)));
    assert_eq!(topics[1]["watermarks"], json!([{"first": 0, "next": 0}, {"first": 0, "next": 1}]));
}

#[test]
fn a_topic_is_created_once_and_under_a_proper_name() {
    let cli = Cli::new();
    cli.run(&["topic", "create", "words"]).json();
    assert_eq!(cli.run(&["topic", "create", "words"]).problem(1).code, "topic.exists");
    for name in ["..", "a/b", "a b"] {
        assert_eq!(cli.run(&["topic", "create", name]).problem(2).code, "name.invalid");
    }
}
