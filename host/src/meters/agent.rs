//! What one agent does on this host, all its partitions and versions together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::agent_figures::{AgentFigures, ErrorFigures, HeldPartition, RoundFigures};
use super::histogram::Histogram;

/// Counts what one agent does. Lives as long as the agent is installed, over restarts of its worker.
#[derive(Debug, Default)]
pub struct AgentMeter {
    records: AtomicU64,
    sent: AtomicU64,
    dead_letters: AtomicU64,
    retries: AtomicU64,
    own_errors: AtomicU64,
    traps: AtomicU64,
    limits: AtomicU64,
    committed: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
    restarts: AtomicU64,
    latency: Histogram,
    round: Histogram,
    cpu_nanos: AtomicU64,
    instances: AtomicU64,
    memory_bytes: AtomicU64,
    held: Mutex<Held>,
}

/// Partitions that a worker holds: when each was gained, and the offset that it goes on at where that is known.
type Held = BTreeMap<(String, u32), (i64, Option<u64>)>;

/// How a call of an agent failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It said so itself.
    Own,
    /// It trapped.
    Trap,
    /// It reached a limit.
    Limit,
}

/// One round of work: from the records of a poll to their commit.
#[derive(Debug)]
pub struct Round {
    began: Instant,
    timestamps_ms: Vec<i64>,
    /// Records that the agent sends.
    pub sent: u64,
    /// Records that go to a dead-letter topic.
    pub dead_letters: u64,
}

impl Round {
    /// Begins with records of these times, milliseconds since the epoch; below 0 where one has none.
    pub fn begin<'a>(timestamps_ms: impl Iterator<Item = &'a [i64]>) -> Self {
        let timestamps_ms = timestamps_ms.flatten().copied().collect();
        Self { began: Instant::now(), timestamps_ms, sent: 0, dead_letters: 0 }
    }
}

impl AgentMeter {
    /// A round is committed at this time, milliseconds since the epoch.
    pub fn committed(&self, round: &Round, now_ms: i64) {
        let add = |counter: &AtomicU64, more: u64| counter.fetch_add(more, Ordering::Relaxed);
        add(&self.records, round.timestamps_ms.len() as u64);
        add(&self.sent, round.sent);
        add(&self.dead_letters, round.dead_letters);
        add(&self.committed, 1);
        self.round.observe(u64::try_from(round.began.elapsed().as_micros()).unwrap_or(u64::MAX));
        // A record from a clock that is ahead of ours has come at once.
        let waited = |at: i64| u64::try_from(now_ms.saturating_sub(at)).unwrap_or(0).saturating_mul(1_000);
        self.latency.observe_all(round.timestamps_ms.iter().filter(|at| **at >= 0).map(|at| waited(*at)));
    }

