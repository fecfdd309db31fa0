//! Shadow runs: work beside production, of which nothing leaves the host.
//!
//! What a guest asks of the outside is checked as ever and then goes no further: it is answered from a journal that knows
//! the same question, or refused. Either is noted, and so is what the grant denies, so that two versions can be compared
//! by what they would have done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::errors;
use super::services::Services;
use crate::runs::Answers;
use crate::runtime::bindings::errors::Error;

/// Most that is noted between two [`Shadow::take`].
const NOTED_MAX: usize = 100;
/// Most bytes of what was asked that are kept for people.
const SHOWN_MAX: usize = 512;
/// Code of the error for what nobody knows an answer to.
const REFUSED: &str = "shadow.refused";

/// Stands where the outside would be.
#[derive(Debug, Default)]
pub struct Shadow(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    answers: BTreeMap<String, VecDeque<String>>,
    asked: Vec<AskedOutside>,
}

/// Something that work in a shadow run asked of the outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AskedOutside {
    /// What it asked, for people.
    pub what: String,
    /// What came of it.
    pub came: Came,
}

/// What comes of a question to the outside in a shadow run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Came {
    /// Its grant doesn't allow it.
    Denied,
    /// It is allowed, and refused because nothing leaves.
    Refused,
    /// It is allowed, and the journal of the run at work had the answer.
    Journal,
}

impl Shadow {
    /// New work begins, with what a journal knows of it.
    pub fn begin(&self, answers: Answers) {
        *self.inner() = Inner { answers: answers.0, asked: Vec::new() };
    }

    /// What was asked since the work began, in order; the first hundred.
    pub fn take(&self) -> Vec<AskedOutside> {
        std::mem::take(&mut self.inner().asked)
    }

    /// Notes something.
    pub(super) fn note(&self, what: &str, came: Came) {
        let mut inner = self.inner();
        if inner.asked.len() < NOTED_MAX {
            let cut = &what[..what.floor_char_boundary(SHOWN_MAX)];
            let what = if cut.len() < what.len() { format!("{cut}…") } else { cut.to_owned() };
            inner.asked.push(AskedOutside { what, came });
        }
    }

    /// The answer of a journal to what is allowed and would go outside; none where it knows none.
    pub(super) fn answer<A: DeserializeOwned>(&self, kind: &str, request: &impl Serialize, shown: &str) -> Option<A> {
        let asked = serde_json::to_string(request).unwrap_or_default();
        let known = self.inner().answers.get_mut(&Answers::key(kind, &asked)).and_then(VecDeque::pop_front);
        let answer = known.and_then(|answer| serde_json::from_str(&answer).ok());
        self.note(&format!("{kind}: {shown}"), if answer.is_some() { Came::Journal } else { Came::Refused });
        answer
    }

    /// What a call came to that could get no further than here.
    pub(super) fn settle<A: DeserializeOwned>(
        &self,
        kind: &str,
        request: &impl Serialize,
        shown: &str,
        came: Result<A, Error>,
    ) -> Result<A, Error> {
        match came {
            Err(Error::Unavailable(said)) if said.code == REFUSED => {
                self.answer(kind, request, shown).unwrap_or(Err(Error::Unavailable(said)))
            }
            // It was denied, which is noted, or wrong.
            came => came,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change of it is whole at any moment: a poisoned lock is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// The last thing that is asked before anything goes outside.
    ///
    /// # Errors
    /// `unavailable` in a shadow run.
    pub fn leave(&self) -> Result<(), Error> {
        if self.shadow.is_none() {
            return Ok(());
        }
        Err(errors::unavailable(REFUSED, "this is a shadow run: nothing leaves the host", "do without it, or end here"))
    }
}
