//! A host out of a home directory.

use std::time::Duration;

use wasmill_registry::SecretKey;

use super::{Host, Parts};
use crate::capabilities::{Secrets, fill, is_loopback};
use crate::home::{Home, HostConfig, instance_of, open_store};
use crate::mcp_servers::check_home;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::EngineConfig;
use crate::streams::SharedStreams;
use crate::telemetry::{Facts, Telemetry, TelemetryConfig};

/// Name of the forge's key in the home.
const FORGE_KEY: &str = "forge";

/// Puts the host of a home together.
///
/// # Errors
/// What is wrong with the home, its database, or a file that decides what may run.
pub async fn open(home: &Home, config: &HostConfig, streams: SharedStreams) -> Result<Host, Problem> {
    open_with(home, config, streams, Telemetry::off()).await
}

/// The same for a host that may record traces.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    home: &Home,
    config: &HostConfig,
    streams: SharedStreams,
    telemetry: Telemetry,
) -> Result<Host, Problem> {
    check_home(&config.mcp_servers, home.root())?;
    let key_file = home.key_file(FORGE_KEY);
    // A home without that key belongs to a host that doesn't forge; a key that can't be read is a mistake.
    let key = key_file.exists().then(|| SecretKey::read(&key_file)).transpose()?;
    let parts = Parts {
        streams,
        registry: home.registry()?,
        trust: home.trust_file(),
        advisories: home.advisories_file(),
        permissions: home.permissions_file(),
        veto: home.veto_file(&config.veto),
        code_cache: home.cache(),
        store: open_store(home, &config.store).await?,
        audit: home.audit_file(),
        name: host_name(),
        instance: instance_of(home),
        model: config.model.clone(),
        secrets: Secrets::new(home.secrets()?),
        secrets_key: home.secrets_key_file(),
        settings: config.config.clone(),
        limits: config.limits.component.clone(),
        engine: EngineConfig { instances_max: config.limits.instances, ..EngineConfig::default() },
        forge: key.map(|key| (config.forge.clone(), key)),
        runs_kept: Duration::from_secs(u64::from(config.runs.keep_days) * 24 * 60 * 60),
        tool_topics: config.tool_topics.clone(),
        conversations: config.conversations.clone(),
        mcp_servers: config.mcp_servers.clone(),
        telemetry,
    };
    Host::open(parts).await
}

/// Begins to record traces, where the settings name a receiver.
///
/// # Errors
/// `telemetry.secret` where a header names a secret that is not there, or that would be sent without encryption;
/// `telemetry.client` where the machine's TLS can't be used.
pub fn telemetry(home: &Home, config: &TelemetryConfig) -> Result<Telemetry, Problem> {
    let secrets = Secrets::new(home.secrets()?);
    let headers = config.headers.iter().map(|(name, value)| Ok((name.clone(), filled(config, value, &secrets)?)));
    let headers: Result<Vec<_>, Problem> = headers.collect();
    let facts = Facts { host: host_name(), instance: instance_of(home) };
    Telemetry::start(config, headers?, &facts)
        .map_err(|error| Problem::new(ProblemKind::Failed, error.code(), &error, "See [telemetry] in host.toml."))
}

fn filled(config: &TelemetryConfig, value: &str, secrets: &Secrets) -> Result<String, Problem> {
    let refused = |message: String| Problem::invalid("telemetry.secret", message, "See [telemetry] in host.toml.");
    let endpoint: http::Uri = config.endpoint.as_deref().unwrap_or_default().parse().unwrap_or_default();
    let is_safe = endpoint.scheme_str() == Some("https") || endpoint.host().is_some_and(is_loopback);
    fill(value, |name| {
        if !is_safe {
            return Err(refused(format!("secret `{name}` is sent over https only")));
        }
        secrets.get(name).ok_or_else(|| refused(format!("there is no secret `{name}` in secrets.toml")))
    })
}

/// This machine's name: what tells hosts that share a database apart, and the chain of the audit trail that a host writes.
pub fn host_name() -> String {
    nix::unistd::gethostname().map_or_else(|_| "host".into(), |name| name.to_string_lossy().into_owned())
}
