//! The broker's settings.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::Result;

use super::identity::{Identity, PASSWORD, STORE_PASSWORD, USER};
use crate::server::free_port;

/// Warnings and the lines that say it is up.
pub const LOGGING: &str = "\
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss,SSS} %p %m (%c)%n
logger.server.name = kafka.server
logger.server.level = INFO
";

/// Ports of the listeners.
#[derive(Debug)]
pub struct Ports {
    pub plaintext: u16,
    pub controller: u16,
    pub tls: u16,
    pub sasl: u16,
    pub sasl_tls: u16,
}

impl Ports {
    /// Ports that nothing listens on.
    pub fn free() -> Result<Self> {
        Ok(Self {
            plaintext: free_port()?,
            controller: free_port()?,
            tls: free_port()?,
            sasl: free_port()?,
            sasl_tls: free_port()?,
        })
    }
}

/// A node, as its cluster knows it.
#[derive(Debug)]
pub struct Node {
    /// Where clients and other nodes reach it.
    pub place: Ipv4Addr,
    /// Its number.
    pub id: u32,
    /// All controllers, `id@host:port`.
    pub quorum: String,
    /// Whether there are no others.
    pub is_alone: bool,
}

impl Node {
    /// The only node of its cluster.
    pub fn alone(ports: &Ports) -> Self {
        let quorum = format!("1@127.0.0.1:{}", ports.controller);
        Self { place: Ipv4Addr::LOCALHOST, id: 1, quorum, is_alone: true }
    }
}

/// The SCRAM users, as StorageTool takes them.
pub fn users() -> [String; 2] {
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(|mechanism| format!("{mechanism}=[name={USER},password={PASSWORD}]"))
}

/// `server.properties`.
pub fn write(node: &Node, ports: &Ports, data: &Path, identity: Option<&Identity>) -> String {
    let Node { place, id, quorum, is_alone } = node;
    let Ports { plaintext, controller, tls, sasl, sasl_tls } = ports;
    let mut listeners = format!("PLAINTEXT://{place}:{plaintext}");
    if identity.is_some() {
        for (name, port) in [("SSL", tls), ("SASL_PLAINTEXT", sasl), ("SASL_SSL", sasl_tls)] {
            let _ = write!(listeners, ",{name}://127.0.0.1:{port}");
        }
    }
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id={id}\n\
         controller.quorum.voters={quorum}\n\
         controller.listener.names=CONTROLLER\n\
         listeners={listeners},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners={listeners}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=\
         CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
         log.dirs={}\n",
        data.display()
    );
    text.push_str(SETTINGS);
    text.push_str(if *is_alone { ALONE } else { TOGETHER });
    if identity.is_some_and(Identity::is_guarded) {
        text.push_str(GUARDED);
    }
    if let Some(identity) = identity {
        let _ = write!(
            text,
            "ssl.keystore.type=PKCS12\n\
             ssl.keystore.location={}\n\
             ssl.keystore.password={STORE_PASSWORD}\n\
             ssl.key.password={STORE_PASSWORD}\n\
             ssl.truststore.type=PEM\n\
             ssl.truststore.location={}\n\
             listener.name.ssl.ssl.client.auth=required\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n",
            identity.broker_store().display(),
            identity.ca().display(),
        );
        for listener in ["sasl_plaintext", "sasl_ssl"] {
            let _ = writeln!(
                text,
                "listener.name.{listener}.plain.sasl.jaas.config=\
                 org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";"
            );
            for mechanism in ["scram-sha-256", "scram-sha-512"] {
                let _ = writeln!(
                    text,
                    "listener.name.{listener}.{mechanism}.sasl.jaas.config=\
                     org.apache.kafka.common.security.scram.ScramLoginModule required;"
                );
            }
        }
    }
    text
}

/// Access rules count. Who is not asked for a name, the broker itself among them, may do everything.
const GUARDED: &str = "\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
";

/// Few partitions of its own, no waiting for others; topics only when they are asked for.
const SETTINGS: &str = "\
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
num.partitions=1
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=4194304
offsets.load.buffer.size=1048576
transaction.state.log.load.buffer.size=1048576
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
";

/// One copy of everything.
const ALONE: &str = "\
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
min.insync.replicas=1
controlled.shutdown.enable=false
log.segment.delete.delay.ms=1000
";

/// Three copies of everything, of which one may be away; who is away is noticed soon.
const TOGETHER: &str = "\
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
default.replication.factor=3
min.insync.replicas=2
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=10000
";
