//! The forge on this host: candidates tried in the ordinary runtime, finished tools made callable by the catalog.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::capabilities::{Caller, Forging, problem};
use crate::catalog::{Catalog, CatalogError};
use crate::forge::{
    Answer, Candidate, Diagnostic, EngineFacts, Examiner, Example, Fault, Forge, Language, Loader, Problem,
    ProblemKind, Request, Standing, TryOut,
};
use crate::permissions::Grant;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::forge as wit;

/// Time that all examples of one request may take together.
const EXAMPLES_DEADLINE: Duration = Duration::from_secs(30);

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

    async fn try_out(&self, candidate: &Candidate, examples: &[Example]) -> Result<TryOut, Problem> {
        let began = Instant::now();
        let prepared = self.0.prepare(&candidate.component, &candidate.manifest, &candidate.maker).await;
        let tool = prepared.map_err(|e| refused(&e))?;
        let mut seen = TryOut::default();
        for example in examples {
            if began.elapsed() > EXAMPLES_DEADLINE {
                let message = format!("the examples take over {} s together", EXAMPLES_DEADLINE.as_secs());
                return Err(Problem::new(ProblemKind::Limit, "forge.examples", message, "Give fewer or smaller ones."));
            }
            let tried = self.0.try_call(&tool, &example.function, &example.arguments).await;
            seen.memory_bytes = seen.memory_bytes.max(tried.memory_bytes);
            let result = tried.result.map_err(|error| problem(&error).message);
            seen.answers.push(Answer { result, micros: tried.micros });
        }
        Ok(seen)
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
