//! Who listens to what. One reader tells, many listen, and nobody is waited for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::error::ConversationError;
use super::event::Event;
use super::place::Place;
use super::session::Session;
use crate::streams::partition_of;

/// Most events that wait for a listener.
const WAITING_MAX: usize = 256;
/// Most bytes of events that wait for a listener; one may exceed it.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// An event, and the place behind it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Behind it.
    pub place: Place,
    /// What was told.
    pub event: Arc<Event>,
}

/// What waits for one listener.
#[derive(Debug, Default)]
struct Waiting {
    events: AtomicUsize,
    bytes: AtomicUsize,
    was_slow: AtomicBool,
}

impl Waiting {
    /// Takes an event in, unless too much waits already.
    fn takes(&self, size: usize) -> bool {
        let (events, bytes) = (self.events.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        if events > 0 && (events >= WAITING_MAX || bytes + size > WAITING_BYTES_MAX) {
            self.was_slow.store(true, Ordering::Relaxed);
            return false;
        }
        self.events.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        true
    }

    fn gives(&self, size: usize) {
        self.events.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size, Ordering::Relaxed);
    }
}

/// The hub's end of a listener.
struct Mouth {
    id: u64,
    sender: UnboundedSender<Heard>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Inner {
    /// By partition: the offset of what is told next. Empty until it is known.
    next: Vec<u64>,
    mouths: HashMap<Box<str>, Vec<Mouth>>,
    ids: u64,
    listeners: u64,
    slow: u64,
    is_closed: bool,
}

/// All listeners of a host, by session.
#[derive(Default)]
pub struct Hub(Mutex<Inner>);

impl Hub {
    /// Nothing is left half-done where this is held: a poisoned lock is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More partitions are read, each from this offset on.
    pub fn begin(&self, next: Vec<u64>) {
        self.inner().next.extend(next);
    }

    /// Partitions that are read.
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.inner().next.len()).unwrap_or(u32::MAX)
    }

    /// What is told next of a partition.
    pub fn next(&self, partition: u32) -> u64 {
        self.inner().next.get(partition as usize).copied().unwrap_or_default()
    }

    /// Behind the last thing that was told of the partition of a session; none until it is known.
    pub fn end(&self, session: &Session) -> Option<Place> {
        place_of(&self.inner().next, session)
    }

    /// Tells events of a partition, and that all before `next` was told. Who is too far behind listens no longer.
    pub fn tell(&self, partition: u32, events: Vec<(u64, Event)>, next: u64) {
        let mut inner = self.inner();
        for (offset, event) in events {
            let (size, event) = (event.json.len(), Arc::new(event));
            let place = Place { partition, next: offset + 1 };
            let Some(mouths) = inner.mouths.get_mut(&event.session) else { continue };
            let before = mouths.len();
            mouths.retain(|mouth| {
                mouth.waiting.takes(size) && mouth.sender.send(Heard { place, event: event.clone() }).is_ok()
            });
            let gone = (before - mouths.len()) as u64;
            let is_empty = mouths.is_empty();
            inner.slow += gone;
            inner.listeners -= gone;
            if is_empty {
                inner.mouths.remove(&event.session);
            }
        }
        if let Some(known) = inner.next.get_mut(partition as usize) {
            *known = next;
        }
    }

    /// Listens to a session; none until it is known from where.
    pub fn subscribe(hub: &Arc<Self>, session: &Session) -> Option<Ear> {
        let mut inner = hub.inner();
        let from = place_of(&inner.next, session)?;
        if inner.is_closed {
            return None;
        }
        inner.ids += 1;
        inner.listeners += 1;
        let (id, waiting) = (inner.ids, Arc::new(Waiting::default()));
        let (sender, receiver) = unbounded_channel();
        let mouth = Mouth { id, sender, waiting: waiting.clone() };
        inner.mouths.entry(session.id().into()).or_default().push(mouth);
        let ends = inner.next.clone();
        drop(inner);
        Some(Ear { hub: hub.clone(), session: session.id().into(), id, from, ends, receiver, waiting })
    }

    /// Tells all listeners that nothing comes any more.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.is_closed = true;
        inner.listeners = 0;
        inner.mouths.clear();
    }

    /// How many listen, and how many were let go because they were too slow.
    pub fn counts(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.listeners, inner.slow)
    }

    fn leave(&self, session: &str, id: u64) {
        let mut inner = self.inner();
        let Some(mouths) = inner.mouths.get_mut(session) else { return };
        let before = mouths.len();
        mouths.retain(|mouth| mouth.id != id);
        let left = (before - mouths.len()) as u64;
        if mouths.is_empty() {
            inner.mouths.remove(session);
        }
        inner.listeners -= left;
    }
}

