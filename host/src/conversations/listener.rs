//! One who listens: what was missed comes from the log first, then what comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::error::ConversationError;
use super::event::Event;
use super::hub::{Ear, Heard};
use super::place::Place;
use super::session::Session;
use crate::problem::Problem;
use crate::streams::SharedStreams;

/// Most records of all sessions that are looked through for what a listener missed.
const MISSED_MAX: u64 = 100_000;
/// Records of one look.
const LOOK_RECORDS: usize = 256;
/// Bytes of events after which a look ends.
const LOOK_BYTES: usize = 1024 * 1024;

/// Where what was missed comes from.
pub struct Source {
    /// The log.
    pub streams: SharedStreams,
    /// The outbound topic.
    pub topic: String,
    /// Turns of those who look: each look takes one.
    pub turns: Arc<Semaphore>,
}

/// Records that were missed: `from` to `until` of a partition.
#[derive(Debug, PartialEq, Eq)]
struct Missed {
    from: u64,
    until: u64,
}

impl Missed {
    /// What lies between a place and where, by partition, the hearing begins; none where that is nothing.
    fn between(after: Place, ends: &[u64]) -> Result<Option<Self>, ConversationError> {
        let until = *ends.get(after.partition as usize).ok_or(ConversationError::Place)?;
        let behind = until.saturating_sub(after.next);
        if behind > MISSED_MAX {
            return Err(ConversationError::Gone { behind, limit: MISSED_MAX });
        }
        Ok((behind > 0).then_some(Self { from: after.next, until }))
    }
}

/// A listener of one session.
pub struct Listener {
    ear: Ear,
    source: Source,
    session: Session,
    /// What it has been told already.
    after: Place,
    missed: Option<Missed>,
    found: VecDeque<Heard>,
}

impl Listener {
    pub(super) fn new(ear: Ear, source: Source, session: Session, after: Option<Place>) -> Result<Self, Problem> {
        let Some(after) = after else {
            let after = ear.from;
            return Ok(Self { ear, source, session, after, missed: None, found: VecDeque::new() });
        };
        let missed = Missed::between(after, &ear.ends)?;
        Ok(Self { ear, source, session, after, missed, found: VecDeque::new() })
    }

    /// From where it listens.
    pub fn place(&self) -> Place {
        self.after
    }

    /// The next event. Nothing is lost where this is given up before it ends.
    ///
    /// # Errors
    /// Why there is none any more: `conversation.slow`, `conversation.stopping`, those of the log.
    pub async fn next(&mut self) -> Result<Heard, Problem> {
        loop {
            if let Some(heard) = self.found.pop_front() {
                return Ok(heard);
            }
            if !self.look().await? {
                break;
            }
        }
        loop {
            let heard = self.ear.hear().await?;
            // Another host may have told it before this one read it.
            let is_known = heard.place.partition == self.after.partition && heard.place.next <= self.after.next;
            if !is_known {
                return Ok(heard);
            }
        }
    }

    /// Looks once through what was missed; false where there is nothing more.
    async fn look(&mut self) -> Result<bool, Problem> {
        let Some(Missed { from, until }) = &mut self.missed else { return Ok(false) };
        let partition = self.after.partition;
        let batch = {
            // The semaphore is never closed; without a turn there would be no bound, so this waits for ever then.
            let Ok(_turn) = self.source.turns.acquire().await else { return std::future::pending().await };
            self.source.streams.read(&self.source.topic, partition, *from, LOOK_RECORDS, Duration::ZERO).await?
        };
        let mut bytes = 0;
        for (row, &offset) in batch.offsets.iter().enumerate() {
            if offset >= *until || bytes >= LOOK_BYTES {
                break;
            }
            *from = offset + 1;
            let event = Event::parse(batch.key(row), batch.value(row));
            if let Some(event) = event.filter(|event| *event.session == *self.session.id()) {
                bytes += event.json.len();
                self.found.push_back(Heard { place: Place { partition, next: offset + 1 }, event: Arc::new(event) });
            }
        }
        // The last offsets may belong to no record: then nothing comes.
        let is_done = batch.offsets.last().is_none_or(|last| *last + 1 >= *until && *from > *last);
        let is_past = batch.offsets.first().is_some_and(|first| *first >= *until);
        if is_done || is_past {
            self.missed = None;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_has_a_bound() {
        let between = |partition, next, end| Missed::between(Place { partition, next }, &[end]);
        assert_eq!(between(0, 3, 5), Ok(Some(Missed { from: 3, until: 5 })));
        assert_eq!(between(0, 5, 5), Ok(None));
        // Another host was further.
        assert_eq!(between(0, 9, 5), Ok(None));
        assert!(between(0, 0, MISSED_MAX).is_ok());
        assert_eq!(
            between(0, 0, MISSED_MAX + 1),
            Err(ConversationError::Gone { behind: MISSED_MAX + 1, limit: MISSED_MAX })
        );
        assert_eq!(between(1, 0, 5), Err(ConversationError::Place));
    }
}
