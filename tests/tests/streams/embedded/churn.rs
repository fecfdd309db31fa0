//! Members come, go and are interrupted while they copy; the copy stays exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;
use wasmill::streams::embedded::Embedded;
use wasmill::streams::{Batch, Membership, Output, StreamError, Streams, Work};

use super::exact::assert_exact;
use super::{open, topic};
use crate::contract::subject::{A_MOMENT, PATIENCE, done, keyed, poll_until, records};

fn membership(batch_records_max: usize) -> Membership {
    Membership {
        group: "copy".to_owned(),
        topics: vec!["in".to_owned()],
        state: None,
        batch_records_max,
        batch_bytes_max: 1024 * 1024,
    }
}

fn copy(batches: &[Batch]) -> Work {
    let output = |b: &Batch| Output {
        topic: "out".to_owned(),
        keys: b.keys.clone(),
        values: b.values.clone(),
        ..Output::default()
    };
    Work { outputs: batches.iter().map(output).collect(), ..done(batches) }
}

async fn filled(dir: &TempDir, count: u32) -> Arc<Embedded> {
    let log = open(dir.path());
    log.create_topic(&topic("in", 5)).await.unwrap();
    log.create_topic(&topic("out", 2)).await.unwrap();
    let records = (0..count).map(|i| keyed(&format!("key-{}", i % 40), &i.to_string())).collect();
    log.append("in", records).await.unwrap();
    log
}

/// Joins and leaves until everything is copied. Some leave with work under way.
async fn come_and_go(log: Arc<Embedded>, copied: Arc<AtomicU32>, count: u32, seed: usize) -> Result<u32, StreamError> {
    let mut fenced = 0;
    for round in seed.. {
        let mut worker = log.join(membership(50)).await?;
        for _ in 0..round * 7 % 11 {
            let batches = worker.poll(Duration::from_millis(5)).await?.batches;
            // Others join and leave in between.
            tokio::task::yield_now().await;
            match worker.commit(copy(&batches)).await {
                Ok(()) => drop(copied.fetch_add(records(&batches) as u32, Ordering::Relaxed)),
                Err(StreamError::Fenced(_)) => fenced += 1,
                Err(error) => return Err(error),
            }
        }
        if copied.load(Ordering::Relaxed) >= count {
            break;
        }
        worker.poll(Duration::ZERO).await?;
    }
    Ok(fenced)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_come_and_go_copy_everything_once() {
    const COUNT: u32 = 10_000;
    let dir = TempDir::new().unwrap();
    let log = filled(&dir, COUNT).await;
    let copied = Arc::new(AtomicU32::new(0));
    let members = (0..4).map(|seed| tokio::spawn(come_and_go(log.clone(), copied.clone(), COUNT, seed)));
    let members: Vec<_> = members.collect();
    let mut fenced = 0;
    for member in members {
        fenced += timeout(PATIENCE, member).await.expect("the members should have come to an end").unwrap().unwrap();
    }
    assert!(fenced > 0, "no commit ever met a rebalance, so this test showed nothing");
    assert_exact(log.as_ref(), 2, COUNT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_waits_for_is_not_done_again() {
    const COUNT: u32 = 1_000;
    let dir = TempDir::new().unwrap();
    let log = filled(&dir, COUNT).await;
    let mut worker = log.join(membership(20)).await.unwrap();
    let mut given = 0;
    while given < COUNT as usize {
        let batches = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
        given += records(&batches);
        // The commit is on its way when its future is dropped.
        let _ = timeout(Duration::ZERO, worker.commit(copy(&batches))).await;
    }
    assert!(worker.poll(A_MOMENT).await.unwrap().batches.is_empty());
    assert_exact(log.as_ref(), 2, COUNT).await;
}
