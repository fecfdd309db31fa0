//! Reminders through a host's socket: many, and how often each has come.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use wasmill::gateway::{AppendReply, Client, ReadReply};
use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::PATIENCE;

/// Partitions of the topics.
pub const PARTITIONS: u32 = 4;
/// How many reminders are sent.
pub const REMINDERS: usize = 80;

async fn client(cli: &Cli) -> Client {
    Client::running(cli.home().join("host.sock")).await.unwrap()
}

/// Sends all reminders, due over so many milliseconds.
pub async fn send(cli: &Cli, over_ms: usize) {
    let records = (0..REMINDERS).map(|i| {
        let after = over_ms * i / REMINDERS;
        json!({ "key": format!("r{i}"), "value": format!("{after} reminder {i}") })
    });
    let request = json!({ "records": records.collect::<Vec<_>>() });
    client(cli).await.post::<AppendReply>("/v1/topics/reminders/records", &request).await.unwrap();
}

/// Waits until so many reminders have come, and then whether one comes twice: how often each has.
pub async fn fired(cli: &Cli, reminders: usize) -> BTreeMap<String, usize> {
    let began = Instant::now();
    loop {
        let times = count(cli, "r").await;
        if times.len() >= reminders {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            return count(cli, "r").await;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {reminders}: {times:?}", times.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How often each record came whose key begins so: by key, and by value for those of the schedule.
pub async fn count(cli: &Cli, prefix: &str) -> BTreeMap<String, usize> {
    let client = client(cli).await;
    let mut times = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let mut offset = 0;
        loop {
            let path = format!(
                "/v1/topics/reminders.due/records?partition={partition}&offset={offset}&limit=1000&wait_ms=300"
            );
            let reply: ReadReply = client.get(&path).await.unwrap();
            let Some(last) = reply.records.last() else { break };
            offset = last.offset + 1;
            for record in &reply.records {
                let key = record.key.as_ref().unwrap().to_string();
                if key.starts_with(prefix) {
                    *times.entry(format!("{key} {}", record.value.as_ref().unwrap())).or_insert(0) += 1;
                }
            }
        }
    }
    times
}
