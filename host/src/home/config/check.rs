//! What `host.toml` may say beyond its types.

use wasmill_registry::check_component_name;

use super::super::ports::{RateConfig, TlsConfig};
use super::File;
use super::sections::{ConversationsConfig, ToolTopicsConfig};
use crate::forge::RANDOM_INPUTS_MAX;
use crate::permissions::LimitName;
use crate::registries::misfit as registries;
use crate::streams::{TopicSpec, check_topic};

/// Most connections that a gateway may be told to take.
const CONNECTIONS_MAX: usize = 65_536;
/// Most pairs of tool topics.
const TOOL_TOPICS_MAX: usize = 32;
/// Most calls at the same time of one pair.
const CALLS_AT_ONCE_MAX: usize = 256;

/// Where a mistake is, as keys and rows from the top, and what it is.
pub(super) type Misfit = (Vec<String>, String);

/// The first value out of bounds.
pub(super) fn check<S>(file: &File<S>) -> Result<(), Misfit> {
    let at = |path: &[&str], message: String| Err((path.iter().map(ToString::to_string).collect(), message));
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
    for (section, port) in [("gateway", &file.gateway), ("grpc", &file.grpc)] {
        if !(1..=CONNECTIONS_MAX).contains(&port.connections) {
            return at(&[section, "connections"], format!("connections is between 1 and {CONNECTIONS_MAX}"));
        }
    }
    if !(1..=3650).contains(&file.runs.keep_days) {
        return at(&["runs", "keep_days"], "keep_days is between 1 and 3650".into());
    }
    if file.forge.random_inputs > RANDOM_INPUTS_MAX {
        return at(&["forge", "random_inputs"], format!("random_inputs is between 0 and {RANDOM_INPUTS_MAX}"));
    }
    if file.console.trace_url.as_deref().is_some_and(|url| !is_trace_url(url)) {
        let message = "trace_url is an http or https address with `{trace}` in it";
        return at(&["console", "trace_url"], message.into());
    }
    if file.veto.file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
        return at(&["veto", "file"], "file is the name of a policy, like `veto.rego`".into());
    }
    for name in file.config.keys() {
        if let Err(error) = check_component_name(name) {
            return at(&["config", name], error.to_string());
        }
    }
    let ports = [
        ("metrics", file.metrics.tls.as_ref(), None),
        ("gateway", file.gateway.tls.as_ref(), Some(&file.gateway.rate)),
        ("grpc", file.grpc.tls.as_ref(), Some(&file.grpc.rate)),
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
    if let Some(Err(error)) = file.mcp.anonymous.as_deref().map(check_component_name) {
        return at(&["mcp", "anonymous"], error.to_string());
    }
    if let Some((field, message)) = file.telemetry.misfit() {
        return at(&["telemetry", field], message);
    }
    if let Some((row, field, message)) = tool_topics(&file.tool_topics) {
        return at(&["tool_topics", &row.to_string(), field], message);
    }
    if let Some((field, message)) = file.conversations.as_ref().and_then(conversations) {
        return at(&["conversations", field], message);
    }
    if let Some((row, field, message)) = registries(&file.registry) {
        return at(&["registry", &row.to_string(), field], message);
    }
    Ok(())
}

/// A link that a person may follow: nothing that a browser would run.
fn is_trace_url(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) && url.contains("{trace}")
}

/// Row, field and words of the first thing that is wrong with pairs of topics.
fn tool_topics(pairs: &[ToolTopicsConfig]) -> Option<(usize, &'static str, String)> {
    if pairs.len() > TOOL_TOPICS_MAX {
        return Some((
            TOOL_TOPICS_MAX,
            "requests",
            format!("there are at most {TOOL_TOPICS_MAX} pairs of tool topics"),
        ));
    }
    for (row, pair) in pairs.iter().enumerate() {
        let of = |field, message: String| Some((row, field, message));
        if let Err(error) = check_component_name(&pair.client) {
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
fn conversations(config: &ConversationsConfig) -> Option<(&'static str, String)> {
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
