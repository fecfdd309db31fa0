//! The forge: source in, callable tool out.
//!
//! A request goes through stages, each in its own file: [`refuse`] what needs no building, [`compile`] in the
//! [`sandbox`](crate::sandbox) (or have an engine look at a script), [`inspect`] the component, [`examine`] it by the maker's examples
//! and random [`inputs`], sign a [`statement`] on where it
//! comes from, put it on the [`shelf`]. [`pipeline`] takes it from one to the next and measures.
//!
//! The sandbox is the wall: it holds against any source by itself. The first checks only spare the author a wait.
//! Nothing here knows the engine, the log or HTTP: who runs candidates is an [`Examiner`], who makes finished tools
//! callable is a [`Loader`].

mod bench;
mod compile;
mod contract;
mod diagnostics;
mod error;
mod examine;
mod inputs;
mod inspect;
mod kit;
mod news;
mod outcome;
mod pipeline;
mod quota;
mod rebuild;
mod record;
mod refuse;
mod remake;
mod request;
mod room;
mod settings;
mod shelf;
mod statement;
mod tokens;
mod toolchain;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{OnceCell, Semaphore};
use wasmill_registry::{Registry, SecretKey};

pub use bench::EngineFacts;
pub use compile::{CompileFailure, Compiled, Workshop};
pub use diagnostics::{DIAGNOSTICS_MAX, Diagnostic, Severity};
pub use error::{ForgeError, Quantity};
pub use examine::{
    Answer, Candidate, Described, Examiner, Fault, Findings, Measured, Proposal, RandomFindings, Reach, Subject,
    Unanswered,
};
pub use inputs::Seed;
pub use kit::{ALLOWED_CRATES, Kit, KitError, KitFacts, packages};
pub use news::{News, NewsKind};
pub use outcome::{Event, Outcome, Problem, ProblemKind, Product, Refusal, Stage, Timing};
pub use rebuild::{Rebuilt, provenance_of, rebuild};
pub use remake::{Remake, remake_of};
pub use request::{Example, Language, Request};
pub use settings::{ForgeSettings, RANDOM_INPUTS_MAX};
pub use statement::{BUILD_TYPE, BUILDER_ID};
pub use toolchain::{TARGET, Toolchain, ToolchainError, Versions};
#[cfg(fuzzing)]
pub(crate) use {inspect::check as inspect, refuse::check as refuse, tokens::scan};

use crate::meters::{Built, ForgeMeter};
use crate::permissions::{Action, Grant};
use crate::sandbox::Sandbox;
use crate::store::{AuditWriter, Store};
use crate::telemetry::{About, Span, SpanKind, Telemetry, Work};
use bench::Bench;
use quota::Quota;
use room::Room;
use shelf::Shelf;

/// Most requests at the same time, whether built or waiting for their turn.
const WAITING_MAX: usize = 64;

/// Whether a finished tool may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Now.
    Callable,
    /// Once an admin approves.
    Waiting,
}

/// Makes what is in the registry callable.
#[async_trait]
pub trait Loader: Send + Sync {
    /// Takes notice of a new component, `name@version`, and says where it stands. Called again for one that is known.
    ///
    /// # Errors
    /// Where this host refuses to load it.
    async fn load(&self, reference: &str) -> Result<Standing, Problem>;
}

/// Hears of every stage of every request. It must not block.
pub type Observer = Box<dyn Fn(&Event) + Send + Sync>;

/// What a forge is made of.
pub struct ForgeParts {
    /// The `[forge]` section of host.toml.
    pub settings: ForgeSettings,
    /// Where finished tools go.
    pub registry: Registry,
    /// The file with the trust roots.
    pub trust: PathBuf,
    /// The file of the advisories.
    pub advisories: PathBuf,
    /// The forge's key; trusted as `forge` in the trust roots.
    pub key: Arc<SecretKey>,
    /// Where it is written down who asked for what.
    pub store: Store,
    /// What tells this host from others on the same database.
    pub instance: String,
    /// The audit trail.
    pub audit: AuditWriter,
    /// Runs candidates.
    pub examiner: Arc<dyn Examiner>,
    /// Makes tools callable.
    pub loader: Arc<dyn Loader>,
    /// Hears of every stage.
    pub observer: Observer,
    /// Counts requests.
    pub meter: Arc<ForgeMeter>,
    /// Records traces.
    pub telemetry: Telemetry,
}

