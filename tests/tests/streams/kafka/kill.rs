//! `kill -9` at any moment loses nothing and doubles nothing.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use wasmill::streams::kafka::KafkaConfig;
use wasmill::streams::{Membership, StateChange, Streams, Worker};
use wasmill_tests::kafka::Kafka;

use super::{all_of, config, connect, copy, create};
use crate::contract::subject::{A_MOMENT, PATIENCE, keyed, poll_until};

/// Added before each round, so that there is always something to interrupt.
const RECORDS_A_ROUND: u32 = 3_000;
const PARTITIONS: u32 = 3;
const KILLS: u32 = 6;
const BALLAST_SIZE: usize = 64 * 1024;
const RECORDS: u32 = RECORDS_A_ROUND * (KILLS + 1);

const ADDRESS: &str = "WASMILL_TEST_KAFKA";
const INSTANCE: &str = "WASMILL_TEST_INSTANCE";
const HOME: &str = "WASMILL_TEST_HOME";
const STARTED: &str = "copying";

fn membership() -> Membership {
    Membership {
        group: "killed".to_owned(),
        topics: vec!["killed-in".to_owned()],
        state: Some("killed".to_owned()),
        batch_records_max: 100,
        batch_bytes_max: 1024 * 1024,
    }
}

/// Settings with which the dead are noticed soon.
fn hasty(address: &str) -> KafkaConfig {
    let mut config = config(address);
    for (name, value) in [("session.timeout.ms", "1500"), ("transaction.timeout.ms", "3000")] {
        config.properties.insert(name.to_owned(), value.to_owned());
    }
    config
}

/// Numbers from a seed, so that a failure can be played again (Marsaglia's xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_killed_again_and_again_is_exact() {
    let Some(kafka) = Kafka::shared() else { return };
    let streams = connect(&hasty(&kafka.address()));
    create(streams.as_ref(), "killed-in", PARTITIONS).await;
    create(streams.as_ref(), "killed-out", 2).await;
    let mut seed = 0x5eed_0002;
    let homes = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    for round in 0..=KILLS {
        let added = round * RECORDS_A_ROUND..(round + 1) * RECORDS_A_ROUND;
        let records = added.map(|i| keyed(&format!("key-{}", i % 50), &i.to_string())).collect();
        streams.append("killed-in", records).await.unwrap();
        // Every other host comes back under its name; the others' open transactions have to time out.
        let mut copying = start(&kafka.address(), homes[round as usize % 2].path(), round % 2 == 0);
        if round < KILLS {
            tokio::time::sleep(Duration::from_micros(random(&mut seed) % 300_000)).await;
        } else {
            until_all_is_done(streams.as_ref()).await;
        }
        copying.kill().unwrap();
        copying.wait().unwrap();
    }
    check(streams.as_ref()).await;
    // What was restored after a death came from here, and the counts are right all the same.
    let has_checkpoint = |home: &TempDir| home.path().join("wasmill.state.killed").exists();
    assert!(homes.iter().any(has_checkpoint), "no checkpoint was ever written");
}

/// Starts the copying process and waits until it copies: the moment of its death is within its work.
fn start(address: &str, home: &Path, is_named: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["kafka::kill::copies_until_it_is_killed", "--exact", "--ignored", "--nocapture"]);
    command.env(ADDRESS, address).env(HOME, home).stdin(Stdio::null()).stdout(Stdio::piped());
    if is_named {
        command.env(INSTANCE, "one-host");
    }
    let mut copying = command.spawn().unwrap();
    let mut lines = BufReader::new(copying.stdout.take().unwrap()).lines();
    let began = lines.by_ref().map_while(Result::ok).any(|line| line.contains(STARTED));
    assert!(began, "the copying process ended early: {:?}", copying.wait());
    copying
}

async fn until_all_is_done(streams: &dyn Streams) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let committed = streams.committed("killed", "killed-in").await.unwrap();
        let sum: u64 = committed.iter().flatten().sum();
        if sum == u64::from(RECORDS) {
            return;
        }
        assert!(Instant::now() < deadline, "stuck at {committed:?}");
        tokio::time::sleep(A_MOMENT).await;
    }
}

/// Every input is in the output once, in the order of its key, and the state agrees.
async fn check(streams: &dyn Streams) {
    let mut last: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut seen = vec![0_u8; RECORDS as usize];
    for batch in all_of(streams, "killed-out", 2, RECORDS as usize).await {
        for i in 0..batch.len() {
            let number: u32 = std::str::from_utf8(batch.value(i).unwrap()).unwrap().parse().unwrap();
            seen[number as usize] += 1;
            let before = last.insert(batch.key(i).unwrap().to_vec(), number);
            assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
        }
    }
    assert_eq!(seen.iter().position(|count| *count != 1), None, "lost or doubled");
    let mut worker = streams.join(membership()).await.unwrap();
    poll_until(worker.as_mut(), |all| all.gained.len() == PARTITIONS as usize).await;
    let counted: u64 = (0..PARTITIONS).map(|partition| count(worker.as_ref(), partition)).sum();
    assert_eq!(counted, u64::from(RECORDS));
}

fn count(worker: &dyn Worker, partition: u32) -> u64 {
    let stored = worker.state().get(partition, b"count").unwrap();
    stored.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the program of another test"]
async fn copies_until_it_is_killed() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let mut config = hasty(&address);
    config.instance = env::var(INSTANCE).ok();
    config.checkpoints = env::var_os(HOME).map(Into::into);
    let mut worker = connect(&config).join(membership()).await.unwrap();
    let mut has_begun = false;
    loop {
        let polled = worker.poll(A_MOMENT).await.unwrap();
        if polled.batches.is_empty() {
            continue;
        }
        if !has_begun {
            println!("{STARTED}");
            has_begun = true;
        }
        let mut work = copy("killed-out", &polled.batches);
        for batch in &polled.batches {
            let value = count(worker.as_ref(), batch.partition) + batch.len() as u64;
            let (partition, value) = (batch.partition, Some(value.to_le_bytes().to_vec()));
            work.state.push(StateChange { partition, key: b"count".to_vec(), value });
            // Large enough for checkpoints to be worth it.
            let key = format!("ballast-{}", batch.offsets[0] % 4).into_bytes();
            work.state.push(StateChange { partition, key, value: Some(vec![0; BALLAST_SIZE]) });
        }
        if worker.commit(work).await.is_err() {
            worker.rewind().await.unwrap();
        }
    }
}
