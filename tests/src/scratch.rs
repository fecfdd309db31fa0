//! A whole host in a scratch folder: real keys, real signatures, real components, the embedded log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wasmill::advisories::{Admitted, admit};
use wasmill::capabilities::{ModelConfig, Secrets};
use wasmill::forge::ForgeSettings;
use wasmill::home::ToolTopicsConfig;
use wasmill::host::{Host, Parts};
use wasmill::mcp_servers::ServerConfig;
use wasmill::runtime::EngineConfig;
use wasmill::store::{AuditFilter, Store};
use wasmill::streams::embedded::{Embedded, EmbeddedConfig};
use wasmill::streams::{Batch, Record, SharedStreams, StreamError, TopicSpec};
use wasmill::telemetry::Telemetry;
use wasmill_registry::{
    About, Advisory, Bundle, Claim, Registry, Role, Says, SecretKey, Severity, TrustRoots, sign, trust_entry,
};

/// Longest wait for something that must happen; only ever reached by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with everything that a host is put together from.
pub struct Scratch {
    /// The folder; gone with this value.
    pub dir: tempfile::TempDir,
    /// A publisher whom the trust roots know.
    pub publisher: SecretKey,
    /// An admin whom the trust roots know.
    pub admin: SecretKey,
    /// The forge's key.
    pub forge: SecretKey,
    /// The host's database.
    pub store: Store,
    /// Settings of components.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Secrets.
    pub secrets: BTreeMap<String, String>,
    /// Language model.
    pub model: Option<ModelConfig>,
    /// Size of the instance pool.
    pub engine: EngineConfig,
    /// How long finished runs stay.
    pub runs_kept: Duration,
    /// The forge.
    pub forge_settings: ForgeSettings,
    /// Topics on which tools can be called.
    pub tool_topics: Vec<ToolTopicsConfig>,
    /// Other MCP servers.
    pub mcp_servers: Vec<ServerConfig>,
    /// Records traces.
    pub telemetry: Telemetry,
    /// Whether `veto.rego` in the folder may deny what the permissions allow.
    pub veto: bool,
    streams: SharedStreams,
}

impl Scratch {
    /// A folder with keys and a permission file of this text.
    pub async fn new(permissions: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let (publisher, admin, forge) = (SecretKey::generate()?, SecretKey::generate()?, SecretKey::generate()?);
        let trust = [
            trust_entry("publisher", &publisher.public(), &[Role::Publisher], None),
            trust_entry("admin", &admin.public(), &[Role::Admin], None),
            trust_entry("forge", &forge.public(), &[Role::Forge], None),
        ];
        forge.write_new(&dir.path().join("forge.key"))?;
        std::fs::write(dir.path().join("trust.toml"), trust.join("\n"))?;
        std::fs::write(dir.path().join("permissions.toml"), permissions)?;
        let streams: SharedStreams = Embedded::open(&dir.path().join("log"), EmbeddedConfig::default())?;
        let store = Store::open_file(&dir.path().join("store.db")).await?;
        Registry::create(&dir.path().join("registry"))?;
        Ok(Self {
            dir,
            publisher,
            admin,
            forge,
            store,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            model: None,
            engine: EngineConfig { instances_max: 256, ..EngineConfig::default() },
            runs_kept: Duration::from_secs(3600),
            forge_settings: ForgeSettings::default(),
            tool_topics: Vec::new(),
            mcp_servers: Vec::new(),
            telemetry: Telemetry::off(),
            veto: false,
            streams,
        })
    }

    /// Uses another log than the embedded one.
    pub fn with_streams(mut self, streams: SharedStreams) -> Self {
        self.streams = streams;
        self
    }

    /// The registry.
    pub fn registry(&self) -> Result<Registry> {
        Ok(Registry::open(&self.dir.path().join("registry"))?)
    }

    /// The trust roots as they are now.
    pub fn trust(&self) -> Result<TrustRoots> {
        Ok(TrustRoots::parse(&std::fs::read_to_string(self.dir.path().join("trust.toml"))?)?)
    }

    /// Signs and installs a plugin of this repository, which must have been built.
    pub fn install(&self, plugin: &str) -> Result<()> {
        self.install_bytes(&component(plugin)?, &manifest(plugin)?)
    }

    /// Signs and installs a component under a manifest.
    pub fn install_bytes(&self, component: &[u8], manifest: &str) -> Result<()> {
        let envelope = sign(component, manifest.as_bytes(), &Claim::Published, &self.publisher)?;
        let bundle = Bundle {
            component: component.to_vec(),
            manifest: manifest.as_bytes().to_vec(),
            envelope: envelope.to_json(),
            source: None,
        };
        let verified = bundle.verify(&self.trust()?, time::OffsetDateTime::now_utc())?;
        self.registry()?.install(&verified)?;
        Ok(())
    }