/// The forge of one host.
pub struct Forge {
    settings: ForgeSettings,
    shelf: Arc<Shelf>,
    key: Arc<SecretKey>,
    examiner: Arc<dyn Examiner>,
    loader: Arc<dyn Loader>,
    observer: Observer,
    meter: Arc<ForgeMeter>,
    telemetry: Telemetry,
    workshop: OnceCell<Arc<Workshop>>,
    places: Semaphore,
    turns: Semaphore,
    quota: Quota,
    room: Room,
    store: Store,
    instance: String,
    audit: AuditWriter,
    names: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Forge {
    /// A forge. Never fails: what a host lacks for building is said when something is to be built, and looked for again
    /// each time.
    pub fn new(parts: ForgeParts) -> Self {
        let ForgeParts {
            settings,
            registry,
            trust,
            advisories,
            key,
            store,
            instance,
            audit,
            examiner,
            loader,
            observer,
            meter,
            telemetry,
        } = parts;
        let shelf = Arc::new(Shelf::new(registry, trust, advisories));
        Self {
            places: Semaphore::new(WAITING_MAX),
            turns: Semaphore::new(settings.builds.max(1)),
            room: Room::new(store.clone(), shelf.clone(), Duration::from_millis(settings.deadline_ms)),
            settings,
            shelf,
            key,
            examiner,
            loader,
            observer,
            meter,
            telemetry,
            workshop: OnceCell::new(),
            quota: Quota::new(store.clone()),
            store,
            instance,
            audit,
            names: Mutex::default(),
        }
    }

    /// Makes a tool for the maker who holds `maker`. The same source, examples and permissions from the same maker
    /// give the tool that is already there.
    ///
    /// # Errors
    /// What has nothing to do with the source: no permission, no sandbox, no compiler, a reached quota, the deadline.
    /// Everything else is an [`Outcome`].
    pub async fn build(&self, maker: &Grant, request: &Request) -> Result<Outcome, ForgeError> {
        let began = Instant::now();
        let mut span = self.telemetry.span(Work::current_trace().as_deref(), || about(maker, request));
        let work = Work { traceparent: Some(span.traceparent().clone()), ..Work::current() };
        let ended = work.scope(self.in_time(maker, request)).await;
        match &ended {
            Ok(Outcome::Callable(product) | Outcome::Waiting(product)) => {
                span.set("wasmill.component", format!("{}@{}", product.tool, product.version));
            }
            Ok(Outcome::Refused(refusal)) => span.fail(&refusal.reason.code),
            Err(error) => span.fail(error.code()),
        }
        self.meter.ended(built(&ended), began.elapsed());
        self.audit.record(record::entry(maker, request, &ended));
        ended
    }

    async fn in_time(&self, maker: &Grant, request: &Request) -> Result<Outcome, ForgeError> {
        maker.check(Action::Forge(request.language.word())).ok().map_err(|denial| ForgeError::Denied {
            code: denial.code(),
            message: denial.message(),
            next: denial.next(),
        })?;
        let deadline = self.settings.deadline_ms;
        let done = tokio::time::timeout(Duration::from_millis(deadline), self.in_turn(maker, request)).await;
        done.map_err(|_| ForgeError::Deadline(deadline))?
    }

    async fn in_turn(&self, maker: &Grant, request: &Request) -> Result<Outcome, ForgeError> {
        let _place = self.places.try_acquire().map_err(|_| ForgeError::Busy(WAITING_MAX))?;
        // Until its turn comes.
        let queue = self.stage("queue");
        let bench = self.bench(request.language).await?;
        let name = self.name_lock(maker.principal().name(), &request.name);
        // One request for a name at a time: the next one may ask for what this one makes.
        let _name = name.lock().await;
        // A compiler takes a core for a second; what an engine runs needs no turn.
        let _turn = match bench {
            Bench::Sandbox(_) => Some(self.turns.acquire().await.map_err(|e| ForgeError::Internal(e.to_string()))?),
            Bench::Engine(_) => None,
        };
        drop(queue);
        pipeline::Run::new(self, bench, maker, request).through().await
    }

    /// A stage of the request at hand.
    fn stage(&self, name: &str) -> Span {
        let parent = Work::current_trace();
        self.telemetry.span(parent.as_deref(), || {
            About::new(format!("forge {name}"), SpanKind::Internal).with("wasmill.forge.stage", name.to_owned())
        })
    }

    async fn bench(&self, language: Language) -> Result<Bench, ForgeError> {
        if !language.is_script() {
            return Ok(Bench::Sandbox(self.workshop().await?));
        }
        self.examiner.engine(language).map(Bench::Engine).ok_or(ForgeError::NoEngine(language.word()))
    }

    /// The place where sources are built, found at the first use.
    ///
    /// # Errors
    /// What this host lacks. Asked again, it is looked for again.
    pub async fn workshop(&self) -> Result<Arc<Workshop>, ForgeError> {
        let found =
            self.workshop.get_or_try_init(|| async { Workshop::find(&self.settings).await.map(Arc::new) }).await?;
        Ok(found.clone())
    }

    /// Has something said on the topic.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tell(&self, news: &News) -> Result<(), ForgeError> {
        let text = serde_json::to_string(news).map_err(|error| ForgeError::Internal(error.to_string()))?;
        Ok(self.store.add_forge_news(&self.instance, &text).await?)
    }

