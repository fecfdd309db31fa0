//! What waits for a slow worker is bounded, however much there is.

use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use wasmill::streams::{Membership, Record, Streams};
use wasmill_tests::kafka::Kafka;

use super::{config, connect, create};
use crate::contract::subject::poll_until;

const ADDRESS: &str = "WASMILL_TEST_MEMORY_KAFKA";
const PARTITIONS: u32 = 4;
const RECORDS: usize = 60;
const GREW: &str = "grew by MiB: ";
/// What may wait, a fetch for each partition on top, and what allocators and threads take.
const GROWTH_MAX_MIB: u64 = 64 + 4 + 60;

/// 240 MB lie there, and the worker has taken one record and works on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_worker_does_not_gather_everything_there_is() {
    let Some(kafka) = Kafka::shared() else { return };
    let streams = connect(&config(&kafka.address()));
    create(streams.as_ref(), "much", PARTITIONS).await;
    for _ in 0..RECORDS {
        let records = (0..PARTITIONS).map(|p| Record {
            partition: Some(p),
            value: Some(vec![b'x'; 1_000_000]),
            ..Record::default()
        });
        streams.append("much", records.collect()).await.unwrap();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["kafka::memory::takes_one_record_and_waits", "--exact", "--ignored", "--nocapture"]);
    let output = command.env(ADDRESS, kafka.address()).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| Some(line.split_once(GREW)?.1)).unwrap_or_else(|| panic!("{text}"));
    let grown: u64 = line.trim().parse().unwrap();
    assert!(grown > 8, "{grown} MiB: it has fetched nothing");
    assert!(grown < GROWTH_MAX_MIB, "{grown} MiB wait for one worker");
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the program of another test"]
async fn takes_one_record_and_waits() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let streams = connect(&config(&address));
    let membership = Membership {
        group: "memory".to_owned(),
        topics: vec!["much".to_owned()],
        state: None,
        batch_records_max: 1,
        batch_bytes_max: 16 * 1024 * 1024,
    };
    let mut worker = streams.join(membership).await.unwrap();
    let before = resident_mib();
    poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await;
    let (mut last, mut quiet) = (0, 0);
    // Until nothing more is fetched.
    while quiet < 10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = resident_mib();
        quiet = if now > last { 0 } else { quiet + 1 };
        last = last.max(now);
    }
    println!("{GREW}{}", last.saturating_sub(before));
}
