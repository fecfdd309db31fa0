//! Answers that only the broker finds too large.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use serde_json::json;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::scratch::Scratch;

use super::answers::{Desk, header, streams, values, wire};
use super::{DESK_MAY, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_of_an_answer_that_the_broker_refuses_is_set_aside_and_the_others_are_answered() {
    let Some(kafka) = Kafka::shared() else { return };
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", kafka.address()).create().unwrap();
    let narrow = NewTopic::new("narrow.results", 1, TopicReplication::Fixed(1)).set("max.message.bytes", "2000");
    client.create_topics([&narrow], &AdminOptions::new()).await.unwrap();
    let scratch = Scratch::new(DESK_MAY).await.unwrap().with_streams(streams(kafka));
    scratch.topics(&["narrow.requests"]).await.unwrap();
    let desk = Desk::open(scratch, "narrow").await;
    let echo = |id: &str, size: usize| {
        // Nothing that the producer's compression makes small.
        let text: String = (0..size).map(|n| char::from(b'!' + (n * n * 31 % 89) as u8)).collect();
        wire(&request(id, id, "evil/echo", &json!({ "text": text })))
    };
    desk.send(vec![echo("a", 1), echo("b", 60_000), echo("c", 1), echo("d", 1)]).await;
    let answers = values(&desk.results(3).await);
    let ids: Vec<&str> = answers.iter().map(|answer| answer["metadata"]["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "c", "d"]);
    let letters = desk.letters(1).await;
    assert_eq!(header(&letters, 0, "wasmill-dlq-offset").as_deref(), Some("1"));
    assert_eq!(header(&letters, 0, "wasmill-dlq-code").as_deref(), Some("record.invalid"));
    desk.stop().await;
}
