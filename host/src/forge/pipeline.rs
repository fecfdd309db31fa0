//! One request on its way through the stages. A stage ends with what the next one needs, or ends the request.

use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;
use wasmill_registry::{Bundle, Digest};

use super::bench::{Bench, EngineFacts};
use super::compile::{CompileFailure, Compiled, Workshop};
use super::diagnostics::Diagnostic;
use super::error::ForgeError;
use super::examine::{Candidate, Findings, examine};
use super::inputs::Seed;
use super::news::News;
use super::outcome::{Event, Outcome, Problem, ProblemKind, Product, Refusal, Stage, Timing};
use super::refuse::{self, Vetted};
use super::request::Request;
use super::room::Claimed;
use super::shelf::{Earlier, Shelf, weight};
use super::statement::{Facts, manifest, seal};
use super::{Forge, Standing, inspect, record};
use crate::permissions::Grant;
use crate::store::now_ms;

/// Why a request goes no further.
enum Stop {
    /// The request is not accepted.
    Refused(Problem, Vec<Diagnostic>),
    /// This host can't go on.
    Error(ForgeError),
}

impl<E: Into<ForgeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One request.
pub(super) struct Run<'a> {
    forge: &'a Forge,
    bench: Bench,
    maker: &'a Grant,
    request: &'a Request,
    tool: String,
    began: Instant,
    started: OffsetDateTime,
}

/// How far it came.
struct Track {
    stage: Stage,
    timings: Vec<Timing>,
    /// What the try-out came to.
    findings: Option<Findings>,
}

impl<'a> Run<'a> {
    pub fn new(forge: &'a Forge, bench: Bench, maker: &'a Grant, request: &'a Request) -> Self {
        // The name is not checked yet, and goes into events and messages.
        let tool = format!("{}.{}", maker.principal().name(), request.name.chars().take(64).collect::<String>());
        Self { forge, bench, maker, request, tool, began: Instant::now(), started: OffsetDateTime::now_utc() }
    }

    /// All stages.
    pub async fn through(&self) -> Result<Outcome, ForgeError> {
        let (maker, tool) = (self.maker.principal().as_str(), self.tool.clone());
        let earlier = on_disk(&self.forge.shelf, move |shelf| shelf.earlier(&tool)).await?;
        let request = self.request.digest(maker).to_string();
        let mut track = Track { stage: Stage::Refuse, timings: Vec::new(), findings: None };
        let same = earlier.iter().rfind(|e| e.maker == maker && e.request == request);
        if let Some(same) = self.usable(same).await? {
            // Nothing is built, so nothing counts and nothing is written down.
            let version = same.version.to_string();
            let standing = self.load(&version).await?;
            return Ok(self.product(version, same.digest.to_string(), &track, standing));
        }
        // Counts until it is written down.
        let _counted = self.forge.quota.take(self.maker).await?;
        let outcome = match self.stages(&earlier, &mut track).await {
            Ok((version, digest, standing)) => self.product(version, digest, &track, standing),
            Err(Stop::Refused(reason, diagnostics)) => {
                Outcome::Refused(Refusal { stage: track.stage, reason, diagnostics })
            }
            Err(Stop::Error(error)) => return Err(error),
        };
        let told = record::Told { timings: &track.timings, findings: track.findings.as_ref() };
        let row = record::row(maker, &self.tool, self.request, &outcome, &told, self.started);
        let news = News::of_request(
            maker,
            &self.tool,
            row.request.clone(),
            &outcome,
            &track.timings,
            track.findings.as_ref(),
            now_ms(),
        );
        let news = serde_json::to_string(&news).map_err(|error| ForgeError::Internal(error.to_string()))?;
        self.forge.store.add_build_and_news(&row, &self.forge.instance, &news).await?;
        Ok(outcome)
    }

