//! Engines: components that run tools which are text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use semver::Version;
use wasmill_registry::{Digest, Manifest, Permissions, Script};
use wasmtime::Store;

use super::answer::plain;
use super::call::end_of_call;
use super::error::CatalogError;
use super::grants::Candidate;
use super::instance::new_store;
use super::load::{Catalog, Settings, component_of, identity, linking};
use crate::capabilities::{CallContext, Guest, Identity, check_engine_imports, problem};
use crate::permissions::{Grant, Principal};
use crate::runtime::RuntimeError;
use crate::runtime::bindings::{EnginePartPre, Fault, ToolComponentPre};

/// Time that reading and evaluating a source may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// Longest message on what is wrong with a source, bytes.
const FAULT_SIZE_MAX: usize = 4 * 1024;

/// Engines by the digest of their component.
pub type Engines = BTreeMap<Digest, Arc<ScriptEngine>>;

/// An engine that may run: compiled once, instantiated for each call of each tool in its language.
pub struct ScriptEngine {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Version,
    /// SHA-256 of its component.
    pub digest: Digest,
    /// Language of its tools.
    pub language: String,
    /// Answers as a tool.
    pub(super) tool: ToolComponentPre<Guest>,
    part: EnginePartPre<Guest>,
}

impl Catalog {
    /// Compiles and links an engine.
    pub(super) fn load_engine(&self, candidate: &Candidate) -> Result<ScriptEngine, CatalogError> {
        let verified = &candidate.verified;
        let manifest = verified.manifest();
        let language = language(manifest)?;
        let compiled = self.compile(verified.component(), "engine", "wasmill:plugin/engine")?;
        check_engine_imports(&compiled.imports)?;
        let pre = self.engine_linker().instantiate_pre(&compiled.component).map_err(linking)?;
        Ok(ScriptEngine {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: verified.digest(),
            language,
            tool: ToolComponentPre::new(pre.clone()).map_err(linking)?,
            part: EnginePartPre::new(pre).map_err(linking)?,
        })
    }

    /// Has an engine look at a source that nobody has signed yet, in an instance that may do nothing.
    ///
    /// # Errors
    /// [`CatalogError::Engine`] where there is no such engine; [`CatalogError::Source`].
    pub async fn look(&self, engine: Digest, tool: &str, source: &str, maker: &Grant) -> Result<(), CatalogError> {
        let (matrix, principal) = (self.matrix().current(), Principal::tool(tool));
        let grant = matrix.grant(&principal, Some(&Permissions::default()), None, Some(maker));
        let digest = Digest::of(source.as_bytes()).to_string();
        let identity = identity(tool, digest, grant, Settings::new(), Some(source.into()));
        self.script_tool(&Script { engine }, &identity, &self.snapshot().engines).await.map(drop)
    }

    /// Finds the engine of a script and has it look at the source.
    ///
    /// # Errors
    /// [`CatalogError::Engine`] where there is none; [`CatalogError::Source`].
    pub(super) async fn script_tool(
        &self,
        script: &Script,
        identity: &Arc<Identity>,
        engines: &Engines,
    ) -> Result<ToolComponentPre<Guest>, CatalogError> {
        let engine = engines.get(&script.engine).ok_or_else(|| CatalogError::Engine {
            component: identity.component.to_string(),
            engine: script.engine.to_string(),
        })?;
        self.check_source(engine, identity).await?;
        Ok(engine.tool.clone())
    }

    /// Has an engine look whether the source of `identity` is a tool.
    ///
    /// # Errors
    /// [`CatalogError::Source`] with what is wrong, or with the limit that looking reached.
    pub(super) async fn check_source(
        &self,
        engine: &ScriptEngine,
        identity: &Arc<Identity>,
    ) -> Result<(), CatalogError> {
        let wrong = |message: &str, line, column| CatalogError::Source {
            component: identity.component.to_string(),
            message: plain(message, FAULT_SIZE_MAX),
            line,
            column,
        };
        let context = CallContext::closed(Instant::now() + DEADLINE, "".into());
        let mut store = new_store(self.engine(), Guest::new(identity.clone(), self.services().clone(), context, None));
        match tokio::time::timeout(DEADLINE, ask(&mut store, &engine.part)).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(fault))) => Err(wrong(&fault.message, fault.line, fault.column)),
            Ok(Err(error)) => {
                let error = RuntimeError::from_call(&error, store.data_mut().limiter().refused());
                Err(wrong(&problem(&end_of_call(identity, store.data().context(), &error)).message, 0, 0))
            }
            Err(_) => Err(wrong(&format!("its own code took over {} s", DEADLINE.as_secs()), 0, 0)),
        }
    }
}

/// Who a script is.
///
/// # Errors
/// [`CatalogError::Source`] where it is no text.
pub(super) fn script_identity(
    source: &[u8],
    manifest: &Manifest,
    grant: Grant,
    settings: Settings,
) -> Result<Arc<Identity>, CatalogError> {
    let component = component_of(manifest);
    let text = std::str::from_utf8(source).map_err(|error| CatalogError::Source {
        component: component.clone(),
        message: error.to_string(),
        line: 0,
        column: 0,
    })?;
    Ok(identity(&component, Digest::of(source).to_string(), grant, settings, Some(text.into())))
}

async fn ask(store: &mut Store<Guest>, part: &EnginePartPre<Guest>) -> wasmtime::Result<Result<(), Fault>> {
    let instance = part.instantiate_async(&mut *store).await?;
    instance.wasmill_plugin_engine().call_check(store).await
}

fn language(manifest: &Manifest) -> Result<String, RuntimeError> {
    let section = manifest.engine.as_ref().ok_or_else(|| RuntimeError::WrongWorld {
        wanted: "engine",
        export: "an [engine] section in wasmill.toml".into(),
        found: "none".into(),
    })?;
    Ok(section.language.clone())
}
