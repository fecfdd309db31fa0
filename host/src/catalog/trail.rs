//! What was decided about components, for the audit trail: each change once.

use std::collections::BTreeMap;

use super::snapshot::Snapshot;
use crate::store::AuditEntry;

/// Who decides about components.
const PRINCIPAL: &str = "host";

/// What was decided last, by component and digest.
#[derive(Default)]
pub(super) struct Trail {
    known: BTreeMap<String, Decided>,
}

/// One decision, as the trail has it.
#[derive(Clone, PartialEq, Eq)]
struct Decided {
    decision: &'static str,
    /// What makes two decisions different ones.
    about: String,
    detail: String,
}

impl Trail {
    /// What is decided otherwise than the last time.
    pub fn changes(&mut self, snapshot: &Snapshot) -> Vec<AuditEntry> {
        let now = decided(snapshot);
        let gone = self.known.keys().filter(|component| !now.contains_key(*component));
        let gone = gone.map(|component| AuditEntry::now(PRINCIPAL, format!("unload {component}"), "allowed", ""));
        let is_new = |component: &str, decided: &Decided| {
            let known = self.known.get(component);
            known.is_none_or(|known| (known.decision, &known.about) != (decided.decision, &decided.about))
        };
        let new = now.iter().filter(|(component, decided)| is_new(component, decided));
        let entry = |(component, decided): (&String, &Decided)| {
            AuditEntry::now(PRINCIPAL, format!("load {component}"), decided.decision, decided.detail.as_str())
        };
        let entries = gone.chain(new.map(entry)).collect();
        self.known = now;
        entries
    }
}

fn decided(snapshot: &Snapshot) -> BTreeMap<String, Decided> {
    let tools = snapshot.tools.values().flat_map(BTreeMap::values).map(|tool| &tool.identity);
    let agents = snapshot.agents.values().map(|agent| &agent.identity);
    let loaded = tools.chain(agents).map(|identity| {
        let detail = format!("component {}", identity.digest);
        (identity.component.to_string(), Decided { decision: "allowed", about: detail.clone(), detail })
    });
    let waiting = snapshot.waiting.iter().map(|waiting| {
        let columns = waiting.privileged.join(", ");
        let detail = format!("component {} waits for an admin: {columns}", waiting.digest);
        (waiting.component.clone(), Decided { decision: "denied", about: detail.clone(), detail })
    });
    let refused = snapshot.refused.iter().map(|refused| {
        let detail = format!("{}: {}", refused.code, refused.reason);
        (refused.component.clone(), Decided { decision: "denied", about: refused.code.to_owned(), detail })
    });
    loaded.chain(waiting).chain(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Refused;
    use super::*;

    fn refused(code: &'static str, reason: &str) -> Snapshot {
        let refused = vec![Refused { component: "a@1.0.0".into(), code, reason: reason.into() }];
        Snapshot { refused, ..Snapshot::default() }
    }

    #[test]
    fn a_decision_is_told_once_until_it_is_another() {
        let mut trail = Trail::default();
        let mut told = |snapshot: &Snapshot| -> Vec<String> {
            let entries = trail.changes(snapshot);
            entries.iter().map(|entry| format!("{} {} {}", entry.action, entry.decision, entry.detail)).collect()
        };
        assert_eq!(told(&refused("x.y", "why")), ["load a@1.0.0 denied x.y: why"]);
        assert!(told(&refused("x.y", "why, in other words")).is_empty());
        assert_eq!(told(&refused("x.z", "why")), ["load a@1.0.0 denied x.z: why"]);
        assert_eq!(told(&Snapshot::default()), ["unload a@1.0.0 allowed "]);
        assert!(told(&Snapshot::default()).is_empty());
    }
}
