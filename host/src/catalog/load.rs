//! From what is installed to what may run.
//!
//! Everything is decided again from its sources at each refresh: signatures from the trust roots, grants from the
//! matrix, approvals from their own signatures. Only work whose outcome can't have changed is kept: what belongs to the
//! same OCI manifest under the same trust roots, and the same grant.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use time::OffsetDateTime;
use tokio::sync::watch;
use wasmill_registry::{Digest, Entry, Kind, Manifest, Permissions, Registry, TrustRoots, Verified};
use wasmtime::component::Linker;

use super::component::{Agent, Body, Tool};
use super::describe::describe;
use super::engine::{Engines, script_identity};
use super::error::CatalogError;
use super::grants::{Approvals, Candidate, Candidates, Deciding};
use super::quarantine::quarantine;
use super::remote::{RemoteTools, place_remote};
use super::rollback::Watchers;
use super::snapshot::{Refused, Snapshot, Waiting};
use super::trail::Trail;
use super::uses::Uses;
use super::veto::{KnownVeto, unread};
use crate::advisories::Advisories;
use crate::capabilities::{Guest, Identity, Services, agent_linker, check_imports, engine_linker, tool_linker};
use crate::permissions::{Grant, Origin, SharedMatrix};
use crate::runtime::bindings::{AgentComponentPre, ToolComponentPre};
use crate::runtime::{CompileCache, Compiled, Engine, RuntimeError};
use crate::store::Store;

/// Settings of one component.
pub(super) type Settings = BTreeMap<String, String>;

/// What a catalog is made of.
pub struct CatalogConfig {
    /// Engine.
    pub engine: Engine,
    /// Compiled code.
    pub cache: CompileCache,
    /// Installed components.
    pub registry: Registry,
    /// The trust roots' file; read at each refresh.
    pub trust: PathBuf,
    /// The file of the advisories; read at each refresh.
    pub advisories: PathBuf,
    /// The matrix.
    pub matrix: SharedMatrix,
    /// The file of the policy that may deny what the matrix allows; read at each refresh. None: nobody does.
    pub veto: Option<PathBuf>,
    /// Where approvals are kept; their signatures are verified here.
    pub store: Store,
    /// Settings of components, by name.
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Services for guests.
    pub services: Arc<Services>,
    /// Tools that programs outside of this host answer.
    pub remote: Arc<dyn RemoteTools>,
}

/// All installed components, and what becomes of them.
pub struct Catalog {
    config: CatalogConfig,
    tool_linker: Linker<Guest>,
    agent_linker: Linker<Guest>,
    engine_linker: Linker<Guest>,
    current: RwLock<Arc<Snapshot>>,
    generation: watch::Sender<u64>,
    /// One refresh at a time; holds what was verified and compiled before.
    known: tokio::sync::Mutex<Known>,
    compiled: Mutex<HashMap<String, Compiled>>,
    pub(super) watchers: Watchers,
    uses: Uses,
}

#[derive(Default)]
struct Known {
    trust_text: String,
    /// What the audit trail was told; none where it is told nothing.
    trail: Option<Trail>,
    verified: BTreeMap<Entry, Arc<Verified>>,
    veto: KnownVeto,
}

impl Catalog {
    /// A catalog that holds nothing before the first [`Catalog::refresh`].
    ///
    /// # Errors
    /// Where the linkers can't be made, which is a mistake in this program.
    pub fn new(config: CatalogConfig) -> Result<Self, RuntimeError> {
        let engine = |e: wasmtime::Error| RuntimeError::Engine(format!("{e:#}"));
        if config.veto.is_some() {
            config.matrix.set_veto(Some(Arc::new(unread())));
        }
        Ok(Self {
            tool_linker: tool_linker(&config.engine).map_err(engine)?,
            agent_linker: agent_linker(&config.engine).map_err(engine)?,
            engine_linker: engine_linker(&config.engine).map_err(engine)?,
            config,
            current: RwLock::default(),
            generation: watch::channel(0).0,
            known: tokio::sync::Mutex::default(),
            compiled: Mutex::default(),
            watchers: Watchers::default(),
            uses: Uses::default(),
        })
    }

