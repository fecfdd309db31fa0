//! What goes from whom to where: the edges of the picture of topics, agents and tools.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

/// Most edges of a host; what would be one more is not counted.
const FLOWS_MAX: usize = 1_000;

/// What somebody does with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowKind {
    /// Records of a topic that it was given, and that are committed.
    Reads,
    /// Records that it has sent to a topic, dead letters too, and that are committed.
    Writes,
    /// Calls of a tool, failed ones too.
    Calls,
}

/// One edge: since the host started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FlowFigures {
    /// Who, as a principal: `agent:NAME`, `tool:NAME`, `client:NAME`.
    pub principal: String,
    /// What it does.
    pub kind: FlowKind,
    /// Name of the topic, or of the tool without version.
    pub name: String,
    /// Records or calls.
    pub count: u64,
}

/// What one piece of work moves, before it is known whether it counts.
#[derive(Debug, Default)]
pub struct Moved(BTreeMap<(FlowKind, String), u64>);

impl Moved {
    /// More records of a topic.
    pub fn add(&mut self, kind: FlowKind, name: &str, count: u64) {
        match self.0.get_mut(&(kind, name.to_owned())) {
            Some(known) => *known += count,
            None => drop(self.0.insert((kind, name.to_owned()), count)),
        }
    }
}

/// By principal, kind and name: found without making a key of them.
type Edges = HashMap<String, HashMap<FlowKind, HashMap<String, AtomicU64>>>;

/// All edges of a host.
#[derive(Debug, Default)]
pub struct Flows(RwLock<Edges>);

impl Flows {
    /// Counts more on one edge.
    pub fn add(&self, principal: &str, kind: FlowKind, name: &str, count: u64) {
        let edges = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = edges.get(principal).and_then(|kinds| kinds.get(&kind)?.get(name)) {
            counter.fetch_add(count, Ordering::Relaxed);
            return;
        }
        drop(edges);
        // Single inserts and removes: a poisoned lock is as good as any.
        let mut edges = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known: usize = edges.values().flat_map(HashMap::values).map(HashMap::len).sum();
        let counters = edges.entry(principal.to_owned()).or_default().entry(kind).or_default();
        if known < FLOWS_MAX || counters.contains_key(name) {
            counters.entry(name.to_owned()).or_default().fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Counts what was committed.
    pub fn moved(&self, principal: &str, moved: &Moved) {
        for ((kind, name), count) in &moved.0 {
            self.add(principal, *kind, name, *count);
        }
    }

    /// All edges, sorted.
    pub fn figures(&self) -> Vec<FlowFigures> {
        let edges = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for (principal, kinds) in &*edges {
            for (kind, names) in kinds {
                all.extend(names.iter().map(|(name, count)| FlowFigures {
                    principal: principal.clone(),
                    kind: *kind,
                    name: name.clone(),
                    count: count.load(Ordering::Relaxed),
                }));
            }
        }
        all.sort_by(|a, b| (&a.principal, a.kind, &a.name).cmp(&(&b.principal, b.kind, &b.name)));
        all
    }

    /// Forgets those that are not there any more.
    pub fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|principal, _| is_there(principal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_counts_all_that_went_over_it_and_only_what_was_committed() {
        let flows = Flows::default();
        let mut moved = Moved::default();
        moved.add(FlowKind::Writes, "out", 2);
        moved.add(FlowKind::Writes, "out", 3);
        assert!(flows.figures().is_empty());
        flows.moved("agent:a", &moved);
        flows.add("agent:a", FlowKind::Calls, "out", 1);
        let read = |f: FlowFigures| (f.kind, f.name, f.count);
        let all: Vec<_> = flows.figures().into_iter().map(read).collect();
        assert_eq!(all, [(FlowKind::Writes, "out".into(), 5), (FlowKind::Calls, "out".into(), 1)]);
        flows.keep(|principal| principal != "agent:a");
        assert!(flows.figures().is_empty());
    }

    #[test]
    fn there_are_never_more_edges_than_can_be_shown() {
        let flows = Flows::default();
        for number in 0..FLOWS_MAX + 5 {
            flows.add(&format!("agent:{}", number % 7), FlowKind::Writes, &number.to_string(), 1);
        }
        flows.add("agent:0", FlowKind::Writes, "0", 1);
        assert_eq!(flows.figures().len(), FLOWS_MAX);
        assert_eq!(flows.figures().iter().map(|flow| flow.count).max(), Some(2), "who was there before goes on");
    }
}
