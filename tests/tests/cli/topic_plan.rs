//! Topics as code: planned, shown, applied, and then as declared.

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;

fn plan(cli: &Cli) -> Value {
    cli.run(&["topic", "plan"]).json()
}

/// What the steps are, for a person.
fn steps(plan: &Value) -> Vec<&str> {
    plan["steps"].as_array().unwrap().iter().map(|step| step["text"].as_str().unwrap()).collect()
}

fn declare(cli: &Cli, text: &str) {
    cli.write("home/topics.toml", text);
}

#[test]
fn a_plan_is_shown_applied_and_then_empty() {
    let cli = Cli::new();
    let problem = cli.run(&["topic", "plan"]).problem(4);
    assert!(problem.code == "topic.undeclared" && problem.next.contains("[[topic]]"), "{problem:?}");
    cli.run(&["topic", "create", "other"]).expect_code(0);
    declare(&cli, "[[topic]]\nname = \"words\"\npartitions = 2\n[[topic]]\nname = \"settings\"\ncompacted = true\n");
    let shown = plan(&cli);
    assert_eq!(steps(&shown), ["create words with 2 partitions", "create settings with 1 partition, compacted"]);
    assert_eq!(shown["undeclared"], json!(["other"]));
    assert_eq!(cli.run(&["topic", "list"]).json().as_array().unwrap().len(), 1, "planning changes nothing");

    // Nobody can be asked here.
    let problem = cli.run(&["topic", "apply"]).problem(2);
    assert!(problem.code == "topic.unasked" && problem.next.contains(shown["id"].as_str().unwrap()), "{problem:?}");
    let ended = cli.run(&["topic", "apply", "--output", "human"]).expect_code(2);
    assert!(ended.stdout.contains("create words"), "the plan comes first: {ended:?}");

    let applied = cli.run(&["topic", "apply", "--plan", shown["id"].as_str().unwrap()]).json();
    assert_eq!(applied["applied"], 2);
    let topics = cli.run(&["topic", "list"]).json();
    let names: Vec<&str> = topics.as_array().unwrap().iter().map(|topic| topic["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["other", "settings", "words"]);
    assert_eq!(steps(&plan(&cli)), [""; 0]);
    assert_eq!(cli.run(&["topic", "apply"]).json()["applied"], 0, "there is nothing to ask about");
}

#[test]
fn only_what_was_shown_is_applied() {
    let cli = Cli::new();
    declare(&cli, "[[topic]]\nname = \"words\"\n");
    let shown = plan(&cli)["id"].as_str().unwrap().to_owned();
    declare(&cli, "[[topic]]\nname = \"words\"\npartitions = 5\n");
    let problem = cli.run(&["topic", "apply", "--plan", &shown]).problem(1);
    assert!(problem.code == "topic.plan-changed" && problem.next.contains("topic plan"), "{problem:?}");
    assert_eq!(cli.run(&["topic", "list"]).json(), json!([]));
}

#[test]
fn partitions_are_not_taken_away_and_nothing_else_is_done_either() {
    let cli = Cli::new();
    cli.run(&["topic", "create", "words", "--partitions", "4"]).expect_code(0);
    declare(&cli, "[[topic]]\nname = \"words\"\npartitions = 2\n[[topic]]\nname = \"new\"\n");
    let ended = cli.run(&["topic", "plan"]).expect_code(1);
    let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((steps(&shown), &shown["blocked"][0]["topic"]), (vec!["create new with 1 partition"], &json!("words")));
    let problem = cli.run(&["topic", "apply", "--yes"]).problem(1);
    assert!(problem.code == "topic.blocked" && problem.next.contains("another name"), "{problem:?}");
    assert_eq!(cli.run(&["topic", "list"]).json().as_array().unwrap().len(), 1);
}

#[test]
fn growing_under_an_agent_that_keeps_state_needs_a_word() {
    let cli = Cli::new();
    let Some(()) = cli.install("evil-agent") else { return };
    declare(&cli, "[[topic]]\nname = \"evil.attacks\"\n");
    cli.run(&["topic", "apply", "--yes"]).json();
    declare(&cli, "[[topic]]\nname = \"evil.attacks\"\npartitions = 3\n");
    let shown = plan(&cli);
    assert_eq!(shown["steps"][0]["risk"]["kind"], "move-keys", "{shown:#}");
    assert!(shown["steps"][0]["risk"]["text"].as_str().unwrap().contains("evil-agent"));
    for taken in [&["topic", "apply", "--yes"][..], &["topic", "apply", "--yes", "--lose-records"]] {
        let problem = cli.run(taken).problem(2);
        assert!(problem.code == "topic.risk" && problem.next.contains("--move-keys"), "{problem:?}");
    }
    assert_eq!(cli.run(&["topic", "apply", "--yes", "--move-keys"]).json()["applied"], 1);
    assert_eq!(cli.run(&["topic", "list"]).json()[0]["partitions"], 3);
    assert_eq!(steps(&plan(&cli)), [""; 0]);
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let cli = Cli::new();
    declare(&cli, "[[topic]]\nname = \"words\"\nretention = \"a week\"\n");
    let problem = cli.run(&["topic", "plan"]).problem(2);
    assert!(problem.message.contains("topics.toml`, line 3") && problem.message.contains("7d"), "{problem:?}");
    cli.write("elsewhere.toml", "[[topic]]\nname = \"words\"\nretention = \"7d\"\n");
    let file = cli.folder().join("elsewhere.toml").display().to_string();
    let shown = cli.run(&["topic", "plan", "--file", &file]).json();
    assert_eq!(steps(&shown), ["create words with 1 partition, keeping 7d"]);
}

#[test]
fn on_kafka_topics_also_keep_what_is_declared() {
    let Some(kafka) = Kafka::shared() else { return };
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{}\"]\n", kafka.address()));
    let declared = |partitions: u32, retention: &str| {
        format!(
            "[[topic]]\nname = \"plan.words\"\npartitions = {partitions}\nretention = \"{retention}\"\n\
             [[topic]]\nname = \"plan.settings\"\ncompacted = true\nreplicas = 1\n"
        )
    };
    declare(&cli, &declared(1, "7d"));
    assert_eq!(cli.run(&["topic", "apply", "--yes"]).json()["applied"], 2);
    assert_eq!(steps(&plan(&cli)), [""; 0]);

    declare(&cli, &declared(3, "30d"));
    let shown = plan(&cli);
    let expected = ["grow plan.words from 1 to 3 partitions", "change plan.words: keeping 30d (now 7d)"];
    assert_eq!(steps(&shown), expected);
    cli.run(&["topic", "apply", "--yes"]).json();
    assert_eq!(steps(&plan(&cli)), [""; 0]);

    declare(&cli, &declared(3, "1d"));
    let problem = cli.run(&["topic", "apply", "--yes"]).problem(2);
    assert!(problem.code == "topic.risk" && problem.next.contains("--lose-records"), "{problem:?}");
    cli.run(&["topic", "apply", "--yes", "--lose-records"]).json();
    assert_eq!(steps(&plan(&cli)), [""; 0]);

    declare(&cli, &declared(3, "1d").replace("compacted = true\nreplicas = 1", "replicas = 2"));
    let shown = plan(&cli);
    assert_eq!(steps(&shown), ["change plan.settings: not compacted"]);
    assert!(shown["notes"].to_string().contains("kafka-reassign-partitions"), "{shown:#}");
}
