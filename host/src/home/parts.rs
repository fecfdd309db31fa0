//! Opening what `host.toml` names: the log and the database.

use std::sync::Arc;

use wasmill_registry::Digest;

use super::Home;
use super::config::{StoreConfig, StreamsConfig};
use crate::problem::{Problem, ProblemKind};
use crate::store::{Store, StoreError};
use crate::streams::SharedStreams;
use crate::streams::embedded::{Embedded, EmbeddedConfig};
use crate::streams::kafka::{KafkaConfig, KafkaStreams};

/// Opens the log of a home. The embedded one has one owner at a time.
///
/// # Errors
/// As the log says: `log.in-use`, `log.damaged`, `kafka.unavailable`, …
pub async fn open_streams(home: &Home, config: &StreamsConfig) -> Result<SharedStreams, Problem> {
    match config {
        StreamsConfig::Embedded(section) => {
            let folder = home.log();
            let config = EmbeddedConfig {
                record_bytes_max: section.record_bytes_max,
                cache_bytes: section.cache_mib.saturating_mul(1024 * 1024),
                ..EmbeddedConfig::default()
            };
            // After a crash opening reads the whole file.
            let opened = tokio::task::spawn_blocking(move || Embedded::open(&folder, config)).await;
            let log =
                opened.map_err(|error| Problem::new(ProblemKind::Failed, "log.failed", error.to_string(), ""))??;
            Ok(log)
        }
        StreamsConfig::Kafka(config) => Ok(Arc::new(open_kafka(home, config)?)),
    }
}

/// Prepares to talk to the Kafka of a home.
///
/// # Errors
/// As the home's secrets and [`KafkaStreams::connect`] say.
pub fn open_kafka(home: &Home, config: &KafkaConfig) -> Result<KafkaStreams, Problem> {
    let secrets = home.secrets()?;
    let instance = config.instance.clone().unwrap_or_else(|| instance_of(home));
    let checkpoints = Some(home.checkpoints());
    let config = KafkaConfig { instance: Some(instance), checkpoints, ..config.clone() };
    Ok(KafkaStreams::connect(&config, &|name| secrets.get(name).cloned())?)
}

/// Opens the database of a home, and brings its tables to this version.
///
/// # Errors
/// As [`Store::open`].
pub async fn open_store(home: &Home, config: &StoreConfig) -> Result<Store, StoreError> {
    match &config.url {
        Some(url) => Store::open(url).await,
        None => Store::open_file(&home.database()).await,
    }
}

/// A name that is the same at each start of this home, and another on each machine: a killed host's successor ends its
/// open transactions by it at once.
pub fn instance_of(home: &Home) -> String {
    let machine = nix::unistd::gethostname().unwrap_or_default();
    let place = [machine.as_encoded_bytes(), b"\0", home.root().as_os_str().as_encoded_bytes()].concat();
    Digest::of(&place).to_string().chars().take(12).collect()
}
