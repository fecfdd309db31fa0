//! A host: everything put together.
//!
//! Opening a host gives all that commands and tests need; running it also starts the agents and follows changes of the
//! registry, the trust roots and the matrix.

pub mod advisories;
mod figures;
mod forge_topic;
mod forging;
pub mod from_home;
mod heartbeat;
pub mod policy;
mod rebuilding;
mod rollback;
pub mod sharing;
mod tidy;
mod unused;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{broadcast, watch};
use wasmill_registry::{Limits, Registry, SecretKey};

use crate::agents::Supervisor;
use crate::approvals::APPROVALS_CHAIN;
use crate::audit::{Keeper, KeeperParts};
use crate::capabilities::{
    Account, Caller, Forging, ModelClient, ModelConfig, Secrets, Services, ToolCalls, guest_http_client,
};
use crate::catalog::{Catalog, CatalogConfig, Toolbox};
use crate::conversations::Conversations;
use crate::forge::{Event, Forge, ForgeParts, ForgeSettings};
use crate::home::{ConversationsConfig, ToolTopicsConfig};
use crate::mcp_servers::{McpServers, ServerConfig};
use crate::permissions::SharedMatrix;

use crate::problem::{Problem, ProblemKind};
use crate::runtime::{CompileCache, Engine, EngineConfig};
use crate::store::{AuditWriter, Store, now_ms};
use crate::streams::SharedStreams;
use crate::telemetry::{Telemetry, Work};
use crate::tool_topics::ToolTopics;
use crate::vault::Vault;
use crate::watch::Lags;

use forging::Bench;

/// How often the files that decide what may run are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often everything is decided again even though no file changed: keys and approvals expire, and approvals come
/// into a database that hosts share.
const RECHECK: Duration = Duration::from_secs(5);
/// How often is looked whether somebody has started or stopped an agent on another host.
const LOOK_INTO_BOOK: Duration = Duration::from_secs(1);
/// How long a single command waits for other MCP servers.
const MEET_MAX: Duration = Duration::from_secs(10);
/// Events of the forge that a slow listener may be behind; older ones it misses.
const FORGE_EVENTS_MAX: usize = 1024;

/// What a host is put together from.
pub struct Parts {
    /// The log.
    pub streams: SharedStreams,
    /// Folder of the installed components.
    pub registry: Registry,
    /// File of the trust roots.
    pub trust: PathBuf,
    /// File of the advisories.
    pub advisories: PathBuf,
    /// File of the permission matrix.
    pub permissions: PathBuf,
    /// File of the policy that may deny what the matrix allows; none: nobody does.
    pub veto: Option<PathBuf>,
    /// Folder for compiled code.
    pub code_cache: PathBuf,
    /// Approvals, builds, audit trail.
    pub store: Store,
    /// File of the audit trail's checkpoints.
    pub audit: PathBuf,
    /// Name of this host in the audit trail.
    pub name: String,
    /// What tells this host from all others that share its database; the same at each start.
    pub instance: String,
    /// Language model.
    pub model: Option<ModelConfig>,
    /// Secrets.
    pub secrets: Secrets,
    /// File of the key that opens entered ones.
    pub secrets_key: PathBuf,
    /// Settings of components, by name.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Limits of components where no row of the matrix says anything.
    pub limits: Limits,
    /// Size of the instance pool.
    pub engine: EngineConfig,
    /// Settings and key of the forge; none: a host that doesn't forge.
    pub forge: Option<(ForgeSettings, SecretKey)>,
    /// How long a finished run stays with its journal.
    pub runs_kept: Duration,
    /// Topics on which tools can be called.
    pub tool_topics: Vec<ToolTopicsConfig>,
    /// Topics on which clients talk with agents.
    pub conversations: Option<ConversationsConfig>,
    /// Other MCP servers, whose tools are tools of this host.
    pub mcp_servers: Vec<ServerConfig>,
    /// Records traces.
    pub telemetry: Telemetry,
}

/// A host.
pub struct Host {
    /// What is installed and may run.
    pub catalog: Arc<Catalog>,
    /// Calls tools.
    pub toolbox: Arc<Toolbox>,
    /// Agents at work.
    pub supervisor: Supervisor,
    /// Topics on which tools can be called.
    pub tool_topics: Vec<ToolTopics>,
    /// Conversations of clients with agents; none where host.toml has none.
    pub conversations: Option<Conversations>,
    mcp_servers: Arc<McpServers>,
    /// The log.
    pub streams: SharedStreams,
    /// Approvals, builds, audit trail.
    pub store: Store,
    /// Takes entries of the audit trail.
    pub audit: AuditWriter,
    /// Makes tools; none where the host has no forge key.
    pub forge: Option<Arc<Forge>>,
    /// Credentials that were entered.
    pub vault: Vault,
    keeper: Keeper,
    forge_key: Option<Arc<SecretKey>>,
    forge_events: broadcast::Sender<Event>,
    told_figures: watch::Sender<Arc<str>>,
    trust: PathBuf,
    advisories: PathBuf,
    veto: Option<PathBuf>,
    name: String,
    instance: String,
    started_ms: i64,
    lags: Lags,
    runs_kept: Duration,
}

