//! Whoever listens to spans as they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::message::Ended;

/// Spans that a listener may be behind; older ones it misses.
const BEHIND_MAX: usize = 1024;

/// All that listen.
pub(super) struct Listeners {
    ended: broadcast::Sender<Arc<Ended>>,
    count: Arc<AtomicUsize>,
}

impl Listeners {
    pub fn new() -> Self {
        Self { ended: broadcast::channel(BEHIND_MAX).0, count: Arc::default() }
    }

    pub fn are_there(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    pub fn tell(&self, span: Ended) {
        // An error: the last one has gone this moment.
        let _ = self.ended.send(Arc::new(span));
    }

    pub fn join(&self) -> Listener {
        self.count.fetch_add(1, Ordering::Relaxed);
        Listener { ended: self.ended.subscribe(), _place: Place(self.count.clone()) }
    }
}

/// One that listens, until it is dropped.
pub struct Listener {
    ended: broadcast::Receiver<Arc<Ended>>,
    _place: Place,
}

struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum Told {
    /// A span that has ended.
    Span(Arc<Ended>),
    /// So many were missed, because this listener was too slow.
    Missed(u64),
}

impl Listener {
    /// The next one; none when the host ends. Nothing is lost where this is given up before it is done.
    pub async fn next(&mut self) -> Option<Told> {
        match self.ended.recv().await {
            Ok(span) => Some(Told::Span(span)),
            Err(RecvError::Lagged(missed)) => Some(Told::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