    /// The log refused a round because of a record in it.
    pub fn round_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A round was dropped: somebody else owns the partitions.
    pub fn round_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// A call of the agent failed.
    pub fn failed(&self, failure: Failure) {
        let counter = match failure {
            Failure::Own => &self.own_errors,
            Failure::Trap => &self.traps,
            Failure::Limit => &self.limits,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A record is tried once more.
    pub fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Its worker could not go on and begins anew.
    pub fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Its calls took CPU time.
    pub fn on_cpu(&self, spent: Duration) {
        self.cpu_nanos.fetch_add(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// An instance is started.
    pub fn instance(self: &Arc<Self>) -> HeldInstance {
        self.instances.fetch_add(1, Ordering::Relaxed);
        HeldInstance { meter: self.clone(), memory_bytes: 0 }
    }

    /// Its worker joins its group and holds nothing yet.
    pub fn seat(self: &Arc<Self>) -> Seat {
        Seat(self.clone())
    }

    /// Committed records and dead letters.
    pub fn totals(&self) -> (u64, u64) {
        (self.records.load(Ordering::Relaxed), self.dead_letters.load(Ordering::Relaxed))
    }

    /// As it stands.
    pub fn figures(&self, agent: &str) -> AgentFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AgentFigures {
            agent: agent.to_owned(),
            records: read(&self.records),
            sent: read(&self.sent),
            dead_letters: read(&self.dead_letters),
            retries: read(&self.retries),
            errors: ErrorFigures { own: read(&self.own_errors), trap: read(&self.traps), limit: read(&self.limits) },
            rounds: RoundFigures {
                committed: read(&self.committed),
                refused: read(&self.refused),
                dropped: read(&self.dropped),
            },
            restarts: read(&self.restarts),
            latency: self.latency.distribution(),
            round: self.round.distribution(),
            cpu_micros: read(&self.cpu_nanos) / 1_000,
            instances: read(&self.instances),
            memory_bytes: read(&self.memory_bytes),
            held: self.held(),
        }
    }

    fn held(&self) -> Vec<HeldPartition> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .map(|((topic, partition), (gained_ms, next))| {
                let (topic, partition) = (topic.clone(), *partition);
                HeldPartition { topic, partition, gained_ms: *gained_ms, next: *next }
            })
            .collect()
    }

    fn hold(&self, change: impl FnOnce(&mut Held)) {
        // Single inserts and removes: a poisoned lock is as good as any.
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A worker's membership in its group. When it is dropped, nothing is held.
#[derive(Debug)]
pub struct Seat(Arc<AgentMeter>);

impl Seat {
    /// Partitions come and go at this time, milliseconds since the epoch.
    pub fn changed(&self, gained: &[(String, u32)], lost: &[(String, u32)], now_ms: i64) {
        if gained.is_empty() && lost.is_empty() {
            return;
        }
        self.0.hold(|held| {
            held.retain(|partition, _| !lost.contains(partition));
            held.extend(gained.iter().map(|partition| (partition.clone(), (now_ms, None))));
        });
    }

    /// Partitions go on at these offsets, given as (topic, partition, next offset).
    pub fn committed(&self, offsets: Vec<(String, u32, u64)>) {
        self.0.hold(|held| {
            for (topic, partition, next) in offsets {
                // What was lost meanwhile is not ours to speak of.
                if let Some((_, known)) = held.get_mut(&(topic, partition)) {
                    *known = Some(next);
                }
            }
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.hold(BTreeMap::clear);
    }
}

/// An instance that is alive. Counted until it is dropped.
#[derive(Debug)]
pub struct HeldInstance {
    meter: Arc<AgentMeter>,
    memory_bytes: u64,
}

impl HeldInstance {
    /// The agent's meter.
    pub fn meter(&self) -> &AgentMeter {
        &self.meter
    }

    /// It has this much linear memory now.
    pub fn memory(&mut self, bytes: u64) {
        self.meter.memory_bytes.fetch_add(bytes.saturating_sub(self.memory_bytes), Ordering::Relaxed);
        self.meter.memory_bytes.fetch_sub(self.memory_bytes.saturating_sub(bytes), Ordering::Relaxed);
        self.memory_bytes = bytes;
    }
}

impl Drop for HeldInstance {
    fn drop(&mut self) {
        self.memory(0);
        self.meter.instances.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_its_records_and_how_long_each_has_waited() {
        let meter = AgentMeter::default();
        let mut round = Round::begin([&[1_000, 1_990][..], &[-1, 5_000]].into_iter());
        (round.sent, round.dead_letters) = (3, 1);
        meter.committed(&round, 2_000);
        let figures = meter.figures("a");
        assert_eq!((figures.records, figures.sent, figures.dead_letters), (4, 3, 1));
        assert_eq!((figures.rounds.committed, figures.round.count()), (1, 1));
        assert_eq!(figures.latency.count(), 3, "one has no time");
        assert_eq!(figures.latency.sum_micros, 1_010_000, "one comes from the future");
    }

    #[test]
    fn instances_count_while_they_live() {
        let meter = Arc::new(AgentMeter::default());
        let (mut one, mut other) = (meter.instance(), meter.instance());
        one.memory(100);
        other.memory(70);
        one.memory(40);
        let figures = meter.figures("a");
        assert_eq!((figures.instances, figures.memory_bytes), (2, 110));
        drop(one);
        drop(other);
        let figures = meter.figures("a");
        assert_eq!((figures.instances, figures.memory_bytes), (0, 0));
    }

    #[test]
    fn what_a_worker_holds_ends_with_its_seat() {
        let meter = Arc::new(AgentMeter::default());
        let at = |partition: u32| ("t".to_owned(), partition);
        let seat = meter.seat();
        seat.changed(&[at(0), at(1)], &[], 5);
        seat.committed(vec![("t".into(), 1, 7), ("t".into(), 2, 9)]);
        seat.changed(&[], &[at(0)], 6);
        let held = meter.figures("a").held;
        assert_eq!(held, [HeldPartition { topic: "t".into(), partition: 1, gained_ms: 5, next: Some(7) }]);
        drop(seat);
        assert_eq!(meter.figures("a").held, []);
    }
}