impl Host {
    /// Puts a host together and loads what is installed. Nothing runs yet.
    ///
    /// # Errors
    /// Where the engine can't start, or a file that decides what may run can't be used.
    pub async fn open(parts: Parts) -> Result<Self, Problem> {
        let engine = Engine::new(parts.engine)?;
        let cache = CompileCache::open(engine.clone(), &parts.code_cache)?;
        let matrix = SharedMatrix::open(&parts.permissions, parts.limits)?;
        let model = parts.model.map(|config| ModelClient::new(reqwest::Client::new(), config, parts.secrets.clone()));
        let vault = Vault::new(parts.store.clone(), parts.secrets_key, parts.secrets.clone());
        if let Err(error) = vault.sync().await {
            tracing::warn!(code = error.code(), "not all entered credentials count: {error}");
        }
        let http = guest_http_client().map_err(|e| Problem::new(ProblemKind::Failed, "host.tls", e.to_string(), ""))?;
        let audit = AuditWriter::start(parts.store.clone(), &parts.name);
        let mcp_servers = Arc::new(McpServers::new(parts.mcp_servers, &parts.secrets));
        let telemetry = parts.telemetry;
        let account = Account::new(parts.store.clone());
        let (streams, audited) = (parts.streams.clone(), audit.clone());
        let services = Services::new(streams, model, parts.secrets, http, audited, telemetry.clone(), account);
        let services = Arc::new(services);
        let catalog = Arc::new(Catalog::new(CatalogConfig {
            engine,
            cache,
            registry: parts.registry.clone(),
            trust: parts.trust.clone(),
            advisories: parts.advisories.clone(),
            matrix,
            veto: parts.veto.clone(),
            store: parts.store.clone(),
            settings: parts.settings,
            services: services.clone(),
            remote: mcp_servers.clone(),
        })?);
        let toolbox = Arc::new(Toolbox::new(catalog.clone()));
        let calls: Arc<dyn ToolCalls> = toolbox.clone();
        services.provide_tools(Arc::downgrade(&calls));
        catalog.refresh().await?;
        let (forge_events, _) = broadcast::channel(FORGE_EVENTS_MAX);
        let forge = parts.forge.map(|(settings, key)| (settings, Arc::new(key)));
        let forge_key = forge.as_ref().map(|(_, key)| key.clone());
        let keeper = Keeper::new(KeeperParts {
            store: parts.store.clone(),
            streams: parts.streams.clone(),
            key: forge_key.clone(),
            file: parts.audit,
            chains: vec![parts.name.clone(), APPROVALS_CHAIN.to_owned()],
            meter: services.meters.audit.clone(),
        });
        let forge = forge.map(|(settings, key)| {
            let bench = Arc::new(Bench(catalog.clone()));
            let events = forge_events.clone();
            Arc::new(Forge::new(ForgeParts {
                settings,
                registry: parts.registry.clone(),
                trust: parts.trust.clone(),
                advisories: parts.advisories.clone(),
                key,
                store: parts.store.clone(),
                instance: parts.instance.clone(),
                audit: audit.clone(),
                examiner: bench.clone(),
                loader: bench,
                observer: Box::new(move |event| announce(&events, event)),
                meter: services.meters.forge.clone(),
                telemetry,
            }))
        });
        if let Some(forge) = &forge {
            let forging: Arc<dyn Forging> = forge.clone();
            services.provide_forge(Arc::downgrade(&forging));
        }
        let supervisor = Supervisor::new(catalog.clone());
        let tool_topics = parts.tool_topics.into_iter();
        let tool_topics = tool_topics.map(|config| ToolTopics::new(config, catalog.clone(), toolbox.clone())).collect();
        let conversations = parts.conversations.map(|config| Conversations::new(config, services.clone()));
        Ok(Self {
            catalog,
            toolbox,
            supervisor,
            tool_topics,
            conversations,
            mcp_servers,
            streams: parts.streams,
            store: parts.store,
            audit,
            forge,
            vault,
            keeper,
            forge_key,
            forge_events,
            told_figures: watch::Sender::new("null".into()),
            trust: parts.trust,
            advisories: parts.advisories,
            veto: parts.veto,
            name: parts.name,
            instance: parts.instance,
            started_ms: now_ms(),
            lags: Lags::default(),
            runs_kept: parts.runs_kept,
        })
    }

