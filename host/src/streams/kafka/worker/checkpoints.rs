//! When a worker writes the state of its partitions to disk.
//!
//! A checkpoint says up to which offset of the state topic it is whole. A worker learns that from the topic's end, while
//! nothing of its own is under way; but it may have been taken for dead without knowing, and then that end has records
//! of its successor. So an end is only a draft, which the commit after it makes good: the group took that commit, so
//! nobody else had the partition before it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::KafkaWorker;
use crate::streams::Work;
use crate::streams::kafka::blocking;
use crate::streams::kafka::checkpoint::{Checkpoints, WORTH_SIZE, now_ms};
use crate::streams::kafka::clients::Clients;
use crate::streams::kafka::state::Store;
use crate::streams::kafka::topics::StateTopic;
use crate::streams::kafka::transaction::Outcome;

/// What a checkpoint will say when it is made good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    /// Offset before which everything is in the store.
    next: u64,
    /// When that was asked.
    asked_ms: u64,
}

impl Draft {
    fn apply(self, store: &mut Store) {
        store.restored_to = self.next;
        store.as_of_ms = self.asked_ms;
        store.set_saved();
    }
}

/// True where restoring would read more than writing writes, and where the checkpoint will soon be too old to count.
fn is_due(store: &Store, age_max: Duration) -> bool {
    let age_ms = u128::from(now_ms().saturating_sub(store.saved_ms()));
    let is_old = store.size() >= WORTH_SIZE && age_ms > age_max.as_millis() / 2;
    store.unsaved() >= store.size().max(WORTH_SIZE) || is_old
}

async fn draft(clients: Arc<Clients>, topic: String, partition: u32) -> Option<Draft> {
    let asked_ms = now_ms();
    let (_, next) = blocking(move || clients.stable_ends(&topic, partition)).await.ok()?.ok()?;
    Some(Draft { next, asked_ms })
}

impl KafkaWorker {
    /// The topic of the state, where checkpoints of it have a place and would count.
    fn kept_topic(&self) -> Option<&StateTopic> {
        self.state_topic.as_ref().filter(|topic| self.clients.checkpoints.is_some() && !topic.age_max.is_zero())
    }

    /// Before a commit: drafts of the checkpoints that are due.
    pub(super) async fn draft_checkpoints(&mut self) -> Vec<(u32, Draft)> {
        let mut drafts = Vec::new();
        let Some(topic) = self.state_topic.as_ref().map(|topic| topic.name.clone()) else { return drafts };
        for partition in std::mem::take(&mut self.due) {
            if let Some(draft) = draft(self.clients.clone(), topic.clone(), partition).await {
                drafts.push((partition, draft));
            }
        }
        drafts
    }

    /// After the commit: makes the drafts good, and finds out what is due after these partitions' state has changed.
    pub(super) fn keep_checkpoints(&mut self, drafts: Vec<(u32, Draft)>, changed: BTreeSet<u32>) {
        let Some(topic) = self.kept_topic() else { return };
        for (partition, draft) in drafts {
            self.state.note(partition, |store| draft.apply(store));
            let (clients, state, topic) = (self.clients.clone(), self.state.clone(), topic.name.clone());
            // What is committed until it is written is in it as well, and does no harm.
            tokio::task::spawn_blocking(move || {
                let bytes = state.look(partition, |store| Checkpoints::encoded(partition, store));
                if let (Some(checkpoints), Some(bytes)) = (&clients.checkpoints, bytes) {
                    checkpoints.save(&topic, partition, &bytes);
                }
            });
        }
        let age_max = topic.age_max;
        let due = |partition: &u32| self.state.look(*partition, |store| is_due(store, age_max)) == Some(true);
        let due: Vec<u32> = changed.into_iter().filter(due).collect();
        self.due.extend(due);
    }

    /// What is left to do when the worker goes, while it is still a member: a checkpoint of everything that is worth
    /// it, made good by a commit of nothing new.
    pub(super) fn last_checkpoint(&mut self) -> Option<impl FnOnce() + Send + use<>> {
        let topic = self.kept_topic()?.name.clone();
        if self.is_unsure || self.member.is_none() || self.owned.is_empty() || self.clients.link.reason().is_some() {
            return None;
        }
        let worth = |partition: &u32| self.state.look(*partition, |store| store.unsaved() >= WORTH_SIZE) == Some(true);
        let partitions: BTreeSet<u32> = self.owned.iter().map(|o| o.partition).filter(worth).collect();
        if partitions.is_empty() {
            return None;
        }
        let job = self.job(Work::default(), false).ok()?;
        let stores: Vec<(u32, Store)> = partitions.into_iter().filter_map(|p| Some((p, self.state.take(p)?))).collect();
        let (clients, seat) = (self.clients.clone(), self.seat.clone());
        Some(move || {
            let asked_ms = now_ms();
            let mut drafts = Vec::with_capacity(stores.len());
            for (partition, store) in stores {
                let Ok((_, next)) = clients.stable_ends(&topic, partition) else { return };
                drafts.push((partition, store, Draft { next, asked_ms }));
            }
            let (Outcome::Committed(_), Some(checkpoints)) = (seat.run(job), &clients.checkpoints) else { return };
            for (partition, mut store, draft) in drafts {
                draft.apply(&mut store);
                checkpoints.save(&topic, partition, &Checkpoints::encoded(partition, &store));
            }
        })
    }
}
