//! Kafka, from the connection up: each layer is looked at by itself, so that the one at fault is named.

mod layers;
mod probe;
mod protocol;
mod release;
mod rules;

use std::sync::Arc;
use std::time::Instant;

use super::{Finding, Level, agents, clock, tool_topics};
use crate::home::{Home, open_kafka};
use crate::streams::kafka::{KafkaConfig, Security};
use crate::streams::{SharedStreams, StreamError, Streams};

/// Brokers that are looked at; all others are alike.
const BROKERS_MAX: usize = 5;

pub(super) async fn examine(home: &Home, config: &KafkaConfig) -> Vec<Finding> {
    let looking = config.brokers.iter().take(BROKERS_MAX).cloned().map(|broker| {
        let security = config.security.clone();
        tokio::task::spawn_blocking(move || {
            let seen = probe::look(&broker, &security);
            (broker, seen)
        })
    });
    let seen: Vec<_> = futures::future::join_all(looking).await.into_iter().flatten().collect();
    let mut all = layers::judge(&config.security, &seen);
    let brokers = config.brokers.join(", ");
    if all.iter().any(|finding| finding.level == Level::Fail) {
        let next = "See the lines above; a host that runs waits for the broker.";
        all.push(Finding::advise("log", Level::Fail, format!("Kafka at {brokers} can't be asked"), next));
        return all;
    }
    let streams = match open_kafka(home, config) {
        Ok(streams) => Arc::new(streams),
        Err(problem) => {
            all.push(Finding::fail("log", problem));
            return all;
        }
    };
    let asked = Instant::now();
    // The first answer takes the login and the connection with it; the second is the time of a round trip.
    let known = match streams.topics().await {
        Ok(_) => {
            let again = Instant::now();
            streams.topics().await.map(|topics| (topics, again.elapsed()))
        }
        Err(error) => Err(error),
    };
    match known {
        Ok((topics, trip)) => {
            if matches!(config.security, Security::Sasl(_)) {
                all.push(Finding::ok("kafka.sasl", "the broker takes the password"));
            }
            let (first, trip) = (asked.elapsed().saturating_sub(trip).as_millis(), trip.as_millis());
            let says = format!(
                "Kafka at {brokers}, {} topics; login and first answer {first} ms, next {trip} ms",
                topics.len()
            );
            all.push(Finding::ok("log", says));
        }
        Err(error) => {
            all.extend(refused(&config.security, &error));
            let next = "See the lines above; a host that runs waits for the broker.";
            all.push(Finding::advise("log", Level::Fail, error.to_string(), next));
            return all;
        }
    }
    all.extend(rules::examine(home, &streams, config.acl_principal()).await);
    let shared: SharedStreams = streams.clone();
    all.extend(agents::examine(home, &shared, Some(&streams)).await);
    all.extend(tool_topics::examine(home, &shared).await);
    all.push(clock::of_log(&shared).await);
    all
}

/// Who was refused, where that is known.
fn refused(security: &Security, error: &StreamError) -> Option<Finding> {
    let (Security::Sasl(sasl), StreamError::Refused(reason)) = (security, error) else { return None };
    let place = match (&sasl.password_secret, &sasl.password_env) {
        (Some(name), _) => format!("the secret `{name}` in secrets.toml"),
        (None, Some(name)) => format!("the environment variable `{name}`"),
        (None, None) => "the password".to_owned(),
    };
    let next = format!("Correct `username` in `security` of host.toml, or {place}.");
    Some(Finding::advise("kafka.sasl", Level::Fail, format!("the broker refuses {}: {reason}", sasl.username), next))
}