    /// Runs the agents, and follows changes, until `stop` becomes true.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        self.catalog.matrix().follow();
        self.catalog.audit_decisions().await;
        self.mcp_servers.start();
        tokio::join!(
            self.keeper.run(stop.clone()),
            self.supervisor.run(stop.clone()),
            futures::future::join_all(self.tool_topics.iter().map(|topics| topics.run(stop.clone()))),
            self.talk(stop.clone()),
            self.tell_figures(stop.clone()),
            self.follow(stop.clone()),
            self.tell_others(stop.clone()),
            self.vault.run(stop.clone()),
            self.roll_back(stop.clone()),
            tidy::tidy(&self.store, self.runs_kept, stop.clone()),
            self.tell_forge_news(stop.clone()),
            self.follow_uses(stop.clone()),
            self.rebuild_quarantined(stop.clone()),
            self.follow_book(stop)
        );
        self.mcp_servers.stop();
    }

    /// Tells what comes in conversations.
    async fn talk(&self, stop: watch::Receiver<bool>) {
        if let Some(conversations) = &self.conversations {
            conversations.run(stop).await;
        }
    }

    /// Records traces.
    pub fn telemetry(&self) -> &Telemetry {
        &self.catalog.services().telemetry
    }

    /// Writes what waits for the audit trail, and signs its end. The last thing that a host does.
    pub async fn seal_audit(&self) {
        self.audit.flush().await;
        self.keeper.seal().await;
    }

    /// Reads which agents were started and stopped, here and elsewhere. Apart from all else, since the log may be away.
    async fn follow_book(&self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.catalog.services().book.catch_up().await {
                tracing::debug!(code = error.code(), "which agents were started can't be read now: {error}");
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK_INTO_BOOK) => {}
            }
        }
    }

    /// For a single command, which must have the tools of other MCP servers before it goes on: connects to them, and waits
    /// a while for those that don't answer. Where the host runs, it keeps them, and nobody waits.
    ///
    /// # Errors
    /// As [`Catalog::refresh`].
    pub async fn meet_mcp_servers(&self) -> Result<(), Problem> {
        if self.mcp_servers.start() {
            self.mcp_servers.tried(MEET_MAX).await;
            self.catalog.refresh().await?;
        }
        Ok(())
    }

    /// Somebody outside who calls tools: what the rows for `client:NAME` allow. The call goes on with the trace of the work
    /// at hand, where there is one.
    pub fn client(&self, name: &str) -> Caller {
        let trace = Work::current_trace().unwrap_or_else(|| self.telemetry().draw());
        self.catalog.client(name, trace)
    }

    /// Every stage of every request to the forge, from now on.
    pub fn forge_events(&self) -> broadcast::Receiver<Event> {
        self.forge_events.subscribe()
    }

    /// Refreshes the catalog whenever something that decides about it has changed.
    async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let mut matrix = self.catalog.matrix().subscribe();
        let mut started = self.catalog.services().book.changes();
        let mut offered = self.mcp_servers.changes();
        let index = self.catalog.registry().folder().join("index.json");
        let look =
            || [stamp(&index), stamp(&self.trust), stamp(&self.advisories), self.veto.as_deref().and_then(stamp)];
        let mut seen = look();
        let mut decided = Instant::now();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                changed = matrix.changed() => if changed.is_err() { return },
                changed = started.changed() => if changed.is_err() { return },
                changed = offered.changed() => if changed.is_err() { return },
                _ = ticks.tick() => {
                    let now = look();
                    if now == seen && decided.elapsed() < RECHECK { continue }
                    seen = now;
                }
            }
            decided = Instant::now();
            if let Err(error) = self.catalog.refresh().await {
                tracing::error!(code = error.code(), "nothing is changed: {error}");
            }
            self.forget_removed();
        }
    }
}

fn announce(events: &broadcast::Sender<Event>, event: &Event) {
    let Event { maker, tool, stage, micros, refused, .. } = event;
    match refused {
        None => tracing::info!(target: "forge", maker, tool, %stage, micros, "stage passed"),
        Some(code) => tracing::warn!(target: "forge", maker, tool, %stage, micros, code, "stage refused"),
    }
    // Nobody may be listening.
    let _ = events.send(event.clone());
}

/// What tells one content of a file from the next.
type Stamp = (SystemTime, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
