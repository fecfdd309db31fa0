//! Attends to a member while its worker is busy.
//!
//! An agent may take longer for a round than `max.poll.interval.ms`. That is no reason to take it for dead: how long it
//! may take is a limit of the agent. So the member is polled here too, and what the interval notices is a host whose
//! own tasks don't run any more.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::group::{Member, retire};

/// Ends with this value.
pub(super) struct Attendant(JoinHandle<()>);

impl Attendant {
    /// Attends whenever `attention` is notified, and at least `every` so often.
    pub(super) fn start(member: &Arc<Member>, attention: Arc<Notify>, every: Duration) -> Self {
        Self(tokio::spawn(attend(Arc::downgrade(member), attention, every)))
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn attend(member: Weak<Member>, attention: Arc<Notify>, every: Duration) {
    loop {
        // Both ends of the wait are a reason to look.
        let _ = tokio::time::timeout(every, attention.notified()).await;
        let Some(member) = member.upgrade() else { return };
        member.attend();
        // The worker may have gone meanwhile, and dropping a member blocks.
        if let Some(last) = Arc::into_inner(member) {
            retire(last);
            return;
        }
    }
}
