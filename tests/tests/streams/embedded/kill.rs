//! `kill -9` at any moment loses nothing and doubles nothing.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use wasmill::streams::{Membership, Output, StateChange, Streams, Worker};

use super::exact::assert_exact;
use super::{child, open, topic};
use crate::contract::subject::{A_MOMENT, done, keyed};

/// Added before each round, so that there is always something to interrupt.
const RECORDS_A_ROUND: u32 = 3_000;
const PARTITIONS: u32 = 3;
const KILLS: u32 = 8;
const RECORDS: u32 = RECORDS_A_ROUND * (KILLS + 1);

fn membership() -> Membership {
    Membership {
        group: "copy".to_owned(),
        topics: vec!["in".to_owned()],
        state: Some("copy".to_owned()),
        batch_records_max: 100,
        batch_bytes_max: 1024 * 1024,
    }
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
    let dir = TempDir::new().unwrap();
    {
        let log = open(dir.path());
        log.create_topic(&topic("in", PARTITIONS)).await.unwrap();
        log.create_topic(&topic("out", 2)).await.unwrap();
    }
    let mut seed = 0x5eed_0001;
    for round in 0..=KILLS {
        let added = round * RECORDS_A_ROUND..(round + 1) * RECORDS_A_ROUND;
        let records = added.map(|i| keyed(&format!("key-{}", i % 50), &i.to_string())).collect();
        open(dir.path()).append("in", records).await.unwrap();
        let mut copying = child::command("kill::copies_until_all_is_done", dir.path());
        let mut copying = copying.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(copying.stdout.take().unwrap()).lines();
        // The moment is random within the copying, not within the start of the process.
        let began = lines.by_ref().map_while(Result::ok).any(|line| line.contains(STARTED));
        assert!(began, "round {round}: the copying process ended early");
        if round < KILLS {
            std::thread::sleep(Duration::from_micros(random(&mut seed) % 60_000));
            copying.kill().unwrap();
        }
        let drained = lines.map_while(Result::ok).count();
        let status = copying.wait().unwrap();
        assert!(round < KILLS || status.success(), "the last round copies the rest: {status}, {drained} lines");
    }
    check(dir.path()).await;
}

/// Every input is in the output once, in the order of its key, and the state agrees.
async fn check(dir: &std::path::Path) {
    let log = open(dir);
    assert_exact(log.as_ref(), 2, RECORDS).await;
    let mut worker = log.join(membership()).await.unwrap();
    worker.poll(A_MOMENT).await.unwrap();
    let counted: u64 = (0..PARTITIONS).map(|partition| count(worker.as_ref(), partition)).sum();
    assert_eq!(counted, u64::from(RECORDS));
}

fn count(worker: &dyn Worker, partition: u32) -> u64 {
    let stored = worker.state().get(partition, b"count").unwrap();
    stored.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

const STARTED: &str = "copying";

#[tokio::test]
#[ignore = "the program of another test"]
async fn copies_until_all_is_done() {
    let Some(dir) = child::dir() else { return };
    let log = open(&dir);
    let mut worker = log.join(membership()).await.unwrap();
    println!("{STARTED}");
    loop {
        let polled = worker.poll(A_MOMENT).await.unwrap();
        if polled.batches.is_empty() && polled.gained.is_empty() {
            break;
        }
        let mut work = done(&polled.batches);
        for batch in &polled.batches {
            let (keys, values) = (batch.keys.clone(), batch.values.clone());
            work.outputs.push(Output { topic: "out".to_owned(), keys, values, ..Output::default() });
            let value = count(worker.as_ref(), batch.partition) + batch.len() as u64;
            let (partition, value) = (batch.partition, Some(value.to_le_bytes().to_vec()));
            work.state.push(StateChange { partition, key: b"count".to_vec(), value });
        }
        worker.commit(work).await.unwrap();
    }
}