    /// What is installed now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        // One assignment can't be half-done: a poisoned lock is as good as any.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Announces each new snapshot.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Engine.
    pub fn engine(&self) -> &Engine {
        &self.config.engine
    }

    /// Links engines.
    pub(super) fn engine_linker(&self) -> &Linker<Guest> {
        &self.engine_linker
    }

    /// How many components are compiled, in memory.
    pub fn compiled_count(&self) -> usize {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// On which days forged tools are called.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Services for guests.
    pub fn services(&self) -> &Arc<Services> {
        &self.config.services
    }

    /// What it is made of.
    pub(super) fn config(&self) -> &CatalogConfig {
        &self.config
    }

    /// Approvals, builds, runs with their journals.
    pub fn store(&self) -> &Store {
        &self.config.store
    }

    /// The registry that it reads.
    pub fn registry(&self) -> &Registry {
        &self.config.registry
    }

    /// The matrix in force.
    pub fn matrix(&self) -> &SharedMatrix {
        &self.config.matrix
    }

    /// Decides anew about everything that is installed.
    ///
    /// # Errors
    /// Where registry, trust roots or database can't be read; what was decided before stays. A single component that
    /// can't be loaded is no error: it is in [`Snapshot::refused`].
    pub async fn refresh(&self) -> Result<Arc<Snapshot>, CatalogError> {
        let mut known = self.known.lock().await;
        let text = std::fs::read_to_string(&self.config.trust).map_err(|e| CatalogError::Trust {
            path: self.config.trust.display().to_string(),
            reason: e.to_string(),
        })?;
        let trust = TrustRoots::parse(&text).map_err(|e| CatalogError::Trust {
            path: self.config.trust.display().to_string(),
            reason: e.to_string(),
        })?;
        if known.trust_text != text {
            let (trail, veto) = (known.trail.take(), std::mem::take(&mut known.veto));
            *known = Known { trust_text: text, trail, veto, ..Known::default() };
        }
        let now = OffsetDateTime::now_utc();
        let mut next = Snapshot::default();
        let mut candidates = self.candidates(&mut known, &trust, now, &mut next)?;
        quarantine(&mut candidates, &self.advisories()?);
        let candidates = candidates;
        next.quarantined = candidates.values().flat_map(BTreeMap::values).filter_map(Candidate::quarantined).collect();
        let approvals = Approvals::verify(&self.config.store.approvals().await?, &trust, now);
        let before = self.snapshot();
        let wanted = || candidates.values().flat_map(BTreeMap::values).filter(|c| is_wanted(c, &candidates));
        // First the engines: tools are run by them, and so is the veto.
        for candidate in wanted().filter(|c| is_engine(c)) {
            if let Err(error) = self.place_engine(candidate, &before, &mut next) {
                next.refuse(candidate.component(), &error);
            }
        }
        self.place_veto(&mut known.veto, &next.engines).await;
        let matrix = self.config.matrix.current();
        let deciding = Deciding { candidates: &candidates, matrix: &matrix, approvals: &approvals, now };
        let offers = self.config.remote.offers();
        for candidate in wanted().filter(|c| !is_engine(c)) {
            let name = &candidate.verified.manifest().name;
            if offers.iter().any(|offer| offer.name == *name) {
                next.refuse(candidate.component(), &CatalogError::Taken(name.clone()));
            } else if let Err(error) = self.place(candidate, &deciding, &before, &mut next).await {
                next.refuse(candidate.component(), &error);
            }
        }
        place_remote(offers, &matrix, &before, &mut next);
        next.take_back(&self.config.store.rollbacks().await?, &trust, now);
        self.place_started(&deciding, &before, &mut next);
        // What was compiled only to be tried, or was removed, is forgotten; the cache on disk still has it.
        let installed: HashSet<String> =
            candidates.values().flat_map(BTreeMap::values).map(|c| c.verified.digest().to_string()).collect();
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| installed.contains(digest));
        if let Some(trail) = &mut known.trail {
            self.record(trail, &next);
        }
        let next = Arc::new(next);
        self.tell_rollbacks(&before, &next);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next.clone();
        self.generation.send_modify(|generation| *generation += 1);
        Ok(next)
    }

