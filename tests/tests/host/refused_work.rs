//! Work that the agent has done well and the log refuses: it stops nobody either.

use std::sync::Arc;

use wasmill::streams::kafka::{KafkaConfig, KafkaStreams};
use wasmill::streams::{Record, TopicSpec};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::Scratch;

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
    let status = &running.host.supervisor.status()[0];
    assert_eq!((status.records, status.dead_letters), (200, 3));
    running.stop().await.unwrap();
}
