//! `host.toml`, typed.

mod check;
mod sections;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasmill_registry::{DocumentError, line_of, parse_document};

use self::check::check;
pub use self::sections::{
    ConsoleConfig, ConversationsConfig, EmbeddedSection, HostLimits, McpConfig, MetricsConfig, PortConfig, RunsConfig,
    StoreConfig, StreamsConfig, ToolTopicsConfig, VetoConfig,
};
use super::ports::{RateConfig, TlsConfig};
use crate::capabilities::ModelConfig;
use crate::forge::ForgeSettings;
use crate::mcp_servers::{ServerConfig, ServerSection, servers};
use crate::registries::RegistryConfig;
use crate::streams::kafka::KafkaConfig;
use crate::telemetry::TelemetryConfig;

/// Settings of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Where records are.
    pub streams: StreamsConfig,
    /// The database.
    pub store: StoreConfig,
    /// Where metrics are shown.
    pub metrics: MetricsConfig,
    /// Where traces go.
    pub telemetry: TelemetryConfig,
    /// Where programs and the console come in.
    pub gateway: PortConfig,
    /// Where clients of gRPC come in.
    pub grpc: PortConfig,
    /// What the console shows.
    pub console: ConsoleConfig,
    /// Where MCP clients come in.
    pub mcp: McpConfig,
    /// Other MCP servers, whose tools are tools of this host; none unless named.
    pub mcp_servers: Vec<ServerConfig>,
    /// The language model; none: components are told that there is none.
    pub model: Option<ModelConfig>,
    /// The policy that may deny what the matrix allows.
    pub veto: VetoConfig,
    /// The forge.
    pub forge: ForgeSettings,
    /// Settings for components, by name.
    pub config: BTreeMap<String, BTreeMap<String, String>>,
    /// What components may use where no row says otherwise, and what the host itself uses.
    pub limits: HostLimits,
    /// Runs of agents in task mode.
    pub runs: RunsConfig,
    /// Topics on which tools can be called; none unless named.
    pub tool_topics: Vec<ToolTopicsConfig>,
    /// Topics on which clients talk with agents; none: they can't.
    pub conversations: Option<ConversationsConfig>,
    /// Registries of components that are searched; none unless named.
    pub registries: Vec<RegistryConfig>,
}

/// `[mcp]`, with `[[mcp.servers]]` in it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct McpSection {
    listen: Option<SocketAddr>,
    tls: Option<TlsConfig>,
    rate: RateConfig,
    hosts: Vec<String>,
    origins: Vec<String>,
    anonymous: Option<String>,
    servers: Vec<ServerSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<S> {
    streams: Option<S>,
    #[serde(default)]
    store: StoreConfig,
    #[serde(default)]
    metrics: MetricsConfig,
    #[serde(default)]
    telemetry: TelemetryConfig,
    #[serde(default)]
    gateway: PortConfig,
    #[serde(default)]
    grpc: PortConfig,
    #[serde(default)]
    console: ConsoleConfig,
    #[serde(default)]
    mcp: McpSection,
    #[serde(default)]
    model: Option<ModelConfig>,
    #[serde(default)]
    veto: VetoConfig,
    #[serde(default)]
    forge: ForgeSettings,
    #[serde(default)]
    config: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    limits: HostLimits,
    #[serde(default)]
    runs: RunsConfig,
    #[serde(default)]
    tool_topics: Vec<ToolTopicsConfig>,
    conversations: Option<ConversationsConfig>,
    #[serde(default)]
    registry: Vec<RegistryConfig>,
}

impl HostConfig {
    /// Reads a `host.toml`. An empty one gives a host that needs nothing else.
    ///
    /// # Errors
    /// With the line: unknown keys, wrong types, values out of bounds.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        // `brokers` decides what the section is. Two whole readings instead of an enum that tries both: only so does an
        // error keep its line.
        let names_brokers = text
            .parse::<toml::Table>()
            .is_ok_and(|table| table.get("streams").is_some_and(|s| s.get("brokers").is_some()));
        if names_brokers {
            Self::read(text, |section: KafkaConfig| StreamsConfig::Kafka(Box::new(section)))
        } else {
            Self::read(text, StreamsConfig::Embedded)
        }
    }

    fn read<S: DeserializeOwned>(text: &str, streams: fn(S) -> StreamsConfig) -> Result<Self, DocumentError> {
        let file: File<S> = parse_document(text)?;
        if let Err((path, message)) = check(&file) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            return Err(DocumentError { line: line_of(text, &path), message });
        }
        let McpSection { listen, tls, rate, hosts, origins, anonymous, servers: sections } = file.mcp;
        let mcp = McpConfig { listen, tls, rate, hosts, origins, anonymous };
        let mcp_servers = match servers(sections) {
            Ok(servers) => servers,
            Err((row, field, message)) => {
                let line = line_of(text, &["mcp", "servers", &row.to_string(), field]);
                return Err(DocumentError { line, message });
            }
        };
        Ok(Self {
            streams: file.streams.map_or_else(|| StreamsConfig::Embedded(EmbeddedSection::default()), streams),
            store: file.store,
            metrics: file.metrics,
            telemetry: file.telemetry,
            gateway: file.gateway,
            grpc: file.grpc,
            console: file.console,
            mcp,
            mcp_servers,
            model: file.model,
            veto: file.veto,
            forge: file.forge,
            config: file.config,
            limits: file.limits,
            runs: file.runs,
            tool_topics: file.tool_topics,
            conversations: file.conversations,
            registries: file.registry,
        })
    }
}

#[cfg(test)]
mod tests;
