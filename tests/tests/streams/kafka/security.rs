//! Encryption and identity reach librdkafka.

use std::sync::Arc;

use wasmill::streams::kafka::{KafkaConfig, KafkaStreams, Mechanism, Sasl, Security, Tls};
use wasmill::streams::{StreamError, Streams};
use wasmill_tests::kafka::{Identity, Kafka, PASSWORD, USER};

use super::{config, create};
use crate::contract::subject::{A_MOMENT, keyed, texts};

fn connect(address: &str, security: Security, password: &'static str) -> Arc<KafkaStreams> {
    let config = KafkaConfig { security, ..config(address) };
    let secret = move |name: &str| (name == "kafka-password").then(|| password.to_owned());
    Arc::new(KafkaStreams::connect(&config, &secret).unwrap())
}

fn sasl(mechanism: Mechanism, tls: Option<Tls>) -> Security {
    let password_secret = Some("kafka-password".to_owned());
    Security::Sasl(Sasl { mechanism, username: USER.to_owned(), password_secret, password_env: None, tls })
}

fn trusting(identity: &Identity) -> Tls {
    Tls { ca: Some(identity.ca()), cert: None, key: None }
}

/// Sends and reads one record.
async fn works(streams: &dyn Streams, topic: &str) {
    create(streams, topic, 1).await;
    streams.append(topic, vec![keyed("k", topic)]).await.unwrap();
    assert_eq!(texts(&streams.read(topic, 0, 0, 1, A_MOMENT).await.unwrap()), [topic]);
}

async fn refusal(streams: &dyn Streams) -> StreamError {
    let error = streams.topics().await.unwrap_err();
    assert_eq!(error.code(), "kafka.refused", "{error}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_security_lets_us_in_and_keeps_others_out() {
    let Some(kafka) = Kafka::start_secured() else { return };
    let identity = kafka.identity().unwrap();
    let tls = trusting(identity);

    let (cert, key) = (Some(identity.client_certificate()), Some(identity.client_key()));
    let known = Security::Tls(Tls { cert, key, ..tls.clone() });
    works(connect(&kafka.tls_address(), known, "").as_ref(), "certificate").await;
    refusal(connect(&kafka.tls_address(), Security::Tls(Tls::default()), "").as_ref()).await;

    let cases = [
        (kafka.sasl_tls_address(), sasl(Mechanism::Plain, Some(tls.clone())), "plain"),
        (kafka.sasl_tls_address(), sasl(Mechanism::ScramSha512, Some(tls)), "scram-512"),
        (kafka.sasl_address(), sasl(Mechanism::ScramSha256, None), "scram-256"),
    ];
    for (address, security, topic) in cases {
        works(connect(&address, security.clone(), PASSWORD).as_ref(), topic).await;
        let error = refusal(connect(&address, security, "guessed").as_ref()).await;
        assert!(error.to_string().to_lowercase().contains("authentication"), "{topic}: {error}");
    }
}

#[test]
fn a_property_that_librdkafka_does_not_know_is_named() {
    let mut config = config("127.0.0.1:1");
    config.properties.insert("linger.msec".to_owned(), "5".to_owned());
    let error = KafkaStreams::connect(&config, &|_| None).err().unwrap();
    assert_eq!(error.code(), "streams.config");
    assert!(error.to_string().contains("linger.msec"), "{error}");
}
