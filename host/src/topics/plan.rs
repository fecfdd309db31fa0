//! From what is declared and what there is to the steps between them. A decision without any doing.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::declared::DeclaredTopic;
use super::differ;
use super::readers::Reader;
use crate::streams::{TopicChange, TopicShape};

/// What has to be done, and what can't be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// Names exactly these steps: 12 hexadecimal digits.
    pub id: String,
    /// In this order.
    pub steps: Vec<Step>,
    /// What is declared and can't be reached by any step. Nothing is applied before it is declared otherwise.
    pub blocked: Vec<Blocked>,
    /// What is worth knowing and needs no step.
    pub notes: Vec<Note>,
    /// Topics that are there and not declared. They stay as they are.
    pub undeclared: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// What is changed.
    #[serde(flatten)]
    pub change: TopicChange,
    /// The same for a person.
    pub text: String,
    /// What it may cost; it is only done for who has said to take that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

/// What a step may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Risk {
    /// Kind.
    pub kind: RiskKind,
    /// For a person.
    pub text: String,
}

/// Kinds of what a step may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RiskKind {
    /// Keys go to other partitions than the state that an agent keeps for them.
    MoveKeys,
    /// Records go that are there now.
    LoseRecords,
}

impl RiskKind {
    /// What one says to take it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::MoveKeys => "--move-keys",
            Self::LoseRecords => "--lose-records",
        }
    }
}

/// A declaration that no step reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Blocked {
    /// Topic.
    pub topic: String,
    /// Why.
    pub reason: String,
    /// What to do.
    pub next: String,
}

/// Something worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Note {
    /// Topic.
    pub topic: String,
    /// For a person.
    pub text: String,
}

/// Why a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another plan was shown.
    #[error("the steps are not those of plan {shown} any more: topics or their declaration have changed")]
    Changed {
        /// What was shown.
        shown: String,
    },
    /// Something declared can't be reached.
    #[error("topic `{topic}`: {reason}", topic = .0.topic, reason = .0.reason)]
    Blocked(Blocked),
    /// A step costs something that nobody has said to take.
    #[error("{}: {}", .0.text, .1.text)]
    Risky(Box<Step>, Risk),
}

/// The steps that lead from `actual` to `declared`. `keeps_one_copy`: see [`crate::streams::Streams::keeps_one_copy`].
pub fn plan(declared: &[DeclaredTopic], actual: &[TopicShape], readers: &[Reader], keeps_one_copy: bool) -> Plan {
    let mut plan = Plan { id: String::new(), steps: vec![], blocked: vec![], notes: vec![], undeclared: vec![] };
    for topic in declared {
        match actual.iter().find(|shape| shape.spec.name == topic.name) {
            None => differ::missing(&mut plan, topic, keeps_one_copy),
            Some(found) => differ::present(&mut plan, topic, found, readers, keeps_one_copy),
        }
    }
    let is_declared = |name: &str| declared.iter().any(|topic| topic.name == name);
    plan.undeclared = actual.iter().map(|shape| shape.spec.name.clone()).filter(|name| !is_declared(name)).collect();
    plan.id = id(&plan.steps);
    plan
}

impl Plan {
    /// True where it may be applied: it is what was shown, everything declared can be reached, and what its steps may
    /// cost is taken.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn check(&self, shown: &str, taken: &[RiskKind]) -> Result<(), Refusal> {
        if self.id != shown {
            return Err(Refusal::Changed { shown: shown.to_owned() });
        }
        if let Some(blocked) = self.blocked.first() {
            return Err(Refusal::Blocked(blocked.clone()));
        }
        for step in &self.steps {
            if let Some(risk) = step.risk.as_ref().filter(|risk| !taken.contains(&risk.kind)) {
                return Err(Refusal::Risky(Box::new(step.clone()), risk.clone()));
            }
        }
        Ok(())
    }
}

/// Everything that will be done, and nothing else, decides it.
fn id(steps: &[Step]) -> String {
    let mut digest = Sha256::new();
    for step in steps {
        // A change always has a JSON form; an empty one would only make two plans look alike.
        digest.update(serde_json::to_vec(&step.change).unwrap_or_default());
        digest.update(b"\n");
    }
    hex::encode(digest.finalize())[..12].to_owned()
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
