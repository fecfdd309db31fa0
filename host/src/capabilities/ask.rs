//! Asking: the one way of a capability to something that costs, or that may answer otherwise next time.
//!
//! Where work can be repeated the journal answers what it knows, and writes down what it doesn't. Everywhere else a call is
//! just made; below repeatable work it still has a key of its own.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors;
use super::guest::Guest;
use crate::runs::Slot;
use crate::runtime::bindings::errors::Error;

/// What a call is made with.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    /// What the other side may know a repeated call by.
    pub key: Option<Arc<str>>,
    /// When the answer must be there.
    pub deadline: Instant,
}

/// A place in the order of a guest's calls.
pub(super) struct Place {
    slot: Option<Slot>,
    key: Option<Arc<str>>,
    deadline: Instant,
}

impl Guest {
    /// The next place. Taken before anything waits, so that the order is the guest's own.
    pub(super) fn place(&mut self) -> Place {
        let slot = self.journal().map(|journal| journal.reserve());
        let number = self.next_call();
        let key = self.context().idempotency_key.as_ref().map(|key| format!("{key}-{number}").into());
        Place { slot, key, deadline: self.call_deadline() }
    }

    /// Asks: `call` is made unless the journal knows the answer.
    pub(super) fn ask<'a, R, A, F, C>(
        &self,
        place: Place,
        kind: &'static str,
        request: &'a R,
        shown: String,
        call: C,
    ) -> impl Future<Output = Result<A, Error>> + Send + use<'a, R, A, F, C>
    where
        C: FnOnce(Terms) -> F + Send + 'a,
        R: Serialize + Sync,
        A: Serialize + DeserializeOwned + Send + 'a,
        F: Future<Output = Result<A, Error>> + Send + 'a,
    {
        let (journal, shadow) = (self.journal().cloned(), self.services().shadow.clone());
        async move {
            let Place { slot, key, deadline } = place;
            match (journal, slot) {
                (Some(journal), Some(slot)) => {
                    let call = |key| call(Terms { key: Some(key), deadline });
                    journal.ask(slot, kind, request, shown, is_passing, call).await
                }
                _ => {
                    let came = call(Terms { key, deadline }).await;
                    match shadow {
                        Some(shadow) => shadow.settle(kind, request, &shown, came),
                        None => came,
                    }
                }
            }
        }
    }

    /// Reads something that may be otherwise next time and that nobody outside notices.
    pub(super) fn reading<T: Serialize + DeserializeOwned>(
        &mut self,
        kind: &'static str,
        fresh: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let Some(journal) = self.journal().cloned() else { return fresh(self) };
        journal.read(kind, || fresh(self))
    }
}

/// Something outside did not answer, or too much was asked lately: it may answer later.
fn is_passing<A>(answer: &Result<A, Error>) -> bool {
    answer.as_ref().is_err_and(errors::is_passing)
}
