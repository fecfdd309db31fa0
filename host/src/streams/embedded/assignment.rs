//! Who of a group works on which partition: a decision without any doing.
//!
//! The unit is a partition number: partition `p` of all topics belongs to one member, so that one state serves it.

use std::collections::BTreeMap;

/// Identifies a member among all that ever joined in this process.
pub type MemberId = u64;

/// A partition number that a member owns, with the epoch that its ownership began in. The same partition owned again
/// later has another epoch, and work from before is not taken any more.
pub type Owned = BTreeMap<u32, u64>;

/// Members of one group and what each of them owns.
#[derive(Debug, Default)]
pub struct Assignment {
    /// Topic names, the same for all members.
    topics: Vec<String>,
    /// Number of partitions of the topic that has most.
    partitions: u32,
    members: BTreeMap<MemberId, Owned>,
    epoch: u64,
}

impl Assignment {
    /// A group that reads these topics; `partitions` of the largest.
    pub fn new(topics: Vec<String>, partitions: u32) -> Self {
        Self { topics, partitions, ..Self::default() }
    }

    /// What the group reads.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// True without members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a member and shares the partitions again.
    pub fn join(&mut self, member: MemberId) {
        self.members.entry(member).or_default();
        self.share();
    }

    /// Removes a member and gives its partitions to the others.
    pub fn leave(&mut self, member: MemberId) {
        if self.members.remove(&member).is_some() {
            self.share();
        }
    }

    /// Begins a new epoch for everything: each member starts again from what is committed.
    pub fn restart(&mut self) {
        self.epoch += 1;
        for epoch in self.members.values_mut().flat_map(BTreeMap::values_mut) {
            *epoch = self.epoch;
        }
    }

    /// What a member owns.
    pub fn owned(&self, member: MemberId) -> Option<&Owned> {
        self.members.get(&member)
    }

    /// All members with what they own.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, &Owned)> {
        self.members.iter().map(|(id, owned)| (*id, owned))
    }

    /// Gives everyone an equal part and moves as little as possible.
    fn share(&mut self) {
        self.epoch += 1;
        let count = self.members.len();
        if count == 0 {
            return;
        }
        let share = self.partitions as usize / count;
        let mut one_more = self.partitions as usize % count;
        // Those who own most come first, so that the larger parts stay where they are.
        let mut order: Vec<MemberId> = self.members.keys().copied().collect();
        order.sort_by_key(|id| std::cmp::Reverse(self.members.get(id).map_or(0, BTreeMap::len)));
        let mut room: Vec<(MemberId, usize)> = Vec::with_capacity(count);
        for id in order {
            let Some(owned) = self.members.get_mut(&id) else { continue };
            let target = share + usize::from(one_more > 0);
            one_more = one_more.saturating_sub(1);
            while owned.len() > target {
                owned.pop_last();
            }
            room.push((id, target - owned.len()));
        }
        let taken: Vec<u32> = self.members.values().flat_map(BTreeMap::keys).copied().collect();
        let mut free = (0..self.partitions).filter(|p| !taken.contains(p));
        for (id, places) in room {
            if let Some(owned) = self.members.get_mut(&id) {
                owned.extend(free.by_ref().take(places).map(|p| (p, self.epoch)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(a: &Assignment) -> Vec<usize> {
        a.members().map(|(_, owned)| owned.len()).collect()
    }

    fn all(a: &Assignment) -> Vec<u32> {
        let mut all: Vec<u32> = a.members().flat_map(|(_, owned)| owned.keys().copied()).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_partition_has_exactly_one_owner_through_all_joins_and_leaves() {
        let mut a = Assignment::new(vec![], 10);
        for step in 0..40_u64 {
            if step % 3 == 2 {
                a.leave(step * 7 % 20)
            } else {
                a.join(step * 11 % 20)
            }
            if !a.is_empty() {
                assert_eq!(all(&a), (0..10).collect::<Vec<_>>(), "step {step}");
                let sizes = sizes(&a);
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
            }
        }
    }

    #[test]
    fn a_join_moves_only_what_the_newcomer_gets() {
        let mut a = Assignment::new(vec![], 6);
        a.join(1);
        a.join(2);
        let before: Vec<Owned> = a.members().map(|(_, owned)| owned.clone()).collect();
        a.join(3);
        for (old, (_, new)) in before.iter().zip(a.members()) {
            assert!(new.iter().all(|(p, epoch)| old.get(p) == Some(epoch)), "{old:?} {new:?}");
        }
        assert_eq!(sizes(&a), [2, 2, 2]);
    }

    #[test]
    fn a_partition_that_comes_back_has_another_epoch() {
        let mut a = Assignment::new(vec![], 1);
        a.join(1);
        let first = a.owned(1).unwrap().clone();
        a.join(2);
        a.leave(1);
        a.join(1);
        a.leave(2);
        let again = a.owned(1).unwrap();
        assert!(again.contains_key(&0));
        assert_ne!(again, &first);
    }

    #[test]
    fn members_beyond_the_partitions_wait_with_nothing() {
        let mut a = Assignment::new(vec![], 1);
        a.join(1);
        a.join(2);
        assert_eq!(sizes(&a), [1, 0]);
    }
}
