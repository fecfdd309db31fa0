//! `host.toml`, typed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasmill_registry::{DocumentError, Limits, line_of, parse_document};

use super::ports::{RateConfig, TlsConfig};
use crate::capabilities::ModelConfig;
use crate::forge::ForgeSettings;
use crate::mcp_servers::{ServerConfig, ServerSection, servers};
use crate::permissions::LimitName;
use crate::registries::{RegistryConfig, misfit as registry_misfit};
use crate::streams::kafka::KafkaConfig;
use crate::streams::{RECORD_SIZE_MAX, TopicSpec, check_topic};
use crate::telemetry::TelemetryConfig;

/// Most connections that a gateway may be told to take.
const CONNECTIONS_MAX: usize = 65_536;
/// Most pairs of tool topics.
const TOOL_TOPICS_MAX: usize = 32;
/// Most calls at the same time of one pair.
const CALLS_AT_ONCE_MAX: usize = 256;

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
    pub gateway: GatewayConfig,
    /// What the console shows.
    pub console: ConsoleConfig,
    /// Where MCP clients come in.
    pub mcp: McpConfig,
    /// Other MCP servers, whose tools are tools of this host; none unless named.
    pub mcp_servers: Vec<ServerConfig>,
    /// The language model; none: components are told that there is none.
    pub model: Option<ModelConfig>,
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
pub struct GatewayConfig {
    /// Address and port of the console and of `/v1`; none: only the home's socket.
    pub listen: Option<SocketAddr>,
    /// Most connections at once; more wait in the system's queue.
    pub connections: usize,
    /// Encryption; none: plain.
    pub tls: Option<TlsConfig>,
    /// How many requests one client may make.
    pub rate: RateConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self { listen: None, connections: 1024, tls: None, rate: RateConfig::default() }
    }
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
    gateway: GatewayConfig,
    #[serde(default)]
    console: ConsoleConfig,
    #[serde(default)]
    mcp: McpSection,
    #[serde(default)]
    model: Option<ModelConfig>,
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
        let at = |path: &[&str], message: String| Err(DocumentError { line: line_of(text, path), message });
        for name in LimitName::ALL {
            let range = name.range();
            if let Some(value) = name.of(&file.limits.component).filter(|value| !range.contains(value)) {
                let [value, least, most] = [value, *range.start(), *range.end()].map(|value| name.shown(value));
                let message = format!("{value} is not between {least} and {most}");
                return at(&["limits", "component", name.key()], message);
            }
        }
        if file.limits.instances == 0 || file.limits.instances > 8000 {
            // Each takes six memory mappings at worst, and Linux allows a process 65,530 of them.
            return at(&["limits", "instances"], "instances is between 1 and 8000".into());
        }
        if !(1..=CONNECTIONS_MAX).contains(&file.gateway.connections) {
            let message = format!("connections is between 1 and {CONNECTIONS_MAX}");
            return at(&["gateway", "connections"], message);
        }
        if !(1..=3650).contains(&file.runs.keep_days) {
            return at(&["runs", "keep_days"], "keep_days is between 1 and 3650".into());
        }
        if file.console.trace_url.as_deref().is_some_and(|url| !is_trace_url(url)) {
            let message = "trace_url is an http or https address with `{trace}` in it";
            return at(&["console", "trace_url"], message.into());
        }
        for name in file.config.keys() {
            if let Err(error) = wasmill_registry::check_component_name(name) {
                return at(&["config", name], error.to_string());
            }
        }
        let ports = [
            ("metrics", file.metrics.tls.as_ref(), None),
            ("gateway", file.gateway.tls.as_ref(), Some(&file.gateway.rate)),
            ("mcp", file.mcp.tls.as_ref(), Some(&file.mcp.rate)),
        ];
        for (section, tls, rate) in ports {
            if let Some((field, message)) = tls.and_then(TlsConfig::misfit) {
                return at(&[section, "tls", field], message);
            }
            if let Some((field, message)) = rate.and_then(RateConfig::misfit) {
                return at(&[section, "rate", field], message);
            }
        }
        if let Some(Err(error)) = file.mcp.anonymous.as_deref().map(wasmill_registry::check_component_name) {
            return at(&["mcp", "anonymous"], error.to_string());
        }
        let McpSection { listen, tls, rate, hosts, origins, anonymous, servers: sections } = file.mcp;
        let mcp = McpConfig { listen, tls, rate, hosts, origins, anonymous };
        let mcp_servers = match servers(sections) {
            Ok(servers) => servers,
            Err((row, field, message)) => return at(&["mcp", "servers", &row.to_string(), field], message),
        };
        if let Some((field, message)) = file.telemetry.misfit() {
            return at(&["telemetry", field], message);
        }
        if let Some((row, field, message)) = misfit(&file.tool_topics) {
            return at(&["tool_topics", &row.to_string(), field], message);
        }
        if let Some((field, message)) = file.conversations.as_ref().and_then(misfit_of_conversations) {
            return at(&["conversations", field], message);
        }
        if let Some((row, field, message)) = registry_misfit(&file.registry) {
            return at(&["registry", &row.to_string(), field], message);
        }
        let File {
            streams: section,
            store,
            metrics,
            telemetry,
            gateway,
            console,
            model,
            forge,
            config,
            limits,
            runs,
            tool_topics,
            conversations,
            registry: registries,
            ..
        } = file;
        let streams = section.map_or_else(|| StreamsConfig::Embedded(EmbeddedSection::default()), streams);
        Ok(Self {
            streams,
            store,
            metrics,
            telemetry,
            gateway,
            console,
            mcp,
            mcp_servers,
            model,
            forge,
            config,
            limits,
            runs,
            tool_topics,
            conversations,
            registries,
        })
    }
}

