//! Which keys clients have used, and what was answered.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};

/// Most keys of one client.
const KEYS_MAX: usize = 1000;
/// Most bytes of answers that are kept for one client.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a key is remembered, from its first request on.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Tells one request from another.
pub(super) type Fingerprint = [u8; 32];

/// An answer as it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub kind: Option<HeaderValue>,
    pub body: Bytes,
}

/// What a request with a key is to get.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// Its work, done.
    Go,
    /// The answer of before.
    Again(Answer),
    /// Nothing yet: the first is under way.
    Busy,
    /// Nothing: it was done, and the answer isn't kept.
    Done,
    /// Nothing: the key was another request's.
    Other,
    /// Nothing: its client has too many keys.
    Full,
}

#[derive(Debug)]
enum State {
    Working,
    Done(Option<Answer>),
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    since: Instant,
    state: State,
}

/// All keys: by client, and by key. Clients are as many as there are tokens.
#[derive(Debug, Default)]
pub(super) struct Keys {
    clients: HashMap<String, HashMap<String, Entry>>,
}

impl Keys {
    /// Takes a key for a request, or says why not.
    pub fn begin(&mut self, client: &str, key: &str, fingerprint: Fingerprint, now: Instant) -> Ticket {
        let entries = self.clients.entry(client.to_owned()).or_default();
        // What is under way is known however long it takes.
        let is_old = |entry: &Entry| now.duration_since(entry.since) > KEPT;
        entries.retain(|_, entry| matches!(entry.state, State::Working) || !is_old(entry));
        match entries.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => Ticket::Other,
            Some(Entry { state: State::Working, .. }) => Ticket::Busy,
            Some(Entry { state: State::Done(None), .. }) => Ticket::Done,
            Some(Entry { state: State::Done(Some(answer)), .. }) => Ticket::Again(answer.clone()),
            None if entries.len() >= KEYS_MAX || bytes(entries) >= BYTES_MAX => Ticket::Full,
            None => {
                entries.insert(key.to_owned(), Entry { fingerprint, since: now, state: State::Working });
                Ticket::Go
            }
        }
    }

    /// Notes that the work is done, and its answer, where that is kept.
    pub fn finish(&mut self, client: &str, key: &str, answer: Option<Answer>) {
        if let Some(entry) = self.clients.get_mut(client).and_then(|entries| entries.get_mut(key)) {
            entry.state = State::Done(answer);
        }
    }

    /// Forgets a key whose work is not done.
    pub fn give_up(&mut self, client: &str, key: &str) {
        if let Some(entries) = self.clients.get_mut(client)
            && entries.get(key).is_some_and(|entry| matches!(entry.state, State::Working))
        {
            entries.remove(key);
        }
    }
}

fn bytes(entries: &HashMap<String, Entry>) -> usize {
    let of = |entry: &Entry| match &entry.state {
        State::Done(Some(answer)) => answer.body.len(),
        State::Done(None) | State::Working => 0,
    };
    entries.values().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Fingerprint = [1; 32];
    const TWO: Fingerprint = [2; 32];

    fn answer(bytes: usize) -> Answer {
        Answer { status: StatusCode::OK, kind: None, body: vec![b'x'; bytes].into() }
    }

    #[test]
    fn the_same_request_is_done_once() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        assert_eq!(keys.begin("a", "k", ONE, now), Ticket::Go);
        assert_eq!(keys.begin("a", "k", ONE, now), Ticket::Busy);
        assert_eq!(keys.begin("a", "k", TWO, now), Ticket::Other);
        assert_eq!(keys.begin("b", "k", ONE, now), Ticket::Go, "another client's key is another key");
        keys.finish("a", "k", Some(answer(1)));
        keys.give_up("a", "k");
        assert_eq!(keys.begin("a", "k", ONE, now), Ticket::Again(answer(1)));
        assert_eq!(keys.begin("a", "k", TWO, now), Ticket::Other);
        keys.finish("b", "k", None);
        assert_eq!(keys.begin("b", "k", ONE, now), Ticket::Done);
    }

    #[test]
    fn what_was_not_done_may_be_tried_again() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        assert_eq!(keys.begin("a", "k", ONE, now), Ticket::Go);
        keys.give_up("a", "k");
        assert_eq!(keys.begin("a", "k", TWO, now), Ticket::Go);
    }

    #[test]
    fn a_key_is_forgotten_after_its_time_unless_its_work_is_under_way() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        for key in ["done", "working"] {
            assert_eq!(keys.begin("a", key, ONE, now), Ticket::Go);
        }
        keys.finish("a", "done", Some(answer(1)));
        let later = now + KEPT + Duration::from_secs(1);
        assert_eq!(keys.begin("a", "working", ONE, later), Ticket::Busy);
        assert_eq!(keys.begin("a", "done", TWO, later), Ticket::Go);
    }

    #[test]
    fn a_client_has_so_many_keys_and_answers_and_takes_none_from_others() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        for key in 0..KEYS_MAX {
            assert_eq!(keys.begin("a", &key.to_string(), ONE, now), Ticket::Go);
        }
        assert_eq!(keys.begin("a", "more", ONE, now), Ticket::Full);
        assert_eq!(keys.begin("b", "large", ONE, now), Ticket::Go);
        keys.finish("b", "large", Some(answer(BYTES_MAX)));
        assert_eq!(keys.begin("b", "more", ONE, now), Ticket::Full);
        assert_eq!(keys.begin("c", "more", ONE, now), Ticket::Go);
    }
}