    /// A version that is there already, unless an advisory touches it.
    async fn usable<'e>(&self, same: Option<&'e Earlier>) -> Result<Option<&'e Earlier>, ForgeError> {
        let Some(same) = same else { return Ok(None) };
        let (tool, asked) = (self.tool.clone(), same.clone());
        let is_out = on_disk(&self.forge.shelf, move |shelf| shelf.is_quarantined(&tool, &asked)).await?;
        Ok(Some(same).filter(|_| !is_out))
    }

    fn product(&self, version: String, digest: String, track: &Track, standing: Standing) -> Outcome {
        let product = Product { tool: self.tool.clone(), version, digest, timings: track.timings.clone() };
        match standing {
            Standing::Callable => Outcome::Callable(product),
            Standing::Waiting => Outcome::Waiting(product),
        }
    }

    /// Version, digest, and where it stands.
    async fn stages(&self, earlier: &[Earlier], track: &mut Track) -> Result<(String, String, Standing), Stop> {
        let vetted = self.staged(track, Stage::Refuse, self.refuse(earlier)).await?;
        let source = self.request.source.len() as u64;
        let mut room = self.forge.room.claim(self.maker, &vetted.tool, source).await?;
        let made = self.made(&vetted, &mut room, track).await;
        let ended = room.end(made.is_ok()).await;
        let made = made?;
        ended?;
        Ok(made)
    }

    /// The stages that make something. Version, digest, and where it stands.
    async fn made(
        &self,
        vetted: &Vetted,
        room: &mut Claimed<'_>,
        track: &mut Track,
    ) -> Result<(String, String, Standing), Stop> {
        let component = self.staged(track, Stage::Build, self.build(vetted)).await?;
        self.staged(track, Stage::Inspect, self.inspect(vetted, &component)).await?;
        let (candidate, findings) = self.staged(track, Stage::Examine, self.examine(vetted, component)).await?;
        let (version, digest) = (candidate.manifest.version.to_string(), candidate.digest.to_string());
        // A script is its own source.
        let source = self.bench.script().is_none().then_some(self.request.source.as_bytes());
        room.weigh(version.clone(), weight(&candidate.component, source)).await?;
        let findings = track.findings.insert(findings).clone();
        let bundle = self.staged(track, Stage::Sign, self.sign(vetted, candidate, &findings)).await?;
        let standing = self.staged(track, Stage::Register, self.register(&version, bundle)).await?;
        Ok((version, digest, standing))
    }

    /// Runs one stage, measures it and says that it is over.
    async fn staged<T>(
        &self,
        track: &mut Track,
        stage: Stage,
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        track.stage = stage;
        let start = Instant::now();
        let mut span = self.forge.stage(&stage.to_string());
        let result = work.await;
        let timing = Timing::new(stage, start.elapsed());
        track.timings.push(timing);
        let refused = match &result {
            Ok(_) => None,
            Err(Stop::Refused(problem, _)) => Some(problem.code.clone()),
            Err(Stop::Error(error)) => Some(error.code().to_owned()),
        };
        refused.iter().for_each(|code| span.fail(code));
        let maker = self.maker.principal().as_str();
        (self.forge.observer)(&Event {
            maker: maker.to_owned(),
            tool: self.tool.clone(),
            request: self.request.digest(maker).to_string(),
            stage,
            micros: timing.micros,
            refused,
        });
        result
    }

    async fn refuse(&self, earlier: &[Earlier]) -> Result<Vetted, Stop> {
        let vetted = refuse::check(self.request, self.maker).map_err(|refused| {
            let (problem, diagnostics) = *refused;
            Stop::Refused(problem, diagnostics)
        })?;
        // An agent and a client may have the same name; what one of them made, the other can't replace.
        if let Some(other) = earlier.iter().find(|e| e.maker != self.maker.principal().as_str()) {
            let message =
                format!("the name `{}` is taken: {} made version {}", vetted.tool, other.maker, other.version);
            return Err(Stop::Refused(
                Problem::invalid("forge.name-taken", message, "Choose another name."),
                Vec::new(),
            ));
        }
        Ok(vetted)
    }

    async fn build(&self, vetted: &Vetted) -> Result<Vec<u8>, Stop> {
        let workshop = match &self.bench {
            Bench::Sandbox(workshop) => workshop,
            Bench::Engine(engine) => return self.look(vetted, engine).await,
        };
        let component = self.compile(workshop, vetted).await?;
        if self.forge.settings.build_twice && self.compile(workshop, vetted).await? != component {
            let (message, next) = (
                "two builds of the source gave different components, so nobody could ever check where it comes from",
                "Don't let the source depend on anything but itself.",
            );
            let problem = Problem::new(ProblemKind::Failed, "forge.not-reproducible", message, next);
            return Err(Stop::Refused(problem, Vec::new()));
        }
        Ok(component)
    }

    /// A script is built by being looked at: it stays as it is.
    async fn look(&self, vetted: &Vetted, engine: &EngineFacts) -> Result<Vec<u8>, Stop> {
        let source = &self.request.source;
        let looked = self.forge.examiner.look(engine, &vetted.tool, source, self.maker).await;
        looked
            .map(|()| source.clone().into_bytes())
            .map_err(|fault| Stop::Refused(fault.problem, vec![fault.diagnostic]))
    }

    async fn compile(&self, workshop: &Workshop, vetted: &Vetted) -> Result<Vec<u8>, Stop> {
        match workshop.compile(&self.request.source, &vetted.crates).await? {
            Compiled::Component { bytes, .. } => Ok(bytes),
            Compiled::Failed { failure, diagnostics } => Err(Stop::Refused(problem_of(&failure), diagnostics)),
        }
    }

    async fn inspect(&self, vetted: &Vetted, component: &[u8]) -> Result<(), Stop> {
        // What a script may use is decided at each use: it has no imports of its own.
        if self.bench.script().is_some() {
            return Ok(());
        }
        inspect::check(component, &vetted.wanted).map_err(|problem| Stop::Refused(problem, Vec::new()))
    }

    async fn examine(&self, vetted: &Vetted, component: Vec<u8>) -> Result<(Candidate, Findings), Stop> {
        let tool = vetted.tool.clone();
        let version = on_disk(&self.forge.shelf, move |shelf| shelf.next_version(&tool)).await?;
        let candidate = Candidate {
            digest: Digest::of(&component),
            component,
            manifest: manifest(self.request, vetted, version, self.bench.script()),
            maker: self.maker.clone(),
        };
        let subject = self.forge.examiner.bring_up(&candidate).await;
        let subject = subject.map_err(|problem| Stop::Refused(problem, Vec::new()))?;
        let plan = self.forge.settings.random_plan(Seed::of(&vetted.digest));
        match examine(&*subject, &self.request.examples, plan.as_ref()).await {
            Ok(findings) => Ok((candidate, findings)),
            Err((problem, diagnostics)) => Err(Stop::Refused(problem, diagnostics)),
        }
    }

    async fn sign(&self, vetted: &Vetted, candidate: Candidate, findings: &Findings) -> Result<Bundle, Stop> {
        let facts = Facts {
            maker: self.maker.principal().as_str(),
            request: self.request,
            vetted,
            bench: &self.bench,
            built_twice: self.forge.settings.build_twice,
            findings,
            started: self.started,
            took: self.began.elapsed(),
        };
        let sealed = seal(candidate.component, &candidate.manifest, &facts, &self.forge.key);
        sealed.map_err(|error| Stop::Error(ForgeError::Internal(error.to_string())))
    }

    async fn register(&self, version: &str, bundle: Bundle) -> Result<Standing, Stop> {
        on_disk(&self.forge.shelf, move |shelf| shelf.put(bundle)).await?;
        Ok(self.load(version).await?)
    }

    async fn load(&self, version: &str) -> Result<Standing, ForgeError> {
        self.forge.loader.load(&format!("{}@{version}", self.tool)).await.map_err(ForgeError::Load)
    }
}

/// A failed build in the contract's words.
fn problem_of(failure: &CompileFailure) -> Problem {
    let kind = if failure.is_limit() { ProblemKind::Limit } else { ProblemKind::Failed };
    Problem::new(kind, failure.code(), failure, failure.next())
}

/// The shelf blocks on the disk; the runtime's threads must not.
pub(super) async fn on_disk<T: Send + 'static>(
    shelf: &Arc<Shelf>,
    work: impl FnOnce(&Shelf) -> Result<T, ForgeError> + Send + 'static,
) -> Result<T, ForgeError> {
    let shelf = shelf.clone();
    let done = tokio::task::spawn_blocking(move || work(&shelf)).await;
    done.map_err(|e| ForgeError::Internal(e.to_string()))?
}
