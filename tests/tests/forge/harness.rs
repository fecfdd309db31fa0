//! A forge in a scratch folder.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::OnceCell;
use wasmill::forge::{
    Candidate, EngineFacts, Event, Examiner, Fault, Forge, ForgeParts, ForgeSettings, Language, Loader, Outcome,
    Problem, Request, Standing, Subject, Workshop, prepare,
};
use wasmill::permissions::{Grant, Matrix, Principal};
use wasmill::store::AuditWriter;
use wasmill::telemetry::Telemetry;
use wasmill_tests::scratch::Scratch;

/// Who forges in these tests.
pub const MATRIX: &str = r#"
[[row]]
principal = "client:smith"
forge = ["rust"]
limits = { builds_per_hour = 1000 }
"#;

/// Settings with limits that a hostile source reaches soon, and an honest one does not.
pub fn settings() -> ForgeSettings {
    ForgeSettings { build_ms: 60_000, processor_s: 6, memory_mib: 2048, ..ForgeSettings::default() }
}

/// A compiler behind its sandbox, prepared once for all tests.
pub async fn workshop() -> Workshop {
    static PREPARED: OnceCell<()> = OnceCell::const_new();
    PREPARED.get_or_init(|| async { drop(prepare(&settings(), &|_| ()).await.unwrap()) }).await;
    Workshop::find(&settings()).await.unwrap()
}

/// A request without examples.
pub fn request(name: &str, source: &str) -> Request {
    Request {
        name: name.into(),
        description: "A test.".into(),
        language: Language::Rust,
        source: source.into(),
        dependencies: vec![],
        examples: vec![],
        permissions: String::new(),
    }
}

/// A forge whose tools are never run: for sources that must not come so far.
pub struct EarlyForge {
    pub forge: Forge,
    pub events: Arc<Mutex<Vec<Event>>>,
    maker: Grant,
    _scratch: Scratch,
}

impl EarlyForge {
    pub async fn new(matrix: &str) -> Self {
        workshop().await;
        let scratch = Scratch::new(matrix).await.unwrap();
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let heard = events.clone();
        let forge = Forge::new(ForgeParts {
            settings: settings(),
            registry: scratch.registry().unwrap(),
            trust: scratch.dir.path().join("trust.toml"),
            advisories: scratch.dir.path().join("advisories.jsonl"),
            key: Arc::new(wasmill_registry::SecretKey::generate().unwrap()),
            store: scratch.store.clone(),
            instance: "test".into(),
            audit: AuditWriter::start(scratch.store.clone(), "forge"),
            examiner: Arc::new(Unreachable),
            loader: Arc::new(Unreachable),
            observer: Box::new(move |event| heard.lock().unwrap().push(event.clone())),
            meter: Arc::default(),
            telemetry: Telemetry::off(),
        });
        let maker = Matrix::parse(matrix).unwrap().grant(&Principal::client("smith"), None, None, None);
        Self { forge, events, maker, _scratch: scratch }
    }

    pub async fn build(&self, request: &Request) -> Outcome {
        self.forge.build(&self.maker, request).await.unwrap()
    }
}

/// Fails the test: nothing that gets here was meant to.
struct Unreachable;

#[async_trait]
impl Examiner for Unreachable {
    fn engine(&self, _: Language) -> Option<EngineFacts> {
        None
    }

    async fn look(&self, _: &EngineFacts, tool: &str, _: &str, _: &Grant) -> Result<(), Fault> {
        panic!("{tool} came as far as being looked at")
    }

    async fn bring_up(&self, candidate: &Candidate) -> Result<Box<dyn Subject>, Problem> {
        panic!("{} came as far as being run", candidate.manifest.name)
    }
}

#[async_trait]
impl Loader for Unreachable {
    async fn load(&self, reference: &str) -> Result<Standing, Problem> {
        panic!("{reference} came as far as being loaded")
    }
}
