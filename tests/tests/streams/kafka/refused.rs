//! What the broker itself refuses, in the middle of a transaction.

use wasmill::streams::{Output, Work};
use wasmill_tests::kafka::Kafka;

use super::admin::alter;
use crate::contract::subject::{Subject, done, output, poll_records, records};

/// Rows with keys, except for one in the middle. Enough of them for many batches.
fn rows(topic: &str, count: usize, is_bad: bool) -> Output {
    let values: Vec<String> = (0..count).map(|i| format!("{i} {}", "x".repeat(2_000))).collect();
    let rows: Vec<(&str, &str)> = values.iter().map(|value| (&value[..4], value.as_str())).collect();
    let mut output = output(topic, &rows);
    output.key_present = vec![1; count];
    if is_bad {
        output.key_present[count / 2] = 0;
    }
    output
}

async fn subject() -> Option<(String, Subject)> {
    Some((Kafka::shared()?.address(), super::subject().await?))
}

/// The host knows the topic as it was. The broker refuses one record of thousands, and whatever becomes of the
/// others, the worker is told that it was a record, and goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_became_compacted_is_noticed_and_the_worker_goes_on() {
    let Some((address, s)) = subject().await else { return };
    for round in 0..3 {
        let (topic, out) = (s.topic(&format!("in-{round}"), 1).await, s.topic(&format!("out-{round}"), 3).await);
        s.append_numbered(&topic, (0..6).map(|i| i.to_string())).await;
        let mut membership = s.membership(&format!("group-{round}"), &[&topic]);
        membership.batch_records_max = 3;
        let mut worker = s.streams.join(membership).await.unwrap();
        let batches = poll_records(worker.as_mut(), 3).await;
        worker.commit(Work { outputs: vec![rows(&out, 1, true)], ..done(&batches) }).await.unwrap();

        alter(&address, &out, &[("cleanup.policy", "compact")]).await;
        for _ in 0..2 {
            let batches = poll_records(worker.as_mut(), 3).await;
            let work = Work { outputs: vec![rows(&out, 3_000, true)], ..done(&batches) };
            let error = worker.commit(work).await.unwrap_err();
            assert_eq!(error.code(), "record.invalid", "{error}");
            assert!(error.to_string().contains(&out), "{error}");
            worker.rewind().await.unwrap();
        }
        let batches = poll_records(worker.as_mut(), 3).await;
        worker.commit(Work { outputs: vec![rows(&out, 3_000, false)], ..done(&batches) }).await.unwrap();
        assert_eq!(records(&s.all_of(&out, 3, 3_001).await), 3_001);
    }
}

/// A limit that the host can't know either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_larger_than_its_topic_takes_is_about_a_record() {
    let Some((address, s)) = subject().await else { return };
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    alter(&address, &out, &[("max.message.bytes", "1500")]).await;
    s.append_numbered(&topic, (0..3).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    let batches = poll_records(worker.as_mut(), 3).await;
    let error = worker.commit(Work { outputs: vec![rows(&out, 5, false)], ..done(&batches) }).await.unwrap_err();
    assert!(error.is_about_a_record() && error.to_string().contains("max.message.bytes"), "{error}");
    worker.rewind().await.unwrap();
    let batches = poll_records(worker.as_mut(), 3).await;
    worker.commit(Work { outputs: vec![output(&out, &[("k", "small")])], ..done(&batches) }).await.unwrap();
    assert_eq!(records(&s.all_of(&out, 1, 1).await), 1);
}
