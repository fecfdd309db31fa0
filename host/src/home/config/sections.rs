//! The sections of `host.toml`, with their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use wasmill_registry::Limits;

use super::super::ports::{RateConfig, TlsConfig};
use crate::streams::RECORD_SIZE_MAX;
use crate::streams::kafka::KafkaConfig;

/// Where records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamsConfig {
    /// In the home directory.
    Embedded(EmbeddedSection),
    /// On Kafka.
    Kafka(Box<KafkaConfig>),
}

/// Settings of the embedded log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedSection {
    /// Largest record: key, value and headers together, in bytes.
    pub record_bytes_max: usize,
    /// Memory that keeps pages of the file, MiB.
    pub cache_mib: usize,
}

impl Default for EmbeddedSection {
    fn default() -> Self {
        Self { record_bytes_max: RECORD_SIZE_MAX, cache_mib: 64 }
    }
}

/// The database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `postgres://…`, or `sqlite://…`; none: `store.db` in the home directory.
    pub url: Option<String>,
}

/// Where metrics are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Address and port that Prometheus reads `/metrics` from, without a key; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// Encryption; none: plain.
    pub tls: Option<TlsConfig>,
}

/// Where programs and the console come in over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortConfig {
    /// Address and port of the console and of `/v1`; none: only the home's socket.
    pub listen: Option<SocketAddr>,
    /// Most connections at once; more wait in the system's queue.
    pub connections: usize,
    /// Encryption; none: plain.
    pub tls: Option<TlsConfig>,
    /// How many requests one client may make.
    pub rate: RateConfig,
}

impl Default for PortConfig {
    fn default() -> Self {
        Self { listen: None, connections: 1024, tls: None, rate: RateConfig::default() }
    }
}

/// The policy that may deny what the matrix allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VetoConfig {
    /// Its file, seen from the home; none: nobody vetoes anything.
    pub file: Option<PathBuf>,
}

/// What the console shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Where a trace can be seen, as `http://jaeger:16686/trace/{trace}`; none: runs have no link to their trace.
    pub trace_url: Option<String>,
}

/// Where MCP clients come in over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpConfig {
    /// Address and port of `/mcp`; none: nowhere. `wasmill mcp` needs none.
    pub listen: Option<SocketAddr>,
    /// Encryption; none: plain.
    pub tls: Option<TlsConfig>,
    /// How many requests one client may make.
    pub rate: RateConfig,
    /// Names that clients may reach this port by, with `:port` where it matters, besides this machine's own loopback ones.
    pub hosts: Vec<String>,
    /// Web pages that may ask, as `https://name:port`; none may unless named. Programs that aren't browsers don't say where
    /// they come from, and need no entry.
    pub origins: Vec<String>,
    /// The client that whoever comes without a token is; none: nobody comes in without one.
    pub anonymous: Option<String>,
}

/// A pair of topics: requests to call tools on one, answers on the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolTopicsConfig {
    /// The client that whoever may write to `requests` is: its rows decide.
    pub client: String,
    /// Topic of the requests.
    #[serde(default = "default_requests")]
    pub requests: String,
    /// Topic of the answers.
    #[serde(default = "default_results")]
    pub results: String,
    /// Most calls at the same time; requests of one session are called one after the other.
    #[serde(default = "default_calls_at_once")]
    pub calls_at_once: usize,
}

/// Topics on which clients of the gateway talk with agents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConversationsConfig {
    /// Topic of what clients say.
    pub inbound: String,
    /// Topic of what agents answer.
    pub outbound: String,
}

impl Default for ConversationsConfig {
    fn default() -> Self {
        Self { inbound: "conversation.inbound".to_owned(), outbound: "conversation.outbound".to_owned() }
    }
}

fn default_requests() -> String {
    "tool.requests".to_owned()
}

fn default_results() -> String {
    "tool.results".to_owned()
}

fn default_calls_at_once() -> usize {
    16
}

/// Runs of agents in task mode.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunsConfig {
    /// How long a finished run stays with its journal, days.
    pub keep_days: u32,
}

impl Default for RunsConfig {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

/// Limits of this host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostLimits {
    /// Most instances of components at the same time. Each reserves address space, not memory.
    pub instances: u32,
    /// What a component may use where neither a row nor its manifest says less.
    pub component: Limits,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self { instances: 4096, component: Limits::default() }
    }
}
