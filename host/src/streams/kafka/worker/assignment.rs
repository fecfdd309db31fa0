//! How a worker follows its group: what it gains and loses, and how it begins again.

use rdkafka::TopicPartitionList;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::KafkaWorker;
use crate::streams::StreamError;
use crate::streams::kafka::blocking;
use crate::streams::kafka::group::{Change, Place, Protocol, retire};
use crate::streams::kafka::owned::Owned;

impl KafkaWorker {
    /// Lets the group tell what it has decided, and follows it.
    pub(super) async fn serve_group(&mut self) -> Result<(), StreamError> {
        let member = self.member()?;
        member.attend();
        let news = member.take_news();
        drop(member);
        if news.is_dead {
            return self.join_again();
        }
        self.is_unsure |= news.has_stray;
        if let Some(error) = news.error {
            self.note(error);
        }
        self.changes.extend(news.changes);
        if self.changes.is_empty() {
            return Ok(());
        }
        // Whatever is under way ends first. Nothing below waits: who gives this call up has followed all or nothing.
        self.settle().await?;
        while let Some(change) = self.changes.pop_front() {
            match change {
                Change::Gained(places, identity) => {
                    if identity != self.identity {
                        self.take_identity(identity);
                    }
                    self.wait_for(places);
                }
                Change::Lost(places) => self.give_up(&places)?,
            }
        }
        Ok(())
    }

    /// Takes note of an error that the caller must know; what librdkafka repairs itself is only logged.
    pub(super) fn note(&mut self, error: KafkaError) {
        tracing::debug!(target: "wasmill::kafka", %error, group = self.membership.group, "consumer");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PollExceeded) {
            return; // The group has given our partitions away, and says so itself.
        }
        match self.clients.translate(&error, &self.membership.topics.join("`, `")) {
            error if error.is_transient() => {}
            error => self.failure = Some(error),
        }
    }

    /// Begins again from what the group has as committed.
    pub(super) async fn start_over(&mut self) -> Result<(), StreamError> {
        self.settle().await?;
        self.is_unsure = false;
        self.rest();
        Ok(())
    }

    /// Waits for a commit that is under way though nobody waits for it; none that has not begun happens any more.
    async fn settle(&mut self) -> Result<(), StreamError> {
        let seat = self.seat.clone();
        blocking(move || seat.settle()).await
    }

    /// Gives up what the group wants back, and tells it so.
    fn give_up(&mut self, places: &[Place]) -> Result<(), StreamError> {
        let member = self.member()?;
        let fetched = self.drop_places(places);
        if member.protocol() == Protocol::Cooperative {
            // Another member works on it from now on. In an eager group it may well come back at once.
            self.clear_shelf();
        }
        member.release(&fetched).map_err(|e| self.clients.translate(&e, ""))
    }

    /// The group knows us by another name: it has taken us for dead, and what it gave us before may have been someone
    /// else's meanwhile. What it does not want back is ours again.
    fn take_identity(&mut self, identity: String) {
        if !self.identity.is_empty() {
            tracing::info!(target: "wasmill::kafka", group = self.membership.group, "joined the group anew");
        }
        self.identity = identity;
        self.rest();
    }

    /// The consumer died.
    fn join_again(&mut self) -> Result<(), StreamError> {
        let all: Vec<Place> = self.owned.iter().map(|o| (o.topic.clone(), o.partition)).collect();
        self.drop_places(&all);
        self.waiting.clear();
        self.changes.clear();
        self.resting.clear();
        if let Some((member, attendant)) = self.member.take() {
            drop(attendant);
            retire(member);
        }
        self.member().map(drop)
    }

    /// Works on nothing until it is known anew where it stands.
    fn rest(&mut self) {
        for owned in std::mem::take(&mut self.owned) {
            let place = (owned.topic.clone(), owned.partition);
            self.shelve(owned.partition);
            self.lost.push(place.clone());
            self.waiting.insert(place, 0);
            self.resting.push(owned);
        }
        let all = self.waiting.keys().cloned().collect();
        self.wait_for(all);
    }

    fn wait_for(&mut self, places: Vec<Place>) {
        for place in places {
            self.gains += 1;
            self.waiting.insert(place, self.gains);
        }
        self.retry_at = None;
    }

    /// Forgets partitions; their state goes to the shelf. Returns those that were fetched.
    fn drop_places(&mut self, places: &[Place]) -> TopicPartitionList {
        let mut fetched = TopicPartitionList::new();
        for place in places {
            self.waiting.remove(place);
            let is_it = |owned: &Owned| owned.topic == place.0 && owned.partition == place.1;
            if let Some(index) = self.resting.iter().position(is_it) {
                fetched.add_partition(&place.0, self.resting.swap_remove(index).native_partition());
            }
            if let Some(index) = self.owned.iter().position(is_it) {
                fetched.add_partition(&place.0, self.owned.swap_remove(index).native_partition());
                self.lost.push(place.clone());
                self.shelve(place.1);
            }
        }
        fetched
    }

    fn shelve(&mut self, partition: u32) {
        self.due.remove(&partition);
        if let Some(store) = self.state.take(partition) {
            self.shelf.insert(partition, store);
        }
    }

    /// Drops what was kept for partitions that did not come back.
    pub(super) fn clear_shelf(&mut self) {
        self.shelf.clear();
    }
}
