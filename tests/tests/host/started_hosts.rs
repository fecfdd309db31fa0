//! Two hosts on one Kafka: an agent that is started on one works on both, and a topic that it makes is as its row says.

use std::time::Duration;

use serde_json::{Value, json};
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Bound, Streams, TopicShape};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::up::Up;

use super::started::{MAY, TOPICS, maker};

const NIGHT: &str = "evil-agent.night";

fn home(kafka: &Kafka) -> Option<Cli> {
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{}\"]\n", kafka.address()));
    // The first row is the maker's.
    cli.write(
        "home/permissions.toml",
        MAY.replacen("state = true\n", "state = true\nlimits = { topic_hours = 2 }\n", 1),
    );
    cli.install_with("evil-agent", maker)?;
    cli.install("relay")?;
    Some(cli)
}

fn attack(cli: &Cli, arguments: &Value) {
    cli.run(&["record", "send", "evil.attacks", &arguments.to_string()]).expect_code(0);
}

/// What a host says of the started agent.
fn night(status: &Value) -> Option<&Value> {
    status["agents"].as_array()?.iter().find(|agent| agent["agent"] == format!("{NIGHT}@0.1.0"))
}

async fn shape(streams: &KafkaStreams, name: &str) -> TopicShape {
    for _ in 0..PATIENCE.as_millis() / 100 {
        if let Some(shape) = streams.shapes().await.unwrap().into_iter().find(|shape| shape.spec.name == name) {
            return shape;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("topic {name} is not made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_started_on_one_host_works_on_both_and_is_stopped_from_either() {
    let Some(kafka) = Kafka::shared() else { return };
    let (Some(one), Some(two)) = (home(kafka), home(kafka)) else { return };
    for topic in TOPICS {
        one.run(&["topic", "create", topic]).expect_code(0);
    }
    let hosts = (Up::start(&one), Up::start(&two));
    assert_eq!(two.run(&["agent", "list"]).json(), json!([]));
    attack(&one, &json!({ "attack": "start", "name": "night", "to": "relay.out" }));
    for cli in [&one, &two] {
        cli.status_until(|status| night(status).is_some_and(|agent| agent["state"] == "running"));
    }
    one.run(&["record", "send", "relay.in", "hello"]).expect_code(0);
    let streams = KafkaStreams::connect(&KafkaConfig::plaintext([kafka.address()]), &|_| None).unwrap();
    let out = streams.read("relay.out", 0, 0, 1, PATIENCE).await.unwrap();
    assert_eq!(out.value(0), Some(&b"hello"[..]));

    attack(&one, &json!({ "attack": "create-topic" }));
    let made = shape(&streams, "evil.new").await;
    assert_eq!((made.spec.partitions, made.keeps.retention_ms), (1, Some(Bound::AtMost(2 * 60 * 60 * 1000))));

    let list = two.run(&["agent", "list"]).json();
    assert_eq!(
        (&list[0]["name"], &list[0]["component"], &list[0]["maker"]),
        (&json!(NIGHT), &json!("relay"), &json!("evil-agent"))
    );
    two.run(&["agent", "stop", NIGHT]).expect_code(0);
    for cli in [&one, &two] {
        cli.status_until(|status| night(status).is_none());
    }
    assert_eq!(one.run(&["agent", "stop", NIGHT]).problem(4).code, "agents.unknown");
    drop(hosts);
}
