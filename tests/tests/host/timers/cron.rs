use std::time::Duration;

use wasmill::streams::Batch;
use wasmill_tests::scratch::{Scratch, component, manifest};

use super::{REMINDER_MAY, each_second, now_ms};

async fn scratch(manifest: &str) -> Scratch {
    let scratch = Scratch::new(REMINDER_MAY).await.unwrap();
    scratch.install_bytes(&component("reminder").unwrap(), manifest).unwrap();
    scratch.topics(&["reminders", "reminders.due"]).await.unwrap();
    scratch
}

/// The moments at which the schedule was due, in the order in which it fired.
fn moments(batch: &Batch) -> Vec<u64> {
    let moment = |row| String::from_utf8(batch.value(row).unwrap().to_vec()).unwrap().parse().unwrap();
    (0..batch.len()).map(moment).collect()
}

async fn all(scratch: &Scratch) -> Vec<u64> {
    moments(&scratch.streams().read("reminders.due", 0, 0, 1000, Duration::ZERO).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_fires_once_each_time_and_what_was_missed_fires_once() {
    let scratch = scratch(&each_second(manifest("reminder").unwrap())).await;
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("reminders.due", 3).await.unwrap();
    assert_eq!(out.key(0), Some(&b"a new day"[..]));
    running.stop().await.unwrap();

    let before = all(&scratch).await;
    assert!(before.is_sorted_by(|a, b| a < b) && before.iter().all(|moment| moment % 1000 == 0), "{before:?}");
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let again = now_ms();
    let running = scratch.run().await.unwrap();
    scratch.wait_for("reminders.due", before.len() + 3).await.unwrap();
    running.stop().await.unwrap();
    let after = all(&scratch).await;
    assert!(after.is_sorted_by(|a, b| a < b), "{after:?}");
    let missed = after[before.len()..].iter().filter(|moment| **moment < again).count();
    assert_eq!(missed, 1, "of those that nobody was there for, the first: {before:?}, then {after:?} after {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_without_the_grant_keeps_the_agent_from_starting() {
    let may = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";
    let scratch = Scratch::new(may).await.unwrap();
    let scheduled = format!("{}\n[[agent.cron]]\nname = \"x\"\nschedule = \"@hourly\"\n", manifest("upper").unwrap());
    scratch.install_bytes(&component("upper").unwrap(), &scheduled).unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    let mut shown = String::new();
    for _ in 0..100 {
        shown = format!("{:?}", running.host.supervisor.status());
        if shown.contains("may not set timers") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(shown.contains("agent:upper may not set timers"), "{shown}");
    running.stop().await.unwrap();
}
