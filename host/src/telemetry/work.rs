//! The work at hand: who does what, for which trace. Log lines carry it, and what is asked below it goes on with its trace.

use std::sync::Arc;

tokio::task_local! {
    static WORK: Work;
}

/// The work that a task is doing. It goes with the task through every wait; a task that is spawned begins without.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// The span that it belongs to.
    pub traceparent: Option<Arc<str>>,
    /// The agent, `name@version`.
    pub agent: Option<Arc<str>>,
    /// The run of an agent in task mode.
    pub run: Option<Arc<str>>,
    /// The tool, as it was called.
    pub tool: Option<Arc<str>>,
    /// The client that asked.
    pub client: Option<Arc<str>>,
}

impl Work {
    /// The work at hand; nothing where there is none.
    pub fn current() -> Self {
        WORK.try_with(Clone::clone).unwrap_or_default()
    }

    /// The trace of the work at hand.
    pub fn current_trace() -> Option<Arc<str>> {
        WORK.try_with(|work| work.traceparent.clone()).ok().flatten()
    }

    /// Looks at the work at hand, where there is any.
    pub(super) fn look(look: impl FnOnce(&Self)) {
        // No work is as good as work without a name.
        let _ = WORK.try_with(look);
    }

    /// Does something as this work.
    pub async fn scope<F: Future>(self, doing: F) -> F::Output {
        WORK.scope(self, doing).await
    }
}
