//! From gained to worked on: offsets are asked for and state is restored beside the work on other partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::KafkaWorker;
use crate::streams::StreamError;
use crate::streams::kafka::blocking;
use crate::streams::kafka::clients::ANSWER_MAX;
use crate::streams::kafka::gain::{Gained, prepare};
use crate::streams::kafka::group::Place;
use crate::streams::kafka::owned::Owned;
use crate::streams::kafka::restore::Wanted;

/// Pause before what has failed is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// Partitions that are being prepared. What is dropped ends soon.
pub(super) struct Preparing {
    /// Each with the number of its gain.
    places: BTreeMap<Place, u64>,
    outcome: oneshot::Receiver<Result<Gained, StreamError>>,
    is_wanted: Arc<AtomicBool>,
}

/// Wakes the worker when it is dropped.
struct Waking(Arc<Notify>);

impl Drop for Waking {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.is_wanted.store(false, Ordering::Relaxed);
    }
}

impl KafkaWorker {
    /// Begins to prepare what waits, unless something is being prepared already.
    pub(super) fn prepare_waiting(&mut self) -> Result<(), StreamError> {
        let is_wanted = |p: &Preparing| p.places.iter().any(|(place, gain)| self.waiting.get(place) == Some(gain));
        if self.preparing.as_ref().is_some_and(|preparing| !is_wanted(preparing)) {
            self.preparing = None;
        }
        let must_wait = self.retry_at.is_some_and(|at| Instant::now() < at);
        // Thrown out while it was given something: the group will say what remains of it.
        let is_nobody = self.identity.is_empty();
        if self.preparing.is_some() || self.waiting.is_empty() || must_wait || is_nobody {
            return Ok(());
        }
        self.retry_at = None;
        let places = self.waiting.clone();
        let partitions: Vec<Place> = places.keys().cloned().collect();
        let state = self.state_topic.clone().map(|topic| {
            let ids: BTreeSet<u32> = partitions.iter().map(|(_, p)| *p).collect();
            Wanted { topic, stores: ids.into_iter().map(|p| (p, self.shelf.remove(&p))).collect() }
        });
        self.clear_shelf();
        let (clients, seat, member, wake) =
            (self.clients.clone(), self.seat.clone(), self.member()?, self.wake.clone());
        let is_wanted = Arc::new(AtomicBool::new(true));
        let goes_on = is_wanted.clone();
        let (sender, outcome) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            // The worker looks once when it is woken, so the outcome is there, or will never be, before it is.
            let _waking = Waking(wake);
            let sender = sender;
            // Nobody takes what is not wanted any more.
            let _ = sender.send(prepare(&clients, &seat, member, partitions, state, &goes_on));
        });
        self.preparing = Some(Preparing { places, outcome, is_wanted });
        Ok(())
    }

    /// Begins to work on what is prepared by now and still ours. Returns it.
    pub(super) async fn take_prepared(&mut self) -> Result<Vec<Place>, StreamError> {
        let outcome = match self.preparing.as_mut().map(|preparing| preparing.outcome.try_recv()) {
            None | Some(Err(TryRecvError::Empty)) => return Ok(Vec::new()),
            Some(Err(TryRecvError::Closed)) => Err(StreamError::Failed("partitions could not be prepared".to_owned())),
            Some(Ok(outcome)) => outcome,
        };
        let Some(preparing) = self.preparing.take() else { return Ok(Vec::new()) };
        match outcome {
            Ok(mut gained) => {
                gained.positions.retain(|(topic, partition, _)| {
                    let place = (topic.clone(), *partition);
                    let gain = preparing.places.get(&place);
                    gain.is_some() && gain == self.waiting.get(&place)
                });
                self.assign(gained).await
            }
            Err(error) if error.is_transient() => {
                let group = &self.membership.group;
                tracing::warn!(target: "wasmill::kafka", group, %error, "partitions wait; trying again");
                self.retry_at = Some(Instant::now() + AGAIN);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn assign(&mut self, gained: Gained) -> Result<Vec<Place>, StreamError> {
        if gained.positions.is_empty() {
            return Ok(Vec::new());
        }
        let member = self.member()?;
        let mut new = TopicPartitionList::new();
        let mut known = TopicPartitionList::new();
        let mut places = Vec::with_capacity(gained.positions.len());
        for (topic, partition, committed) in gained.positions {
            let rested = self.resting.iter().position(|o| o.topic == topic && o.partition == partition);
            let (owned, list) = match rested {
                Some(index) => (self.resting.swap_remove(index).restarted(committed), &mut known),
                None => (Owned::new(member.client(), topic, partition, committed, &self.wake)?, &mut new),
            };
            list.add_partition_offset(&owned.topic, owned.native_partition(), owned.start())
                .map_err(|e| self.clients.translate(&e, &owned.topic))?;
            let place = (owned.topic.clone(), owned.partition);
            self.waiting.remove(&place);
            places.push(place);
            self.owned.push(owned);
        }
        for (partition, store) in gained.stores {
            if self.owned.iter().any(|o| o.partition == partition) {
                self.state.insert(partition, store);
            }
        }
        if new.count() > 0 {
            member.assign(&new).map_err(|e| self.clients.translate(&e, ""))?;
        }
        if known.count() > 0 {
            // Stays so where this call is given up.
            self.is_unsure = true;
            let sought = blocking(move || member.consumer().seek_partitions(known, ANSWER_MAX)).await;
            let is_done = matches!(sought, Ok(Ok(answers)) if answers.elements().iter().all(|e| e.error().is_ok()));
            self.is_unsure = !is_done;
        }
        Ok(places)
    }
}
