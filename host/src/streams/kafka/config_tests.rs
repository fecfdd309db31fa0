//! Tests of the settings.

use super::*;

fn parse(text: &str) -> KafkaConfig {
    toml::from_str(text).unwrap()
}

fn no_secret(_: &str) -> Option<String> {
    None
}

#[test]
fn a_property_that_exactly_once_depends_on_is_refused_with_the_reason() {
    for name in ["isolation.level", "enable.auto.commit", "transactional.id", "acks", "sasl.password", "partitioner"] {
        let mut config = KafkaConfig::plaintext(["127.0.0.1:9092"]);
        config.properties.insert(name.to_owned(), "x".to_owned());
        let error = config.to_client(&no_secret).unwrap_err();
        assert_eq!(error.code(), "streams.config");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn other_properties_reach_librdkafka() {
    let config = parse("brokers = [\"a:1\", \"b:2\"]\n[properties]\n\"linger.ms\" = \"1\"");
    let client = config.to_client(&no_secret).unwrap();
    assert_eq!(client.get("linger.ms"), Some("1"));
    assert_eq!(client.get("bootstrap.servers"), Some("a:1,b:2"));
    assert_eq!(client.get("security.protocol"), Some("plaintext"));
}

#[test]
fn a_password_comes_from_a_secret() {
    let config = parse(
        "brokers = [\"a:1\"]\n[security]\nkind = \"sasl\"\nmechanism = \"scram-sha-512\"\nusername = \"mill\"\n\
         password_secret = \"kafka\"\ntls = { ca = \"/ca.pem\" }",
    );
    let client = config.to_client(&|name| (name == "kafka").then(|| "hush".to_owned())).unwrap();
    assert_eq!(client.get("sasl.mechanism"), Some("SCRAM-SHA-512"));
    assert_eq!(client.get("sasl.password"), Some("hush"));
    assert_eq!(client.get("security.protocol"), Some("sasl_ssl"));
    assert_eq!(client.get("ssl.ca.location"), Some("/ca.pem"));
    let error = config.to_client(&no_secret).unwrap_err();
    assert!(error.to_string().contains("no secret `kafka`"), "{error}");
}

#[test]
fn a_password_needs_exactly_one_source() {
    let config = parse("brokers = [\"a:1\"]\n[security]\nkind = \"sasl\"\nmechanism = \"plain\"\nusername = \"mill\"");
    let error = config.to_client(&no_secret).unwrap_err();
    assert!(error.to_string().contains("password_secret"), "{error}");
}

#[test]
fn unknown_settings_and_no_brokers_are_refused() {
    assert!(toml::from_str::<KafkaConfig>("brokers = []\nbroker = \"a:1\"").is_err());
    assert!(toml::from_str::<KafkaConfig>("brokers = []\n[security]\nkind = \"tls\"\nkeys = \"x\"").is_err());
    assert_eq!(parse("brokers = []").to_client(&no_secret).unwrap_err().code(), "streams.config");
}
