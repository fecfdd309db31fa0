//! What travels with a call: from a record to the agent, to the tools it calls, to the tools those call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::errors;
use super::guest::Identity;
use crate::permissions::LimitName;
use crate::runtime::bindings::errors::Error;

/// Most tool calls that are under way at once below one record or one request. The pool of instances is everybody's:
/// without it, tools that call tools sixteen at a time would fill it in three levels.
pub const CALLS_UNDER_WAY_MAX: u32 = 64;

/// Depth, deadline and trace of a call.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// How many more levels of tools may be called below this one.
    pub depth_left: u32,
    /// When the answer must be there.
    pub deadline: Instant,
    /// W3C trace context of the record or the request that this work belongs to.
    pub traceparent: Arc<str>,
    /// What standing clocks show, milliseconds since 1970; none: the moment at which the call begins.
    pub clock_ms: Option<u64>,
    depth_by: Option<Arc<Identity>>,
    deadline_by: Option<Arc<Identity>>,
    under_way: Arc<AtomicU32>,
    /// What whoever is asked by this work may know it by, if it is asked the same again; none where work is not
    /// repeatable.
    pub idempotency_key: Option<Arc<str>>,
}

/// One call below a record or a request, counted as long as it lives.
pub struct UnderWay(Arc<AtomicU32>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl CallContext {
    /// Work begins, with the limits of whoever does it.
    pub fn begin(identity: &Arc<Identity>, traceparent: Arc<str>) -> Self {
        let limits = identity.grant.limits();
        Self {
            depth_left: limits.call_depth(),
            deadline: Instant::now() + limits.deadline(),
            traceparent,
            clock_ms: None,
            depth_by: Some(identity.clone()),
            deadline_by: Some(identity.clone()),
            under_way: Arc::default(),
            idempotency_key: None,
        }
    }

    /// The same for work that goes on, with pauses, until `end`.
    pub fn until(self, end: Instant) -> Self {
        Self { deadline: end, ..self }
    }

    /// One call of this work: repeatable under this key, with an answer by `deadline`.
    pub fn asking(&self, key: Option<Arc<str>>, deadline: Instant) -> Self {
        Self { idempotency_key: key, deadline, ..self.clone() }
    }

    /// A call that the host makes for itself, until `deadline`; nothing may be called from it.
    pub fn closed(deadline: Instant, traceparent: Arc<str>) -> Self {
        Self {
            depth_left: 0,
            deadline,
            traceparent,
            clock_ms: None,
            depth_by: None,
            deadline_by: None,
            under_way: Arc::default(),
            idempotency_key: None,
        }
    }

    /// The context of a call of `callee` below this one: no limit becomes wider on the way down.
    pub fn below(&self, callee: &Arc<Identity>) -> Self {
        let limits = callee.grant.limits();
        let mut below = Self { depth_left: self.depth_left.saturating_sub(1), ..self.clone() };
        if limits.call_depth() < below.depth_left {
            (below.depth_left, below.depth_by) = (limits.call_depth(), Some(callee.clone()));
        }
        let own = Instant::now() + limits.deadline();
        if own < self.deadline {
            (below.deadline, below.deadline_by) = (own, Some(callee.clone()));
        }
        below
    }

    /// Enters one more call, where depth and number allow it.
    ///
    /// # Errors
    /// `limit` with the limit that says no, its value and who set it.
    pub fn enter(&self, caller: &Identity) -> Result<UnderWay, Error> {
        if self.depth_left == 0 {
            let limit = text(self.depth_by.as_deref(), LimitName::CallDepth);
            return Err(errors::limit(
                "tool.depth",
                format!("{} may not call tools any deeper{limit}", caller.component),
                "call fewer tools from tools, or raise call_depth where it is set",
            ));
        }
        // A host busy with a bomb of calls would otherwise start each of them, to stop it a moment later.
        if Instant::now() >= self.deadline {
            let limit = self.deadline_limit().map(|limit| format!(": {limit}")).unwrap_or_default();
            return Err(errors::limit(
                "tool.deadline",
                format!("{} may not call another tool after its deadline{limit}", caller.component),
                "let it do less at once, or raise the limit where it is set",
            ));
        }
        let entered = UnderWay(self.under_way.clone());
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= CALLS_UNDER_WAY_MAX {
            return Err(errors::limit(
                "tool.under-way",
                format!(
                    "{} may not call another tool: {CALLS_UNDER_WAY_MAX} calls below the same record or request are \
                     under way, which is the most",
                    caller.component
                ),
                "call fewer tools at once",
            ));
        }
        Ok(entered)
    }

    /// True where the deadline is one of a component's own limits, and not of whoever called it.
    pub fn has_deadline_of(&self, identity: &Identity) -> bool {
        self.deadline_by.as_deref().is_some_and(|by| by.component == identity.component)
    }

    /// The limit that set the deadline, with its value and origin; none for a call that the host makes for itself.
    pub fn deadline_limit(&self) -> Option<String> {
        let by = self.deadline_by.as_deref()?;
        Some(format!("{} of {}", by.grant.limits().get(LimitName::DeadlineMs), by.component))
    }
}

fn text(by: Option<&Identity>, limit: LimitName) -> String {
    by.map(|by| format!(": {} of {}", by.grant.limits().get(limit), by.component)).unwrap_or_default()
}
