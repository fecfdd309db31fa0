//! Consumer groups of this process: assignments, and the members that are told about them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::assignment::{Assignment, MemberId, Owned};
use crate::streams::StreamError;

/// What a member and the writing thread share.
#[derive(Default)]
pub struct Seat {
    owned: Mutex<Owned>,
    /// Wakes the member: its partitions changed, or a topic of its grew.
    pub wake: Arc<Notify>,
}

impl Seat {
    /// What the member owns now, where it isn't `known` already.
    pub fn news(&self, known: &Owned) -> Option<Owned> {
        let owned = self.owned();
        (*owned != *known).then(|| owned.clone())
    }

    fn set(&self, owned: &Owned) {
        let mut current = self.owned();
        if *current != *owned {
            current.clone_from(owned);
            self.wake.notify_one();
        }
    }

    fn owned(&self) -> MutexGuard<'_, Owned> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member that wants to join.
pub struct Newcomer {
    /// Group.
    pub group: String,
    /// Who.
    pub member: MemberId,
    /// Topics that it reads, sorted.
    pub topics: Vec<String>,
    /// Partitions of the largest of them.
    pub partitions: u32,
    /// Where its assignment goes.
    pub seat: Arc<Seat>,
}

/// By what right a commit writes: partitions with the epochs in which its work began.
pub struct Claim {
    /// Group.
    pub group: String,
    /// Who.
    pub member: MemberId,
    /// Partitions that the work touches.
    pub owned: Owned,
}

/// All groups. Belongs to the writing thread alone, so that a change of owners and a commit never overlap.
#[derive(Default)]
pub struct Groups {
    groups: HashMap<String, Group>,
}

struct Group {
    assignment: Assignment,
    seats: HashMap<MemberId, Arc<Seat>>,
}

impl Groups {
    /// Adds a member.
    ///
    /// # Errors
    /// [`StreamError::Config`] where the others read other topics: partition `p` of all topics must have one owner.
    pub fn join(&mut self, newcomer: Newcomer) -> Result<(), StreamError> {
        let Newcomer { group: name, member, topics, partitions, seat } = newcomer;
        let group = self.groups.entry(name.clone()).or_insert_with(|| Group {
            assignment: Assignment::new(topics.clone(), partitions),
            seats: HashMap::new(),
        });
        if group.assignment.topics() != topics {
            return Err(StreamError::Config(format!(
                "all members of group `{name}` must read the same topics; others read {:?}, this one {topics:?}",
                group.assignment.topics()
            )));
        }
        group.seats.insert(member, seat);
        group.assignment.join(member);
        group.publish();
        Ok(())
    }

    /// Removes a member; does nothing where it isn't there.
    pub fn leave(&mut self, name: &str, member: MemberId) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.seats.remove(&member);
        group.assignment.leave(member);
        group.publish();
        if group.assignment.is_empty() {
            self.groups.remove(name);
        }
    }

    /// Lets every member begin again from what is committed: after an error nobody knows whether the last commit
    /// reached the disk.
    pub fn restart(&mut self) {
        for group in self.groups.values_mut() {
            group.assignment.restart();
            group.publish();
        }
    }

    /// Refuses a commit of someone who lost a partition since its work began.
    pub fn check(&self, claim: &Claim) -> Result<(), StreamError> {
        let owned = self.groups.get(&claim.group).and_then(|group| group.assignment.owned(claim.member));
        let Some(owned) = owned else {
            return Err(StreamError::Fenced(format!("this worker left group `{}`", claim.group)));
        };
        match claim.owned.iter().find(|(partition, epoch)| owned.get(partition) != Some(epoch)) {
            Some((partition, _)) => Err(fenced(&claim.group, *partition)),
            None => Ok(()),
        }
    }
}

/// The error of a worker whose partition went to another.
pub fn fenced(group: &str, partition: u32) -> StreamError {
    StreamError::Fenced(format!("group `{group}`, partition {partition}"))
}

impl Group {
    fn publish(&self) {
        for (member, owned) in self.assignment.members() {
            if let Some(seat) = self.seats.get(&member) {
                seat.set(owned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newcomer(member: MemberId, topic: &str) -> Newcomer {
        Newcomer {
            group: "g".to_owned(),
            member,
            topics: vec![topic.to_owned()],
            partitions: 2,
            seat: Arc::new(Seat::default()),
        }
    }

    #[test]
    fn a_claim_from_before_a_rebalance_is_refused_only_for_what_moved() {
        let mut groups = Groups::default();
        let first = newcomer(1, "t");
        let seat = first.seat.clone();
        groups.join(first).unwrap();
        let before = seat.news(&Owned::new()).unwrap();
        groups.join(newcomer(2, "t")).unwrap();
        let after = seat.news(&before).unwrap();
        let claim = |owned: &Owned| Claim { group: "g".to_owned(), member: 1, owned: owned.clone() };
        assert_eq!(groups.check(&claim(&before)).unwrap_err().code(), "worker.fenced");
        assert!(groups.check(&claim(&after)).is_ok());
        groups.restart();
        assert!(groups.check(&claim(&after)).is_err());
    }

    #[test]
    fn members_of_one_group_read_the_same_topics() {
        let mut groups = Groups::default();
        groups.join(newcomer(1, "a")).unwrap();
        assert_eq!(groups.join(newcomer(2, "b")).unwrap_err().code(), "streams.config");
        groups.leave("g", 1);
        assert!(groups.join(newcomer(2, "b")).is_ok(), "nothing holds an empty group to its old topics");
    }
}
