//! The forge on this host: candidates tried in the ordinary runtime, finished tools made callable by the catalog.

use std::sync::Arc;

use async_trait::async_trait;

use crate::capabilities::{Caller, Forging, problem};
use crate::catalog::{Catalog, CatalogError, OWN_CODE, Tool, Tried};
use crate::forge::{
    Answer, Candidate, Described, Diagnostic, EngineFacts, Examiner, Fault, Forge, Language, Loader, Problem,
    ProblemKind, Reach, Request, Standing, Subject, Unanswered,
};
use crate::permissions::{Grant, GrantLimits};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::forge as wit;

/// The catalog, as the forge needs it.
pub struct Bench(pub Arc<Catalog>);

#[async_trait]
impl Examiner for Bench {
    fn engine(&self, language: Language) -> Option<EngineFacts> {
        let snapshot = self.0.snapshot();
        let engine = snapshot.engine_of(language.word())?;
        Some(EngineFacts { component: format!("{}@{}", engine.name, engine.version), digest: engine.digest })
    }

    async fn look(&self, engine: &EngineFacts, tool: &str, source: &str, maker: &Grant) -> Result<(), Fault> {
        self.0.look(engine.digest, tool, source, maker).await.map_err(|error| {
            let diagnostic = match &error {
                CatalogError::Source { message, line, column, .. } => Diagnostic::at(*line, *column, message.clone()),
                other => Diagnostic::at(0, 0, other.to_string()),
            };
            Fault { problem: refused(&error), diagnostic }
        })
    }

    async fn bring_up(&self, candidate: &Candidate) -> Result<Box<dyn Subject>, Problem> {
        let Candidate { component, manifest, maker, .. } = candidate;
        let open = self.0.prepare(component, manifest, maker).await.map_err(|e| refused(&e))?;
        let closed = self.0.closed(&open, maker);
        Ok(Box::new(OnBench { catalog: self.0.clone(), open, closed }))
    }
}

/// A candidate, as it would be, and the same with nothing granted.
struct OnBench {
    catalog: Arc<Catalog>,
    open: Tool,
    closed: Tool,
}

#[async_trait]
impl Subject for OnBench {
    fn functions(&self) -> Vec<Described> {
        let functions = self.open.functions.iter().map(|found| found.function.clone());
        functions
            .map(|function| Described {
                name: function.name,
                input_schema: function.input_schema,
                output_schema: function.output_schema,
            })
            .collect()
    }

    fn limits(&self) -> &GrantLimits {
        self.open.identity.grant.limits()
    }

    async fn call(&self, function: &str, arguments: &str, reach: Reach) -> Answer {
        let tool = match reach {
            Reach::Granted => &self.open,
            Reach::Nowhere => &self.closed,
        };
        let Tried { result, micros, cpu_micros, memory_bytes } = self.catalog.try_call(tool, function, arguments).await;
        Answer { result: result.map_err(|error| unanswered(&error)), micros, cpu_micros, memory_bytes }
    }
}

/// Whose word an error is. A tool's own errors have their own codes, whatever the tool calls them.
fn unanswered(error: &Error) -> Unanswered {
    let said = problem(error);
    match said.kind {
        _ if said.code.starts_with(OWN_CODE) => Unanswered::Said(said.message),
        ProblemKind::Unavailable => Unanswered::Unavailable(said.message),
        _ => Unanswered::Ended(said.message),
    }
}

#[async_trait]
impl Loader for Bench {
    async fn load(&self, reference: &str) -> Result<Standing, Problem> {
        let snapshot = self.0.refresh().await.map_err(|e| refused(&e))?;
        if snapshot.tool(reference).is_some() {
            return Ok(Standing::Callable);
        }
        if snapshot.waiting.iter().any(|w| w.component == reference) {
            return Ok(Standing::Waiting);
        }
        let refused = snapshot.refused.iter().find(|r| r.component == reference);
        let (code, reason) = refused.map_or(("tool.unknown", "it is not installed"), |r| (r.code, r.reason.as_str()));
        Err(Problem::new(ProblemKind::Failed, code, format!("{reference} was not loaded: {reason}"), ""))
    }
}

fn refused(error: &CatalogError) -> Problem {
    Problem::new(ProblemKind::Failed, error.code(), error, "")
}

#[async_trait]
impl Forging for Forge {
    async fn build(&self, maker: &Caller, request: wit::Request) -> Result<wit::Outcome, Error> {
        let request = Request::from(request);
        let outcome = Forge::build(self, &maker.identity.grant, &request).await?;
        Ok(outcome.into())
    }
}