    /// From now on the audit trail has every change of what is decided, and first of all what is decided now.
    pub async fn audit_decisions(&self) {
        let mut known = self.known.lock().await;
        self.record(known.trail.insert(Trail::default()), &self.snapshot());
    }

    fn record(&self, trail: &mut Trail, snapshot: &Snapshot) {
        trail.changes(snapshot).into_iter().for_each(|entry| self.services().audit.record(entry));
    }

    /// Reads and verifies everything that is installed, by name and version.
    fn candidates(
        &self,
        known: &mut Known,
        trust: &TrustRoots,
        now: OffsetDateTime,
        next: &mut Snapshot,
    ) -> Result<Candidates, CatalogError> {
        let entries = self.config.registry.list().map_err(CatalogError::Layout)?;
        known.verified.retain(|entry, _| entries.contains(entry));
        let mut candidates = Candidates::new();
        for entry in entries {
            let verified = match known.verified.get(&entry).filter(|v| !has_expired(v, trust, now)) {
                Some(verified) => verified.clone(),
                None => match self.config.registry.load(&entry, trust, now) {
                    Ok(verified) => Arc::new(verified),
                    Err(error) => {
                        let component = format!("{}@{}", entry.name, entry.version);
                        tracing::warn!(%component, code = error.code(), "not loaded: {error}; {}", error.next());
                        let reason = format!("{error}; {}", error.next());
                        next.refused.push(Refused { component, code: error.code(), reason });
                        continue;
                    }
                },
            };
            known.verified.insert(entry.clone(), verified.clone());
            candidates.entry(entry.name).or_default().insert(entry.version, Candidate::new(verified));
        }
        Ok(candidates)
    }

    /// What admins have warned of.
    pub(super) fn advisories(&self) -> Result<Advisories, CatalogError> {
        Advisories::read(&self.config.advisories).map_err(CatalogError::Advisories)
    }

    fn place_engine(&self, candidate: &Candidate, before: &Snapshot, next: &mut Snapshot) -> Result<(), CatalogError> {
        candidate.free()?;
        let digest = candidate.verified.digest();
        let engine = match before.engines.get(&digest) {
            Some(engine) => engine.clone(),
            None => Arc::new(self.load_engine(candidate)?),
        };
        next.engines.insert(digest, engine);
        Ok(())
    }

    /// Decides about one component: callable, running, waiting, or an error that says why not.
    async fn place(
        &self,
        candidate: &Candidate,
        deciding: &Deciding<'_>,
        before: &Snapshot,
        next: &mut Snapshot,
    ) -> Result<(), CatalogError> {
        candidate.free()?;
        let grant = deciding.grant(candidate)?;
        if grant.awaits_approval() {
            next.waiting.push(waiting(candidate, &grant));
            return Ok(());
        }
        self.load(candidate, grant, before, next).await
    }

