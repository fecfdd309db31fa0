//! Settings: what an admin writes about Kafka, and what librdkafka is told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::streams::{RECORD_SIZE_MAX, StreamError};

/// How to reach Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// Brokers to begin with, `host:port`. The others are learned from them.
    pub brokers: Vec<String>,
    /// Name that the brokers' logs and quotas know this host by.
    #[serde(default = "client_id_default")]
    pub client_id: String,
    /// Name of this host, different on every host and the same after its restart. The successor of a killed host then
    /// ends its open transactions at once instead of waiting for them to time out. None: a new random name each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Encryption and identity.
    #[serde(default)]
    pub security: Security,
    /// Name by which Kafka's access rules know this host, like `User:CN=mill`. None: `User:` and the name of
    /// `security`; a certificate's name the broker alone knows, it makes one of it by its own rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Largest record, keys and headers included, in bytes.
    #[serde(default = "record_bytes_max_default")]
    pub record_bytes_max: usize,
    /// Folder for checkpoints of state, see `docs/decisions/state-checkpoints.md`. Not a setting: the host gives it one in
    /// its home. None: state is always restored from the whole topic.
    #[serde(skip)]
    pub checkpoints: Option<PathBuf>,
    /// Further librdkafka properties, for all clients. Those that the host must own itself are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}

fn client_id_default() -> String {
    "wasmill".to_owned()
}

fn record_bytes_max_default() -> usize {
    RECORD_SIZE_MAX
}

/// Encryption and identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Security {
    /// Neither.
    #[default]
    Plaintext,
    /// TLS; with `cert` and `key` the broker can tell who we are.
    Tls(Tls),
    /// User name and password.
    Sasl(Sasl),
}

/// Files for TLS, all PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate authorities to trust; none: those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Our certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// The key of our certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// User name and password. The password itself never stands in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// How the password is proved.
    pub mechanism: Mechanism,
    /// User name.
    pub username: String,
    /// Name of the secret that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
    /// Name of the environment variable that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// TLS around it; none: the connection is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// The password as it is: only with TLS.
    Plain,
    /// SCRAM with SHA-256.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// SCRAM with SHA-512.
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

/// Properties that decide whether exactly-once holds, or that have a setting of their own, with the reason.
const OWNED: &[(&str, &str)] = &[
    ("acks", "every record must be replicated before it counts"),
    ("allow.auto.create.topics", "topics are created by those who may"),
    ("auto.offset.reset", "a new group begins at the first record"),
    ("bootstrap.servers", "write `brokers`"),
    ("client.id", "write `client_id`"),
    ("enable.auto.commit", "offsets are committed in the transaction"),
    ("enable.auto.offset.store", "offsets are committed in the transaction"),
    ("enable.idempotence", "exactly-once needs it"),
    ("enable.partition.eof", "the host needs to know where it stands"),
    ("group.id", "it is the agent's name"),
    ("group.instance.id", "members are told apart by the host"),
    ("group.protocol", "the host answers rebalances by the classic protocol"),
    ("isolation.level", "exactly-once needs `read_committed`"),
    ("message.max.bytes", "write `record_bytes_max`"),
    ("metadata.broker.list", "write `brokers`"),
    ("partition.assignment.strategy", "the host chooses it by the number of topics"),
    ("partitioner", "a key's partition must be the same for every client"),
    ("request.required.acks", "every record must be replicated before it counts"),
    ("security.protocol", "write `security`"),
    ("transactional.id", "it fences this host's predecessors"),
];

impl KafkaConfig {
    /// Settings for brokers without encryption.
    pub fn plaintext(brokers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            brokers: brokers.into_iter().map(Into::into).collect(),
            client_id: client_id_default(),
            instance: None,
            security: Security::Plaintext,
            principal: None,
            record_bytes_max: RECORD_SIZE_MAX,
            checkpoints: None,
            properties: BTreeMap::new(),
        }
    }

    /// Name by which Kafka's access rules know this host; none where only the broker knows.
    pub fn acl_principal(&self) -> Option<String> {
        match (&self.principal, &self.security) {
            (Some(principal), _) => Some(principal.clone()),
            (None, Security::Sasl(sasl)) => Some(format!("User:{}", sasl.username)),
            (None, Security::Plaintext) => Some("User:ANONYMOUS".to_owned()),
            (None, Security::Tls(tls)) if tls.cert.is_none() => Some("User:ANONYMOUS".to_owned()),
            (None, Security::Tls(_)) => None,
        }
    }

    /// What every client is told. `secret` looks a secret up by its name.
    ///
    /// # Errors
    /// [`StreamError::Config`] with the setting that can't be used.
    pub(super) fn to_client(&self, secret: &dyn Fn(&str) -> Option<String>) -> Result<ClientConfig, StreamError> {
        if self.brokers.is_empty() {
            return Err(StreamError::Config("`streams.brokers` is empty; write at least one `host:port`".to_owned()));
        }
        let mut client = ClientConfig::new();
        for (name, value) in &self.properties {
            self.check_property(name)?;
            client.set(name, value);
        }
        client.set("bootstrap.servers", self.brokers.join(","));
        client.set("client.id", &self.client_id);
        client.set("allow.auto.create.topics", "false");
        match &self.security {
            Security::Plaintext => client.set("security.protocol", "plaintext"),
            Security::Tls(tls) => {
                set_tls(&mut client, tls);
                client.set("security.protocol", "ssl")
            }
            Security::Sasl(sasl) => set_sasl(&mut client, sasl, secret)?,
        };
        Ok(client)
    }

    fn check_property(&self, name: &str) -> Result<(), StreamError> {
        let reason = OWNED.iter().find(|(owned, _)| *owned == name).map(|(_, reason)| *reason);
        let reason = reason.or_else(|| name.starts_with("sasl.").then_some("write `security`"));
        match reason {
            Some(reason) => Err(StreamError::Config(format!("`streams.properties` may not set `{name}`: {reason}"))),
            None => Ok(()),
        }
    }
}

fn set_tls(client: &mut ClientConfig, tls: &Tls) {
    let files = [("ssl.ca.location", &tls.ca), ("ssl.certificate.location", &tls.cert), ("ssl.key.location", &tls.key)];
    for (name, path) in files {
        if let Some(path) = path {
            client.set(name, path.to_string_lossy());
        }
    }
}

fn set_sasl<'c>(
    client: &'c mut ClientConfig,
    sasl: &Sasl,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<&'c mut ClientConfig, StreamError> {
    let password = match (&sasl.password_secret, &sasl.password_env) {
        (Some(name), None) => secret(name).ok_or_else(|| {
            StreamError::Config(format!("there is no secret `{name}`, which `streams.security.password_secret` names"))
        }),
        (None, Some(name)) => std::env::var(name).map_err(|_| {
            StreamError::Config(format!("the environment has no `{name}`, which `streams.security.password_env` names"))
        }),
        _ => Err(StreamError::Config(
            "`streams.security` needs either `password_secret` or `password_env`, and not both".to_owned(),
        )),
    }?;
    let mechanism = match sasl.mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
    };
    client.set("sasl.mechanism", mechanism);
    client.set("sasl.username", &sasl.username);
    client.set("sasl.password", password);
    let protocol = match &sasl.tls {
        Some(tls) => {
            set_tls(client, tls);
            "sasl_ssl"
        }
        None => "sasl_plaintext",
    };
    Ok(client.set("security.protocol", protocol))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
