//! Watches the hosts' consumer group from outside: who is in it, and who has which partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::groups::GroupInfo;

use crate::server::until;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// How long the group may take for what must happen. Only a run that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(180);

/// A member of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The broker's name for it, never used again.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// Partitions of the input topic.
    pub partitions: BTreeSet<u32>,
}

/// The group at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// False while partitions are being given away.
    pub is_stable: bool,
    /// Those that are in it.
    pub members: Vec<Member>,
}

impl View {
    /// The members that a host is; more than one where a predecessor has not been given up yet.
    pub fn ids_of(&self, host: &str) -> BTreeSet<String> {
        self.members.iter().filter(|member| member.host == host).map(|member| member.id.clone()).collect()
    }

    fn assignment(&self) -> BTreeMap<u32, &str> {
        self.members.iter().flat_map(|m| m.partitions.iter().map(|p| (*p, m.id.as_str()))).collect()
    }
}

#[derive(Default)]
struct Seen {
    view: View,
    looks: u64,
    rebalances: u64,
    /// Partitions with members, as they were when the group was last stable.
    assignment: BTreeMap<u32, String>,
}

/// Looks at the group again and again, until it is dropped.
pub struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch a group.
    ///
    /// # Errors
    /// Where no client can be made.
    pub fn start(brokers: &str, group: &'static str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("reconnect.backoff.max.ms", "1000");
        let consumer: BaseConsumer = config.create()?;
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Seen>>::default());
        let (stopped, looking) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // While the broker is away there is nothing to see.
                if let Ok(list) = consumer.fetch_group_list(Some(group), Duration::from_secs(2))
                    && let Some(found) = list.groups().iter().find(|found| found.name() == group)
                {
                    looking.lock().unwrap_or_else(PoisonError::into_inner).take(view(found));
                }
                std::thread::sleep(LOOK);
            }
        });
        Ok(Self { stop, seen, thread: Some(thread) })
    }

    /// Waits until the group looks like this.
    ///
    /// # Errors
    /// With `what` and how the group looks, where it doesn't for too long.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&View) -> bool) -> Result<View> {
        let began = Instant::now();
        // What is known now may be older than what was just done.
        let looks = self.lock().looks + 1;
        let mut last = View::default();
        let held = until(PATIENCE, || {
            let seen = self.lock();
            last = seen.view.clone();
            seen.looks > looks && holds(&last)
        });
        ensure!(held, "not within {} s: {what}; the group: {last:?}", began.elapsed().as_secs());
        Ok(last)
    }

    /// How often the group has given a partition to another member, at least: what happens between two looks is not
    /// seen.
    pub fn rebalances(&self) -> u64 {
        self.lock().rebalances
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, also where it panicked.
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn take(&mut self, view: View) {
        self.looks += 1;
        if view.is_stable {
            let assignment: BTreeMap<u32, String> =
                view.assignment().into_iter().map(|(partition, id)| (partition, id.to_owned())).collect();
            if !self.assignment.is_empty() && assignment != self.assignment {
                self.rebalances += 1;
            }
            self.assignment = assignment;
        }
        self.view = view;
    }
}

fn view(group: &GroupInfo) -> View {
    let members = group.members().iter().map(|member| Member {
        id: member.id().to_owned(),
        host: member.client_id().to_owned(),
        partitions: member.assignment().and_then(partitions).unwrap_or_default(),
    });
    View { is_stable: group.state() == "Stable", members: members.collect() }
}

/// Partitions in an assignment as consumers write it: version, topics with their partitions, and what we don't need.
fn partitions(assignment: &[u8]) -> Option<BTreeSet<u32>> {
    let mut rest = assignment.get(2..)?;
    let mut found = BTreeSet::new();
    for _ in 0..number(&mut rest)? {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_be_bytes(*length))..)?;
        for _ in 0..number(&mut rest)? {
            found.insert(number(&mut rest)?);
        }
    }
    Some(found)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, partitions: &[u32]) -> Member {
        Member { id: id.to_owned(), host: "h".to_owned(), partitions: partitions.iter().copied().collect() }
    }

    #[test]
    fn an_assignment_is_read_and_a_cut_off_one_is_not() {
        let bytes = b"\0\x01\0\0\0\x01\0\x02in\0\0\0\x02\0\0\0\x03\0\0\0\x05\xff\xff\xff\xff";
        assert_eq!(partitions(bytes), Some([3, 5].into()));
        assert_eq!(partitions(&bytes[..20]), None);
        assert_eq!(partitions(b""), None);
    }

    #[test]
    fn only_a_stable_group_with_other_owners_is_a_rebalance() {
        let mut seen = Seen::default();
        let view = |is_stable, members: &[Member]| View { is_stable, members: members.to_vec() };
        seen.take(view(true, &[member("a", &[0, 1])]));
        seen.take(view(true, &[member("a", &[0, 1])]));
        seen.take(view(false, &[member("a", &[]), member("b", &[])]));
        assert_eq!(seen.rebalances, 0);
        seen.take(view(true, &[member("a", &[0]), member("b", &[1])]));
        seen.take(view(false, &[]));
        seen.take(view(true, &[member("a", &[0]), member("b", &[1])]));
        assert_eq!(seen.rebalances, 1);
    }
}