/// A link that a person may follow: nothing that a browser would run.
fn is_trace_url(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) && url.contains("{trace}")
}

/// Row, field and words of the first thing that is wrong with pairs of topics.
fn misfit(pairs: &[ToolTopicsConfig]) -> Option<(usize, &'static str, String)> {
    if pairs.len() > TOOL_TOPICS_MAX {
        return Some((
            TOOL_TOPICS_MAX,
            "requests",
            format!("there are at most {TOOL_TOPICS_MAX} pairs of tool topics"),
        ));
    }
    for (row, pair) in pairs.iter().enumerate() {
        let of = |field, message: String| Some((row, field, message));
        if let Err(error) = wasmill_registry::check_component_name(&pair.client) {
            return of("client", error.to_string());
        }
        // What is no request is set aside beside them, so that name must be possible too.
        let letters = format!("{}.dlq", pair.requests);
        for (field, name) in [("requests", &pair.requests), ("requests", &letters), ("results", &pair.results)] {
            if let Err(message) = check_own_topic(name) {
                return of(field, message);
            }
        }
        if pairs[..row].iter().any(|other| other.requests == pair.requests) {
            return of("requests", format!("`{}` is read by two pairs", pair.requests));
        }
        // Answers would be read as requests, at once or when dead letters go back.
        if pairs.iter().any(|other| pair.results.trim_end_matches(".dlq") == other.requests) {
            return of("results", format!("`{}` is a topic of requests, or of their dead letters", pair.results));
        }
        if !(1..=CALLS_AT_ONCE_MAX).contains(&pair.calls_at_once) {
            return of("calls_at_once", format!("calls_at_once is between 1 and {CALLS_AT_ONCE_MAX}"));
        }
    }
    None
}

/// Field and words of the first thing that is wrong with topics of conversations.
fn misfit_of_conversations(config: &ConversationsConfig) -> Option<(&'static str, String)> {
    let ConversationsConfig { inbound, outbound } = config;
    for (field, name) in [("inbound", inbound), ("outbound", outbound)] {
        if let Err(message) = check_own_topic(name) {
            return Some((field, message));
        }
    }
    // What agents answer would be said to them.
    (inbound == outbound).then(|| ("outbound", format!("`{outbound}` is the topic of what clients say")))
}