    async fn load(
        &self,
        candidate: &Candidate,
        grant: Grant,
        before: &Snapshot,
        next: &mut Snapshot,
    ) -> Result<(), CatalogError> {
        let manifest = candidate.verified.manifest();
        let digest = candidate.verified.digest().to_string();
        let same = |identity: &Identity| identity.digest == digest && is_same(&identity.grant, &grant);
        match manifest.kind {
            Kind::Tool => {
                let old = before.tools.get(&manifest.name).and_then(|versions| versions.get(&manifest.version));
                let runs = |tool: &Tool| {
                    let script = tool.manifest.script.as_ref();
                    script.is_none_or(|script| next.engines.contains_key(&script.engine))
                };
                let tool = match old.filter(|tool| same(&tool.identity) && runs(tool)) {
                    Some(tool) => tool.clone(),
                    None => {
                        let tool = self.tool(candidate, grant, &next.engines).await?;
                        let known = old.filter(|old| old.identity.digest == digest).map(|old| old.health.clone());
                        Arc::new(Tool { health: known.unwrap_or_default(), ..tool })
                    }
                };
                next.tools.entry(manifest.name.clone()).or_default().insert(manifest.version.clone(), tool);
            }
            // Placed before.
            Kind::Engine => {}
            Kind::Agent => {
                let agent = match before.agents.get(&manifest.name).filter(|agent| same(&agent.identity)) {
                    Some(agent) => agent.clone(),
                    None => {
                        let settings = self.settings(manifest);
                        Arc::new(self.load_agent(candidate.verified.component(), manifest, grant, settings)?)
                    }
                };
                next.agents.insert(manifest.name.clone(), agent);
            }
        }
        Ok(())
    }

    async fn tool(&self, candidate: &Candidate, grant: Grant, engines: &Engines) -> Result<Tool, CatalogError> {
        let verified = &candidate.verified;
        let (manifest, maker) = (verified.manifest(), candidate.maker.clone());
        self.load_tool(verified.component(), manifest, grant, maker, self.settings(manifest), engines).await
    }

    /// Compiles and links a tool, or finds its engine, and has it describe itself.
    pub(super) async fn load_tool(
        &self,
        component: &[u8],
        manifest: &Manifest,
        grant: Grant,
        maker: Option<String>,
        settings: Settings,
        engines: &Engines,
    ) -> Result<Tool, CatalogError> {
        let (identity, pre) = match &manifest.script {
            None => {
                let compiled = self.compile(component, "tool", "wasmill:plugin/tool")?;
                check_imports(&compiled.imports, &grant)?;
                let pre = self.tool_linker.instantiate_pre(&compiled.component).map_err(linking)?;
                let pre = ToolComponentPre::new(pre).map_err(|e| other_version(&compiled, "tool", &e))?;
                (identity(&component_of(manifest), compiled.digest, grant, settings, None), pre)
            }
            Some(script) => {
                let identity = script_identity(component, manifest, grant, settings)?;
                (identity.clone(), self.script_tool(script, &identity, engines).await?)
            }
        };
        let functions = describe(self.engine(), self.services(), &identity, &pre).await?.into();
        let (manifest, body) = (Arc::new(manifest.clone()), Body::Component(pre));
        Ok(Tool { identity, manifest, maker, functions, body, health: Arc::default() })
    }

    /// Compiles and links an agent.
    pub(super) fn load_agent(
        &self,
        component: &[u8],
        manifest: &Manifest,
        grant: Grant,
        settings: Settings,
    ) -> Result<Agent, CatalogError> {
        let compiled = self.compile(component, "agent", "wasmill:plugin/agent")?;
        check_imports(&compiled.imports, &grant)?;
        let pre = self.agent_linker.instantiate_pre(&compiled.component).map_err(linking)?;
        let pre = AgentComponentPre::new(pre).map_err(|e| other_version(&compiled, "agent", &e))?;
        let manifest = Arc::new(manifest.clone());
        let identity = identity(&component_of(&manifest), compiled.digest, grant, settings, None);
        let section = manifest.agent.clone().ok_or_else(|| RuntimeError::WrongWorld {
            wanted: "agent",
            export: "an [agent] section in wasmill.toml".into(),
            found: "none".into(),
        })?;
        Ok(Agent { identity, manifest, maker: None, section, pre })
    }