fn place_of(next: &[u64], session: &Session) -> Option<Place> {
    let partitions = u32::try_from(next.len()).ok().filter(|count| *count > 0)?;
    let partition = partition_of(session.id().as_bytes(), partitions);
    Some(Place { partition, next: *next.get(partition as usize)? })
}

/// A listener's end. Dropping it ends the listening.
pub struct Ear {
    hub: Arc<Hub>,
    session: Box<str>,
    id: u64,
    /// Where the session's partition was when it began.
    pub from: Place,
    /// By partition: the first offset that it hears.
    pub ends: Vec<u64>,
    receiver: UnboundedReceiver<Heard>,
    waiting: Arc<Waiting>,
}

impl Ear {
    /// The next event of the session. Nothing is lost where this is given up before it ends.
    ///
    /// # Errors
    /// Why there is none any more.
    pub async fn hear(&mut self) -> Result<Heard, ConversationError> {
        match self.receiver.recv().await {
            Some(heard) => {
                self.waiting.gives(heard.event.json.len());
                Ok(heard)
            }
            None if self.waiting.was_slow.load(Ordering::Relaxed) => Err(ConversationError::Slow),
            None => Err(ConversationError::Stopping),
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.hub.leave(&self.session, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Kind;
    use super::*;

    fn event(session: &Session, size: usize) -> Event {
        Event { session: session.id().into(), kind: Kind::Message, json: "x".repeat(size).into() }
    }

    fn session(name: &str) -> Session {
        Session::of("c", name).unwrap()
    }

    fn hub() -> Arc<Hub> {
        let hub = Arc::new(Hub::default());
        assert!(Hub::subscribe(&hub, &session("a")).is_none(), "nobody knows from where");
        hub.begin(vec![5]);
        hub
    }

    #[tokio::test]
    async fn each_hears_its_session_and_from_where_it_began() {
        let hub = hub();
        let (mut a, mut b) =
            (Hub::subscribe(&hub, &session("a")).unwrap(), Hub::subscribe(&hub, &session("b")).unwrap());
        assert_eq!(a.from, Place { partition: 0, next: 5 });
        hub.tell(0, vec![(5, event(&session("a"), 1)), (7, event(&session("b"), 2))], 9);
        assert_eq!(a.hear().await.unwrap().place, Place { partition: 0, next: 6 });
        assert_eq!(b.hear().await.unwrap().place, Place { partition: 0, next: 8 });
        assert_eq!(hub.end(&session("a")), Some(Place { partition: 0, next: 9 }));
        assert_eq!(hub.counts(), (2, 0));
        drop(a);
        assert_eq!(hub.counts(), (1, 0));
        hub.close();
        assert_eq!(b.hear().await.unwrap_err(), ConversationError::Stopping);
        assert!(Hub::subscribe(&hub, &session("a")).is_none());
        drop(b);
        assert_eq!(hub.counts(), (0, 0));
    }

    #[tokio::test]
    async fn who_is_too_far_behind_hears_what_waits_and_then_why_and_nobody_else_is_hurt() {
        for (size, fits) in [(1, WAITING_MAX), (WAITING_BYTES_MAX / 4, 4), (WAITING_BYTES_MAX + 1, 1)] {
            let hub = hub();
            let (a, b) = (session("a"), session("b"));
            let (mut slow, mut other) = (Hub::subscribe(&hub, &a).unwrap(), Hub::subscribe(&hub, &b).unwrap());
            for n in 0..=fits as u64 {
                hub.tell(0, vec![(n, event(&a, size)), (n, event(&b, size))], n + 1);
                other.hear().await.unwrap();
            }
            assert_eq!(hub.counts(), (1, 1), "{size}");
            for _ in 0..fits {
                slow.hear().await.unwrap();
            }
            assert_eq!(slow.hear().await.unwrap_err(), ConversationError::Slow);
            drop(slow);
            assert_eq!(hub.counts(), (1, 1));
        }
    }
}
