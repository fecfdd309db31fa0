//! The whole host under `kill -9` while it answers: each request is answered once, and each session in its order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use wasmill::gateway::{AppendReply, Client};
use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::up::Up;

use super::{DESK_MAY, request};
use crate::feed::{all, socket};

const PARTITIONS: u32 = 3;
const REQUESTS: usize = 200;
const SESSIONS: usize = 13;
/// The answers of each host before it is killed, and how many milliseconds later it is: in the middle of a commit, too.
const KILLS: [(u64, u64); 4] = [(10, 0), (30, 60), (20, 110), (20, 150)];

async fn answers(client: &Client) -> Vec<Value> {
    let mut values = Vec::new();
    for partition in 0..PARTITIONS {
        let texts = all(client, "tool.results", partition).await;
        values.extend(texts.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()));
    }
    values
}

/// Waits until a host says that it has given so many answers.
async fn wait_for(client: &Client, count: u64) {
    let began = std::time::Instant::now();
    loop {
        let status: Value = client.get("/v1/status").await.unwrap();
        let there = status["tool_topics"][0]["answers"].as_u64().unwrap();
        if there >= count {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{there} of {count} answers");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn each_is_answered_once(streams: &str) {
    let cli = Cli::new();
    cli.write("home/host.toml", streams);
    cli.allow(DESK_MAY);
    let Some(()) = cli.install("evil") else { return };
    for topic in ["tool.requests", "tool.results"] {
        cli.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    let up = Up::start(&cli);
    let client = Client::running(socket(&cli)).await.unwrap();
    let nap = json!({ "ms": 200 });
    let records: Vec<Value> = (0..REQUESTS)
        .map(|n| {
            let session = format!("s{}", n % SESSIONS);
            let value = request(&format!("{n}"), &session, "evil/sleep", &nap).to_string();
            json!({ "key": session, "value": value })
        })
        .collect();
    let sent = json!({ "records": records });
    client.post::<AppendReply>("/v1/topics/tool.requests/records", &sent).await.unwrap();
    up.kill();

    cli.write("home/host.toml", format!("{streams}\n[[tool_topics]]\nclient = \"desk\"\n"));
    for (count, pause_ms) in KILLS {
        let up = Up::start(&cli);
        let client = Client::running(socket(&cli)).await.unwrap();
        wait_for(&client, count).await;
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        up.kill();
    }
    let _up = Up::start(&cli);
    let client = Client::running(socket(&cli)).await.unwrap();
    let began = std::time::Instant::now();
    while answers(&client).await.len() < REQUESTS {
        assert!(
            began.elapsed() < PATIENCE,
            "of {REQUESTS} requests only {} are answered",
            answers(&client).await.len()
        );
    }
    // The last kill came before everything was answered.
    wait_for(&client, 1).await;
    // What is answered twice may come late.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut by_session: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for answer in answers(&client).await {
        assert_eq!(answer["status"], "success", "{answer}");
        let number = answer["metadata"]["request_id"].as_str().unwrap().parse().unwrap();
        by_session.entry(answer["session_id"].as_str().unwrap().to_owned()).or_default().push(number);
    }
    for (session, numbers) in &by_session {
        let first: usize = session[1..].parse().unwrap();
        let wanted: Vec<usize> = (first..REQUESTS).step_by(SESSIONS).collect();
        assert_eq!(*numbers, wanted, "{session}");
    }
    assert_eq!(by_session.len(), SESSIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_log() {
    each_is_answered_once("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_kafka() {
    let Some(kafka) = Kafka::start() else { return };
    let broker = kafka.address();
    let streams = format!(
        "[streams]\nbrokers = [\"{broker}\"]\ninstance = \"asked\"\n[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n"
    );
    each_is_answered_once(&streams).await;
}