    pub(super) fn compile(&self, component: &[u8], kind: &'static str, export: &str) -> Result<Compiled, CatalogError> {
        let digest = Digest::of(component).to_string();
        let kept = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        let compiled = match kept {
            Some(compiled) => compiled,
            None => {
                // Compiling takes milliseconds to seconds and must not hold up the tasks of this thread.
                let compiled = tokio::task::block_in_place(|| self.config.cache.compile(component))?;
                self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, compiled.clone());
                compiled
            }
        };
        if !compiled.imports.exports_name(export) {
            let found: Vec<&str> = compiled.imports.exports.iter().map(|e| e.as_str()).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            return Err(RuntimeError::WrongWorld { wanted: kind, export: export.to_owned(), found }.into());
        }
        Ok(compiled)
    }

    /// What the admin set for a component.
    pub(super) fn settings(&self, manifest: &Manifest) -> Settings {
        self.config.settings.get(&manifest.name).cloned().unwrap_or_default()
    }
}

/// `name@version`.
pub(super) fn component_of(manifest: &Manifest) -> String {
    format!("{}@{}", manifest.name, manifest.version)
}

/// Who a component is.
pub(super) fn identity(
    component: &str,
    digest: String,
    grant: Grant,
    settings: Settings,
    source: Option<Arc<str>>,
) -> Arc<Identity> {
    Arc::new(Identity {
        principal: grant.principal().clone(),
        component: component.into(),
        digest,
        policy_revision: grant.revision().to_string(),
        settings,
        source,
        is_heard: true,
        grant,
    })
}

/// An instance of it could never be made.
pub(super) fn linking(error: wasmtime::Error) -> RuntimeError {
    RuntimeError::Instantiate(format!("{error:#}"))
}

/// The export has the right name; its version or its types are not this host's.
fn other_version(compiled: &Compiled, kind: &'static str, error: &wasmtime::Error) -> RuntimeError {
    let found: Vec<&str> = compiled.imports.exports.iter().map(|e| e.as_str()).collect();
    let export = format!("wasmill:plugin/{kind}@0.1.0");
    RuntimeError::WrongWorld { wanted: kind, export, found: format!("{} ({error})", found.join(", ")) }
}

fn is_engine(candidate: &Candidate) -> bool {
    candidate.verified.manifest().kind == Kind::Engine
}

/// Of several versions of an agent only the newest runs.
fn is_wanted(candidate: &Candidate, all: &Candidates) -> bool {
    let manifest = candidate.verified.manifest();
    let newest = || all.get(&manifest.name).and_then(|versions| versions.keys().next_back());
    manifest.kind != Kind::Agent || newest() == Some(&manifest.version)
}

fn waiting(candidate: &Candidate, grant: &Grant) -> Waiting {
    Waiting {
        component: candidate.component(),
        kind: candidate.verified.manifest().kind,
        digest: candidate.verified.digest().to_string(),
        manifest_digest: candidate.verified.manifest_digest().to_string(),
        maker: candidate.maker.clone(),
        permissions: grant.effective().clone(),
        privileged: grant.privileged().iter().map(|c| c.to_string()).collect(),
        revision: grant.revision().to_string(),
    }
}

/// An expiry can pass between two refreshes, without any file changing.
fn has_expired(verified: &Verified, trust: &TrustRoots, now: OffsetDateTime) -> bool {
    let key = trust.keys().iter().find(|key| key.id == verified.signer().id);
    key.is_none_or(|key| key.expires.is_some_and(|expires| expires <= now))
}

/// True where what was loaded under one grant can go on under the other. A forged component that may do anything at
/// all is loaded again each time, as its maker's grant is part of its own.
pub(super) fn is_same(old: &Grant, new: &Grant) -> bool {
    let bound_to_maker = matches!(new.origin(), Origin::Forged { .. }) && *new.effective() != Permissions::default();
    !bound_to_maker
        && old.revision() == new.revision()
        && old.awaits_approval() == new.awaits_approval()
        && old.effective() == new.effective()
        && old.limits() == new.limits()
}
