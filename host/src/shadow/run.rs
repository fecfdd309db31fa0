//! A shadow run from its beginning to its report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmill_registry::Reference;

use super::report::{LAST_MAX, ShadowReport};
use super::{agent, tool};
use crate::capabilities::{Services, Shadow, ToolCalls};
use crate::catalog::{Catalog, Toolbox, Version};
use crate::problem::{Problem, ProblemKind};

/// How long one may take, loading included. What is under way then counts for neither version.
const TIME_MAX: Duration = Duration::from_secs(60);

/// What both versions work in.
pub(super) struct Scene {
    pub catalog: Arc<Catalog>,
    pub services: Arc<Services>,
    pub shadow: Arc<Shadow>,
    /// When it has to end.
    end: Instant,
    /// Lists tools for guests; the services only know of it.
    _tools: Arc<dyn ToolCalls>,
}

/// Gives the last `last` calls or records to the version that `reference` means and to the one before it.
///
/// # Errors
/// Where there is nothing to compare with, or to be given; where a version can't be loaded.
pub async fn shadow(catalog: &Arc<Catalog>, reference: &Reference, last: u32) -> Result<ShadowReport, Problem> {
    if !(1..=LAST_MAX).contains(&last) {
        let message = format!("a shadow run is of 1 to {LAST_MAX} calls or records, not of {last}");
        return Err(Problem::invalid("shadow.last", message, "Give another number."));
    }
    let scene = Scene::new(catalog.clone());
    let pair = catalog.pair(reference).await?;
    match (pair.current, pair.candidate) {
        (Version::Tool(current), Version::Tool(candidate)) => {
            tool::compare(&scene, &current, &candidate, &pair.examples, last).await
        }
        (Version::Agent(current), Version::Agent(candidate)) => agent::compare(&scene, current, candidate, last).await,
        // The version before is one of the same kind.
        _ => Err(Problem::new(ProblemKind::Failed, "shadow.kind", "the versions are of different kinds", "")),
    }
}

impl Scene {
    fn new(catalog: Arc<Catalog>) -> Self {
        let services = Arc::new(catalog.services().beside());
        let shadow = services.shadow.clone().unwrap_or_default();
        let tools: Arc<dyn ToolCalls> = Arc::new(Toolbox::beside(catalog.clone(), services.clone()));
        services.provide_tools(Arc::downgrade(&tools));
        Self { catalog, services, shadow, end: Instant::now() + TIME_MAX, _tools: tools }
    }

    /// Waits for work as long as there is time; none afterwards.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.end.into(), work).await.ok()
    }
}

/// Why a report is not of everything.
pub(super) fn out_of_time() -> Option<String> {
    Some(format!("it has taken {} s, the longest that it may take", TIME_MAX.as_secs()))
}
