//! A policy outside of the matrix, which may say no to what the matrix allows, and never yes to anything.
//!
//! It is asked when all layers of a grant have allowed something. What it says is remembered, since the same question
//! always has the same answer: a policy sees nothing but the question. Where it can't be asked, nothing is allowed.

mod memory;
mod question;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::action::Action;
use super::decision::Layer;
use memory::{Answer, Memory};
pub(super) use question::Holder;

/// Most reasons that a denial names.
const REASONS_MAX: usize = 8;
/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 256;

/// Whoever can ask a policy.
pub trait Judge: Send + Sync {
    /// Why the policy denies what the question, a JSON object, is about; empty where it doesn't. Comes back within a second.
    ///
    /// # Errors
    /// Why there is no answer.
    fn judge(&self, question: &str) -> Result<Vec<String>, String>;
}

/// A policy that can't be asked at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Stable identifier of the reason.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

/// The policy in force. Immutable, but for what it remembers.
pub struct Veto {
    revision: Arc<str>,
    state: State,
    memory: Memory,
}

enum State {
    Asked(Arc<dyn Judge>),
    Broken(Broken),
}

/// What is known of the policy outside of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VetoStatus {
    /// Revision: another one where the policy, or what is wrong with it, is another.
    pub revision: String,
    /// Why it can't be asked, so that nothing is allowed; none where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

impl Veto {
    /// A policy that can be asked; `text` is what makes it another one.
    pub fn asked(text: &str, judge: Arc<dyn Judge>) -> Self {
        Self { revision: revision(text), state: State::Asked(judge), memory: Memory::default() }
    }

    /// One that can't be asked, so that it denies everything.
    pub fn broken(broken: Broken) -> Self {
        let revision = revision(&format!("{} {}", broken.code, broken.reason));
        Self { revision, state: State::Broken(broken), memory: Memory::default() }
    }

    /// First 12 hexadecimal digits of a SHA-256.
    pub fn revision(&self) -> &Arc<str> {
        &self.revision
    }

    /// What is known of it.
    pub fn status(&self) -> VetoStatus {
        let broken = match &self.state {
            State::Asked(_) => None,
            State::Broken(broken) => Some(format!("{}: {}", broken.code, broken.reason)),
        };
        VetoStatus { revision: self.revision.to_string(), broken }
    }

    /// What it has against an action that the row on `line` allows; none where it has nothing.
    pub(super) fn against(&self, holder: &Holder, action: Action<'_>, line: u32) -> Option<Layer> {
        let judge = match &self.state {
            State::Asked(judge) => judge,
            State::Broken(Broken { code, reason }) => return Some(Layer::Unjudged { code, reason: reason.clone() }),
        };
        let thing = question::thing(action);
        if let Some(answer) = self.memory.get(holder.id(), action.column(), &thing) {
            return layer(answer);
        }
        let answer = match judge.judge(&holder.question(action, line)) {
            Ok(reasons) if reasons.is_empty() => Answer::Nothing,
            Ok(reasons) => Answer::Against(told(&reasons).into()),
            Err(reason) => {
                let principal = holder.principal();
                tracing::error!(code = "veto.failed", %principal, "the policy can't say whether it may {action}: {reason}");
                Answer::Unknown(reason.into())
            }
        };
        self.memory.keep(holder.id(), action.column(), &thing, answer.clone());
        layer(answer)
    }
}

impl std::fmt::Debug for Veto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Veto").field("status", &self.status()).finish_non_exhaustive()
    }
}

fn layer(answer: Answer) -> Option<Layer> {
    match answer {
        Answer::Nothing => None,
        Answer::Against(reasons) => Some(Layer::Veto { reasons: reasons.to_vec() }),
        Answer::Unknown(reason) => Some(Layer::Unjudged { code: "veto.failed", reason: reason.to_string() }),
    }
}

/// The first reasons, on one line each.
fn told(reasons: &[String]) -> Vec<String> {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let one = |reason: &String| reason.chars().take(REASON_CHARS_MAX).map(plain).collect();
    reasons.iter().take(REASONS_MAX).map(one).collect()
}

fn revision(text: &str) -> Arc<str> {
    hex::encode(Sha256::digest(text.as_bytes()))[..12].into()
}

#[cfg(test)]
mod tests;