    /// Has an admin say that something must not run; by `None`, that this is over.
    pub fn advise(&self, id: &str, serial: u64, about: Option<About>, rebuild: bool) -> Result<Admitted> {
        let says = match about {
            Some(about) => Says::Quarantine { about, severity: Severity::High, rebuild },
            None => Says::Withdraw,
        };
        let advisory = Advisory { id: id.to_owned(), serial, reason: "it is bad".to_owned(), says };
        let (file, envelope) = (self.dir.path().join("advisories.jsonl"), advisory.sign(&self.admin)?.to_json());
        Ok(admit(&file, &envelope, &self.trust()?, time::OffsetDateTime::now_utc())?.1)
    }

    /// Puts a host together.
    pub async fn open(&self) -> Result<Host> {
        let host = Host::open(Parts {
            streams: self.streams.clone(),
            registry: self.registry()?,
            trust: self.dir.path().join("trust.toml"),
            advisories: self.dir.path().join("advisories.jsonl"),
            permissions: self.dir.path().join("permissions.toml"),
            veto: self.veto.then(|| self.dir.path().join("veto.rego")),
            audit: self.dir.path().join("audit.jsonl"),
            code_cache: code_cache()?,
            store: self.store.clone(),
            name: "test".into(),
            instance: "test".into(),
            model: self.model.clone(),
            secrets: Secrets::new(self.secrets.clone()),
            secrets_key: self.dir.path().join("secrets.key"),
            settings: self.settings.clone(),
            forge: Some((self.forge_settings.clone(), SecretKey::read(&self.dir.path().join("forge.key"))?)),
            limits: wasmill_registry::Limits::default(),
            engine: self.engine,
            runs_kept: self.runs_kept,
            tool_topics: self.tool_topics.clone(),
            conversations: None,
            mcp_servers: self.mcp_servers.clone(),
            telemetry: self.telemetry.clone(),
        });
        Ok(host.await?)
    }

    /// Puts a host together and runs its agents.
    pub async fn run(&self) -> Result<Running> {
        let host = Arc::new(self.open().await?);
        let (stop, stopped) = watch::channel(false);
        let running = host.clone();
        let task = tokio::spawn(async move { running.run(stopped).await });
        Ok(Running { host, stop, task })
    }

    /// The log.
    pub fn streams(&self) -> &SharedStreams {
        &self.streams
    }

    /// Creates topics with one partition.
    pub async fn topics(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let spec = TopicSpec { name: (*name).to_owned(), partitions: 1, compacted: false };
            self.streams.create_topic(&spec).await?;
        }
        Ok(())
    }

    /// Sends values without keys.
    pub async fn send(&self, topic: &str, values: &[&str]) -> Result<()> {
        let records =
            values.iter().map(|v| Record { value: Some(v.as_bytes().to_vec()), ..Record::default() }).collect();
        self.streams.append(topic, records).await?;
        Ok(())
    }

    /// Waits until partition 0 of a topic, which may come meanwhile, has so many records, and returns them.
    pub async fn wait_for(&self, topic: &str, records: usize) -> Result<Batch> {
        let began = Instant::now();
        loop {
            let batch = match self.streams.read(topic, 0, 0, records, Duration::from_millis(200)).await {
                Err(StreamError::UnknownTopic(_)) => Batch::default(),
                read => read?,
            };
            if batch.len() >= records {
                return Ok(batch);
            }
            ensure!(began.elapsed() < PATIENCE, "{topic} has {} records, not {records}", batch.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A host at work; stopped with [`Running::stop`], or when the test ends.
pub struct Running {
    /// The host.
    pub host: Arc<Host>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops it and waits until it has stopped.
    pub async fn stop(self) -> Result<()> {
        // A host that has already ended needs no word.
        let _ = self.stop.send(true);
        tokio::time::timeout(PATIENCE, self.task).await.context("the host does not stop")??;
        Ok(())
    }
}

/// The details of all denials that a host has recorded, oldest first.
pub async fn denials(host: &Host) -> Result<Vec<String>> {
    host.audit.flush().await;
    let rows = host.store.audit(&AuditFilter { principal: None, limit: 1000, after: None }).await?;
    Ok(rows.into_iter().rev().filter(|row| row.decision == "denied").map(|row| row.detail).collect())
}

/// The manifest of a plugin of this repository.
pub fn manifest(plugin: &str) -> Result<String> {
    Ok(std::fs::read_to_string(plugins().join(plugin).join("wasmill.toml"))?)
}

/// The component of a plugin of this repository.
pub fn component(plugin: &str) -> Result<Vec<u8>> {
    let file = plugins().join("target/wasm32-wasip1/release").join(format!("{}.wasm", plugin.replace('-', "_")));
    std::fs::read(&file)
        .with_context(|| format!("{} is missing: run `cargo xtask test`, or build the plugins", file.display()))
}

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

/// Compiled code is shared by all tests: it is named by digest, and compiling is slow.
fn code_cache() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests/code"))
}

/// Waits until something is so; `what` says what was waited for.
///
/// # Panics
/// When it is not so after [`PATIENCE`].
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
