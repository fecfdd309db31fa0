//! Work that the agent has done well and the log refuses: it stops nobody either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Record, TopicSpec};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::{PATIENCE, Scratch};
use wasmill_tests::server::until;

use super::failures::MAY as EVIL_MAY;
use super::feed::UPPER_MAY;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_work_the_embedded_log_refuses_is_set_aside_and_the_others_go_on() {
    the_others_go_on(Scratch::new(UPPER_MAY).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_work_kafka_refuses_is_set_aside_and_the_others_go_on() {
    let Some(kafka) = Kafka::start() else { return };
    let streams = KafkaStreams::connect(&KafkaConfig::plaintext([kafka.address()]), &|_| None).unwrap();
    the_others_go_on(Scratch::new(UPPER_MAY).await.unwrap().with_streams(Arc::new(streams))).await;
}

/// `upper` passes keys on, and its target is compacted: each record needs one, and some have none.
async fn the_others_go_on(scratch: Scratch) {
    scratch.install("upper").unwrap();
    scratch.topics(&["lower"]).await.unwrap();
    let upper = TopicSpec { name: "upper".into(), partitions: 1, compacted: true };
    scratch.streams().create_topic(&upper).await.unwrap();
    let records = (0..200).map(|i: usize| Record {
        key: (![37, 150, 151].contains(&i)).then(|| i.to_string().into_bytes()),
        value: Some(format!("v{i}").into_bytes()),
        ..Record::default()
    });
    scratch.streams().append("lower", records.collect()).await.unwrap();

    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", 197).await;
    let out = out.unwrap_or_else(|error| panic!("{error}: {:?}", running.host.supervisor.status()));
    let values: Vec<_> = (0..out.len()).map(|i| String::from_utf8_lossy(out.value(i).unwrap()).into_owned()).collect();
    let expected = (0..200).filter(|i| ![37, 150, 151].contains(i)).map(|i| format!("V{i}"));
    assert_eq!(values, expected.collect::<Vec<_>>());

    let dead = scratch.wait_for("lower.dlq", 3).await.unwrap();
    for (row, value) in ["v37", "v150", "v151"].into_iter().enumerate() {
        assert_eq!(dead.value(row).unwrap(), value.as_bytes());
        let code = dead.headers.as_ref().unwrap().of(row).find(|(name, _)| *name == b"wasmill-dlq-code").unwrap().1;
        assert_eq!(code, b"record.invalid");
    }
    // Counted as soon as the worker hears that they are committed.
    let status = || running.host.supervisor.status().remove(0);
    tokio::task::block_in_place(|| until(PATIENCE, || status().records == 200));
    assert_eq!((status().records, status().dead_letters), (200, 3));
    running.stop().await.unwrap();
}

/// A timer that sends a record without a key to a compacted topic, beside others that send nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_whose_work_the_log_refuses_is_set_aside_and_the_others_fire() {
    let scratch = Scratch::new(EVIL_MAY).await.unwrap();
    scratch.install("evil-agent").unwrap();
    scratch.topics(&["evil.attacks"]).await.unwrap();
    let results = TopicSpec { name: "evil.results".into(), partitions: 1, compacted: true };
    scratch.streams().create_topic(&results).await.unwrap();
    let running = scratch.run().await.unwrap();
    // Each with a key of its own, so that compaction leaves all answers.
    let number = AtomicU64::new(0);
    let send = async |attack: serde_json::Value| {
        let key = number.fetch_add(1, Ordering::Relaxed).to_string().into_bytes();
        let value = Some(attack.to_string().into_bytes());
        let record = Record { key: Some(key), value, ..Record::default() };
        scratch.streams().append("evil.attacks", vec![record]).await.unwrap();
    };
    let timers = (0..20).map(|i| if i == 11 { ("bad".to_owned(), "keyless") } else { (format!("good-{i:02}"), "") });
    for (timer, payload) in timers {
        send(json!({ "attack": "timer-set", "timer": timer, "payload": payload })).await;
    }
    let dead = scratch.wait_for("wasmill.timer.dlq", 1).await.unwrap();
    assert_eq!((dead.key(0), dead.value(0)), (Some(&b"bad"[..]), Some(&b"keyless"[..])));
    let code = dead.headers.as_ref().unwrap().of(0).find(|(name, _)| *name == b"wasmill-dlq-code").unwrap().1;
    assert_eq!(code, b"record.invalid");
    let mut reports = 20;
    let fired = loop {
        send(json!({ "attack": "timer-fired" })).await;
        reports += 1;
        let out = scratch.wait_for("evil.results", reports).await.unwrap();
        let report = String::from_utf8(out.value(reports - 1).unwrap().to_vec()).unwrap();
        if report.matches("good-").count() == 19 || reports > 100 {
            break report;
        }
    };
    assert_eq!((fired.matches(", 1)").count(), fired.contains("bad")), (19, false), "{fired}");
    running.stop().await.unwrap();
}
