//! How a call into a guest ends, in words.

use crate::capabilities::{CallContext, Identity, errors};
use crate::problem::Problem;
use crate::runtime::bindings::errors::Error;
use crate::runtime::{LimitKind, RuntimeError, STACK_SIZE};

/// The error of a call that did not come back with an answer: names the component, and for a limit its value and the
/// row that set it.
pub fn end_of_call(identity: &Identity, context: &CallContext, error: &RuntimeError) -> Error {
    let component = &identity.component;
    match error {
        RuntimeError::Limit(limit) => {
            let message = match limit_text(identity, context, *limit) {
                Some(text) => format!("{component} {}: {text}", reached(*limit)),
                None => format!("{component} {}", reached(*limit)),
            };
            errors::limit(error.code(), message, "let it do less at once, or raise the limit where it is set")
        }
        RuntimeError::Trap(reason) => {
            errors::failed(error.code(), format!("{component} trapped: {}", first_line(reason)), "see its log lines")
        }
        RuntimeError::Busy(_) => errors::unavailable(
            error.code(),
            format!("{component} can't be started now: {error}"),
            "try again, or raise `limits.instances` in host.toml",
        ),
        other => errors::failed(other.code(), format!("{component}: {other}"), ""),
    }
}

/// True where a problem is a limit of time: of the caller, or of the tool. A tool's own errors never are.
pub fn is_about_time(problem: &Problem) -> bool {
    let ended_by = |limit| problem.message.contains(&reached(limit));
    match &*problem.code {
        "tool.deadline" => true,
        "guest.limit" => [LimitKind::Deadline, LimitKind::Compute].into_iter().any(ended_by),
        _ => false,
    }
}

fn reached(limit: LimitKind) -> String {
    format!("reached its {limit} limit")
}

fn limit_text(identity: &Identity, context: &CallContext, limit: LimitKind) -> Option<String> {
    match limit {
        // It may be the limit of whoever called.
        LimitKind::Deadline => context.deadline_limit(),
        LimitKind::Stack => Some(format!("{} KiB, the same for all components", STACK_SIZE / 1024)),
        _ => {
            let name = crate::permissions::LimitName::from_key(limit.field()?)?;
            Some(identity.grant.limits().get(name).to_string())
        }
    }
}

/// A trap's text has a backtrace; the reason is what an error needs, the rest is in the log.
fn first_line(text: &str) -> String {
    let reason = text.rsplit("wasm trap: ").next().unwrap_or(text);
    reason.lines().next().unwrap_or_default().to_owned()
}