/// A topic that host.toml may name for work of the host's own.
fn check_own_topic(name: &str) -> Result<(), String> {
    let spec = TopicSpec { name: name.to_owned(), partitions: 1, compacted: false };
    check_topic(&spec).map_err(|error| error.to_string())?;
    // Whoever writes an agent's state is that agent.
    if ["__", "wasmill."].iter().any(|prefix| name.starts_with(prefix)) {
        return Err(format!("`{name}` is the host's or the broker's own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_whole_configuration() {
        let config = HostConfig::parse("").unwrap();
        assert_eq!(config.streams, StreamsConfig::Embedded(EmbeddedSection::default()));
        assert_eq!((config.model, config.store.url, config.metrics.listen), (None, None, None));
        assert!(config.tool_topics.is_empty() && config.conversations.is_none());
    }

    #[test]
    fn brokers_make_it_kafka() {
        let text =
            "[streams]\nbrokers = ['h:9092']\nrecord_bytes_max = 7\nsecurity = { kind = 'tls', ca = 'ca.pem' }\n";
        let StreamsConfig::Kafka(kafka) = HostConfig::parse(text).unwrap().streams else { panic!("not Kafka") };
        assert_eq!((kafka.brokers, kafka.record_bytes_max), (vec!["h:9092".to_owned()], 7));
    }

    #[test]
    fn every_section_is_read() {
        let text = "[store]\nurl = 'postgres://h/d'\n[metrics]\nlisten = '127.0.0.1:9464'\n[model]\nurl = 'http://h/v1'\nmodel = 'm'\n\
                    [forge]\nbuilds = 3\n[config.counter]\ngreeting = 'hi'\n[limits.component]\nmemory_mib = 32\n";
        let config = HostConfig::parse(text).unwrap();
        assert_eq!(config.store.url.as_deref(), Some("postgres://h/d"));
        assert_eq!(HostConfig::parse("[conversations]\n").unwrap().conversations, Some(ConversationsConfig::default()));
        assert_eq!(config.config["counter"]["greeting"], "hi");
        assert_eq!(config.metrics.listen.map(|address| address.port()), Some(9464));
        assert_eq!((config.forge.builds, config.limits.component.memory_mib), (3, Some(32)));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, word) in [
            ("\n[stream]\n", 2, "stream"),
            ("[store]\n\nurl = 1\n", 3, "invalid type"),
            ("[metrics]\nlisten = '9464'\n", 2, "address"),
            ("[mcp]\nlisten = '127.0.0.1:1'\nanonymous = 'No One'\n", 3, "not a name"),
            ("[streams]\nrecord_bytes = 1\n", 2, "record_bytes"),
            ("[[mcp.servers]]\nname = 'a'\nurl = 'https://h'\n[[mcp.servers]]\nname = 'b'\nurl = 'h'\n", 6, "`url`"),
            ("[[mcp.servers]]\nname = 'a'\ncomand = ['x']\n", 3, "comand"),
            ("[[tool_topics]]\nrequests = 'r'\n", 1, "client"),
            ("[[tool_topics]]\nclient = 'No One'\n", 2, "not a name"),
            ("[[tool_topics]]\nclient = 'a'\nresults = 'a b'\n", 3, "' '"),
            ("[[tool_topics]]\nclient = 'a'\nrequests = 't'\nresults = 't'\n", 4, "topic of requests"),
            (
                "[[tool_topics]]\nclient = 'a'\n[[tool_topics]]\nclient = 'b'\nrequests = 'tool.requests'\n",
                5,
                "two pairs",
            ),
            ("[[tool_topics]]\nclient = 'a'\nresults = 'tool.requests.dlq'\n", 3, "dead letters"),
            ("[[tool_topics]]\nclient = 'a'\nresults = 'wasmill.state.x'\n", 3, "the host's"),
            ("[[tool_topics]]\nclient = 'a'\ncalls_at_once = 0\n", 3, "calls_at_once"),
            ("[console]\ntrace_url = 'javascript:{trace}'\n", 2, "http"),
            ("[console]\ntrace_url = 'http://h/'\n", 2, "{trace}"),
            ("[gateway]\nconnections = 0\n", 2, "connections"),
            ("[conversations]\ninbound = 'a b'\n", 2, "' '"),
            ("[conversations]\noutbound = '__x'\n", 2, "the host's"),
            ("[conversations]\ninbound = 'a'\noutbound = 'a'\n", 3, "clients say"),
            ("[[registry]]\nname = 'No One'\nurl = 'oci://h'\n", 2, "not a name"),
            ("[[registry]]\nname = 'a'\nurl = 'oci://h/a:1.0.0'\n", 3, "one component"),
            ("[[registry]]\nname = 'a'\nurl = 'https://u:p@h/'\n", 3, "password"),
            ("[[registry]]\nname = 'a'\nurl = 'oci://h'\nuser = 'u'\n", 3, "password_secret"),
            ("[[registry]]\nname = 'a'\nurl = 'oci://h'\n[[registry]]\nname = 'a'\nurl = 'oci://i'\n", 5, "twice"),
            ("[gateway]\n[gateway.tls]\ncert = 'c.pem'\n", 2, "key"),
            ("[gateway.tls]\ncert = 'c'\nkey = 'k'\n[gateway.tls.clients]\nA = 'a'\n", 4, "client_ca"),
            ("[mcp.tls]\ncert = 'c'\nkey = 'k'\nclient_ca = 'a'\n[mcp.tls.clients]\nA = 'No One'\n", 5, "not a name"),
            ("[gateway.rate]\nper_second = 0\n", 2, "per_second"),
            ("[mcp.rate]\nburst = 0\n", 2, "burst"),
            ("[limits]\ninstances = 0\n", 2, "instances"),
            ("[runs]\nkeep_days = 0\n", 2, "keep_days"),
            ("[telemetry]\nendpoint = 'localhost:4318'\n", 2, "http://"),
            ("[telemetry]\nsample_ratio = 1.5\n", 2, "between 0 and 1"),
            ("[telemetry]\nqueue_spans = 0\n", 2, "queue_spans"),
            ("[telemetry]\nqueue_spans = 9\nbatch_spans = 0\n", 3, "batch_spans"),
            ("[telemetry.headers]\n'a b' = 'c'\n", 1, "no HTTP header"),
            ("[limits.component]\nmemory_mib = 0\n", 2, "between"),
            ("[streams]\nbrokers = ['h:9092']\nrecord_bytes = 1\n", 3, "record_bytes"),
            ("[config.'../x']\na = 'b'\n", 1, "../x"),
            ("[config.counter]\ngreeting = 7\n", 2, "invalid type"),
        ] {
            let error = HostConfig::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(word), "{text}: {error}");
        }
    }
}
