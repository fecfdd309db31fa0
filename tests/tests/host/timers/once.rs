use std::time::Duration;

use wasmill::streams::{Batch, Record};
use wasmill_tests::scratch::Scratch;

use super::REMINDER_MAY;

async fn scratch() -> Scratch {
    let scratch = Scratch::new(REMINDER_MAY).await.unwrap();
    scratch.install("reminder").unwrap();
    scratch.topics(&["reminders", "reminders.due"]).await.unwrap();
    scratch
}

async fn send(scratch: &Scratch, reminders: &[(&str, Option<&str>)]) {
    let record = |(name, text): &(&str, Option<&str>)| Record {
        key: Some(name.as_bytes().to_vec()),
        value: text.map(|text| text.as_bytes().to_vec()),
        ..Record::default()
    };
    scratch.streams().append("reminders", reminders.iter().map(record).collect()).await.unwrap();
}

/// Name and text of each record.
fn due(batch: &Batch) -> Vec<(String, String)> {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    (0..batch.len()).map(|row| (text(batch.key(row)), text(batch.value(row)))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// Nothing more comes.
async fn expect_only(scratch: &Scratch, records: u64) {
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(scratch.streams().watermarks("reminders.due", 0).await.unwrap().next, records);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fires_once_in_the_order_of_its_time_unless_it_is_changed_or_cancelled() {
    let scratch = scratch().await;
    let running = scratch.run().await.unwrap();
    send(&scratch, &[("late", Some("700 second")), ("soon", Some("300 first")), ("never", Some("400 third"))]).await;
    send(&scratch, &[("never", None), ("changed", Some("350 old")), ("changed", Some("1100 new"))]).await;
    let out = scratch.wait_for("reminders.due", 3).await.unwrap();
    assert_eq!(due(&out), pairs(&[("soon", "first"), ("late", "second"), ("changed", "new")]));
    let headers = out.headers.as_ref().unwrap();
    let ids: Vec<_> = (0..3)
        .map(|row| headers.of(row).find(|(name, _)| *name == b"ce_id").unwrap().1.to_vec())
        .map(|id| String::from_utf8(id).unwrap())
        .collect();
    for (number, id) in ids.iter().enumerate() {
        assert!(id.starts_with(&format!("wasmill.timer-0-{number}.")), "{ids:?}");
    }
    expect_only(&scratch, 3).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_outlives_its_host() {
    let scratch = scratch().await;
    send(&scratch, &[("a", Some("1500 kept")), ("b", Some("100 while nobody was there"))]).await;
    let running = scratch.run().await.unwrap();
    while running.host.supervisor.status().first().is_none_or(|status| status.records < 2) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = scratch.streams().watermarks("reminders.due", 0).await.unwrap().next;
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("reminders.due", 2).await.unwrap();
    assert_eq!(due(&out), pairs(&[("b", "while nobody was there"), ("a", "kept")]), "{before} fired before the end");
    expect_only(&scratch, 2).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_grant_nothing_fires_and_with_it_everything_does() {
    let scratch = scratch().await;
    let running = scratch.run().await.unwrap();
    send(&scratch, &[("a", Some("1500 kept"))]).await;
    while running.host.supervisor.status().first().is_none_or(|status| status.records < 1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let file = scratch.dir.path().join("permissions.toml");
    std::fs::write(&file, REMINDER_MAY.replace("timers = true\n", "")).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(scratch.streams().watermarks("reminders.due", 0).await.unwrap().next, 0);
    let refused = running.host.catalog.snapshot().refused.clone();
    assert!(refused[0].reason.contains("wasmill:plugin/timers") && refused[0].reason.contains("timers"), "{refused:?}");
    std::fs::write(&file, REMINDER_MAY).unwrap();
    let out = scratch.wait_for("reminders.due", 1).await.unwrap();
    assert_eq!(due(&out), pairs(&[("a", "kept")]));
    running.stop().await.unwrap();
}
