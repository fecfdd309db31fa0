//! What another matrix would change: decisions of the past, decided by both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::{Action, Attempt};
use super::decision::Decision;
use super::grant::Grant;
use super::principal::Principal;

/// What was tried, by whom, how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Who.
    pub principal: Principal,
    /// What.
    pub attempt: Attempt,
    /// How often.
    pub count: u64,
}

/// A decision that would be another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// Who.
    pub principal: String,
    /// What: what comes after "may".
    pub action: String,
    /// True where it is denied by the matrix in force and would be allowed; false where it is the other way round.
    pub would_be_allowed: bool,
    /// How often it was tried.
    pub count: u64,
    /// Why it would be denied, and what would allow it; empty where it would be allowed.
    pub reason: String,
}

/// Decides each once more by two grants, those of the matrix in force and those of the other one, and says where they
/// differ. Who has no grants is left out.
pub fn changes(tried: &[Tried], grants: &BTreeMap<Principal, (Grant, Grant)>) -> Vec<Change> {
    let change = |tried: &Tried| {
        let (now, then) = grants.get(&tried.principal)?;
        let (now, then) = (now.check(tried.attempt.action()), then.check(tried.attempt.action()));
        if now.is_allowed() == then.is_allowed() {
            return None;
        }
        let reason = match &then {
            Decision::Allowed { .. } => String::new(),
            Decision::Denied(denial) => denial.to_string(),
        };
        Some(Change {
            principal: tried.principal.to_string(),
            action: tried.attempt.action().to_string(),
            would_be_allowed: then.is_allowed(),
            count: tried.count,
            reason,
        })
    };
    tried.iter().filter_map(change).collect()
}

/// The action that a row of the audit trail is about; none where no column of the matrix decides about it.
pub fn attempt_of(action: &str, decision: &str) -> Option<Attempt> {
    if decision == "denied" {
        return Action::of_text(action).map(Attempt::from);
    }
    // `call TOOL FUNCTION`, with a version or without.
    let (tool, _function) = action.strip_prefix("call ")?.split_once(' ')?;
    Some(Action::ToolCall(tool).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn only_what_would_be_another_decision_is_a_change() {
        let old = Matrix::parse("[[row]]\nprincipal = 'agent:a'\ntopics.write = ['out']\n").unwrap();
        let new = Matrix::parse("[[row]]\nprincipal = 'agent:a'\ntools = ['t']\n").unwrap();
        let a = Principal::agent("a");
        let grant = |matrix: &Matrix| matrix.grant(&a, None, None, None);
        let grants = BTreeMap::from([(a.clone(), (grant(&old), grant(&new)))]);
        let tried = |action: Action<'_>, count| Tried { principal: a.clone(), attempt: action.into(), count };
        let all = [
            tried(Action::TopicWrite("out"), 3),
            tried(Action::ToolCall("t"), 4),
            tried(Action::ToolCall("never"), 5),
            Tried { principal: Principal::agent("b"), ..tried(Action::ToolCall("t"), 6) },
        ];
        let changes = changes(&all, &grants);
        let seen: Vec<_> = changes.iter().map(|c| (c.action.as_str(), c.would_be_allowed, c.count)).collect();
        assert_eq!(seen, [("write topic out", false, 3), ("call tool t", true, 4)]);
        assert!(changes[0].reason.contains("may not write topic out"), "{}", changes[0].reason);
    }

    #[test]
    fn rows_of_the_trail_say_what_was_tried() {
        let tool = |name| Some(Attempt::from(Action::ToolCall(name)));
        assert_eq!(attempt_of("call tool x", "denied"), tool("x"));
        assert_eq!(attempt_of("call x count", "allowed"), tool("x"));
        assert_eq!(attempt_of("call x@1.0.0 count", "failed"), tool("x@1.0.0"));
        assert_eq!(attempt_of("call tool count", "allowed"), tool("tool"), "a tool of this name");
        for nobodys in ["load x@1.0.0", "forge a.b", "approve x", "", "call x"] {
            assert_eq!(attempt_of(nobodys, "allowed"), None, "{nobodys}");
            assert_eq!(attempt_of(nobodys, "denied"), None, "{nobodys}");
        }
    }
}