    fn name_lock(&self, maker: &str, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        // Nothing in the map can be half-changed: a poisoned lock is as good as any.
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|_, lock| lock.strong_count() > 0);
        let key = format!("{maker}.{name}");
        if let Some(lock) = names.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        names.insert(key, Arc::downgrade(&lock));
        lock
    }
}

fn about(maker: &Grant, request: &Request) -> About {
    About::new("forge build", SpanKind::Internal)
        .with("wasmill.forge.maker", maker.principal().to_string())
        .with("wasmill.forge.tool", request.name.clone())
        .with("wasmill.forge.language", request.language.word())
}

fn built(ended: &Result<Outcome, ForgeError>) -> Built {
    match ended {
        Ok(Outcome::Callable(_)) => Built::Callable,
        Ok(Outcome::Waiting(_)) => Built::Waiting,
        Ok(Outcome::Refused(_)) | Err(ForgeError::Denied { .. }) => Built::Refused,
        Err(_) => Built::Failed,
    }
}

impl Workshop {
    /// Finds sandbox, compiler and kit.
    ///
    /// # Errors
    /// The first one that is missing.
    pub async fn find(settings: &ForgeSettings) -> Result<Self, ForgeError> {
        let settings = settings.clone();
        let find = move || {
            let sandbox = Sandbox::find()?;
            let toolchain = Toolchain::find(settings.rustc.as_deref())?;
            let kits = settings.kits.clone().unwrap_or_else(Kit::default_folder);
            let kit = Kit::open(&kits, &toolchain)?;
            Ok(Self { sandbox, toolchain, kit, limits: settings.sandbox_limits() })
        };
        tokio::task::spawn_blocking(find).await.map_err(|e| ForgeError::Internal(e.to_string()))?
    }
}

/// Makes the kit that [`Forge::build`] needs, where there is none: once for each compiler and version of Wasmill, with
/// the network. `progress` hears a sentence before each step that takes time. Returns the kit.
///
/// # Errors
/// What is missing on this machine.
pub async fn prepare(settings: &ForgeSettings, progress: &(dyn Fn(&str) + Sync)) -> Result<Kit, ForgeError> {
    let sandbox = Sandbox::find()?;
    let toolchain = Toolchain::find(settings.rustc.as_deref())?;
    let kits = settings.kits.clone().unwrap_or_else(Kit::default_folder);
    Ok(kit::prepare(&kits, &toolchain, &sandbox, progress).await?)
}
