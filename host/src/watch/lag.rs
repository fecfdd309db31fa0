//! How many records an agent has yet to handle.
//!
//! Where a worker has committed, it knows its place, and only the end of the partition is asked for. Everything is asked
//! for at most every few seconds, the oldest answers first, and only where somebody wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde::{Deserialize, Serialize};

use crate::meters::HeldPartition;
use crate::store::now_ms;
use crate::streams::{SharedStreams, Watermarks};

/// How old answers get before they are asked for again.
const AGE: Duration = Duration::from_secs(4);
/// How old answers get before they count for nothing.
const STALE: Duration = Duration::from_secs(60);
/// How long whoever watches waits for answers; those that come later are shown the next time.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most partitions whose ends are asked for at a time.
const PARTITIONS_MAX: usize = 512;
/// Most groups and topics whose committed offsets are asked for at a time.
const GROUPS_MAX: usize = 64;
/// Most questions under way.
const AT_ONCE: usize = 8;

/// Topic and partition.
type Place = (String, u32);
/// Group and topic.
type Reading = (String, String);

/// Committed records of a partition that an agent has yet to handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PartitionLag {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offsets between where the agent goes on and the end of what is committed. On Kafka, marks of transactions among
    /// them count too.
    pub records: u64,
}

/// An agent whose lag is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its consumer group.
    pub group: String,
    /// Topics that it reads.
    pub topics: Vec<String>,
    /// Partitions that it holds.
    pub held: Vec<HeldPartition>,
    /// True where it works. Where it doesn't, nobody may, and all partitions of its topics are looked at.
    pub is_running: bool,
}

/// What is known of ends and places.
#[derive(Debug, Default)]
pub struct Lags {
    answers: Mutex<Answers>,
    asking: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Answers {
    partitions: BTreeMap<String, u32>,
    ends: BTreeMap<Place, (Watermarks, Instant)>,
    /// Committed offsets by partition, and when they were asked for, as both clocks say.
    places: BTreeMap<Reading, (Vec<Option<u64>>, i64, Instant)>,
}

impl Lags {
    /// The lag of each agent, as far as it is known: asks the log where answers are old, and waits a little for them.
    pub async fn read(&self, streams: &SharedStreams, wanted: &[Wanted]) -> Vec<Vec<PartitionLag>> {
        if let Ok(mut asked) = self.asking.try_lock()
            && asked.is_none_or(|at| at.elapsed() >= AGE)
        {
            *asked = Some(Instant::now());
            // Late answers are lost; what came before them is kept.
            let _ = tokio::time::timeout(PATIENCE, self.ask(streams, wanted)).await;
        }
        let answers = self.answers();
        wanted.iter().map(|wanted| answers.lag(wanted)).collect()
    }

    async fn ask(&self, streams: &SharedStreams, wanted: &[Wanted]) {
        if wanted.iter().any(|wanted| !wanted.is_running)
            && let Ok(topics) = streams.topics().await
        {
            let partitions = topics.into_iter().map(|topic| (topic.name, topic.partitions));
            self.answers().partitions = partitions.collect();
        }
        let (ends, places) = self.answers().questions(wanted);
        let ask_end = async |place: Place| {
            if let Ok(marks) = streams.watermarks(&place.0, place.1).await {
                self.answers().ends.insert(place, (marks, Instant::now()));
            }
        };
        let ask_places = async |reading: Reading| {
            let (asked_ms, asked) = (now_ms(), Instant::now());
            if let Ok(offsets) = streams.committed(&reading.0, &reading.1).await {
                self.answers().places.insert(reading, (offsets, asked_ms, asked));
            }
        };
        futures::stream::iter(places).for_each_concurrent(AT_ONCE, ask_places).await;
        futures::stream::iter(ends).for_each_concurrent(AT_ONCE, ask_end).await;
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        // Single inserts: a poisoned lock is as good as any.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    /// What to ask: ends of partitions, and committed offsets; those never asked for first, then the oldest. Answers that
    /// nobody wants are forgotten.
    fn questions(&mut self, wanted: &[Wanted]) -> (Vec<Place>, Vec<Reading>) {
        let (mut ends, mut places) = (BTreeSet::new(), BTreeSet::new());
        let mut kept = BTreeSet::new();
        for agent in wanted {
            for (topic, partition, held) in self.partitions_of(agent) {
                let reading = (agent.group.clone(), topic.clone());
                if self.place(&reading, partition, held).is_none_or(|_| held.is_none()) {
                    places.insert(reading.clone());
                }
                kept.insert(reading);
                ends.insert((topic, partition));
            }
        }
        self.ends.retain(|place, _| ends.contains(place));
        self.places.retain(|reading, _| kept.contains(reading));
        let mut ends: Vec<Place> = ends.into_iter().collect();
        ends.sort_by_key(|place| self.ends.get(place).map(|(_, at)| *at));
        ends.truncate(PARTITIONS_MAX);
        let mut places: Vec<Reading> = places.into_iter().collect();
        places.sort_by_key(|reading| self.places.get(reading).map(|(.., at)| *at));
        places.truncate(GROUPS_MAX);
        (ends, places)
    }

    fn lag(&self, agent: &Wanted) -> Vec<PartitionLag> {
        let mut lags = Vec::new();
        for (topic, partition, held) in self.partitions_of(agent) {
            let place = self.place(&(agent.group.clone(), topic.clone()), partition, held);
            let end = self.ends.get(&(topic.clone(), partition)).filter(|(_, at)| at.elapsed() < STALE);
            if let (Some(place), Some((marks, _))) = (place, end) {
                let records = marks.next.saturating_sub(place.max(marks.first));
                lags.push(PartitionLag { topic, partition, records });
            }
        }
        lags
    }

    /// The partitions that matter for an agent; those that it holds with what it knows of them.
    fn partitions_of<'w>(&self, agent: &'w Wanted) -> Vec<(String, u32, Option<&'w HeldPartition>)> {
        if agent.is_running {
            return agent.held.iter().map(|held| (held.topic.clone(), held.partition, Some(held))).collect();
        }
        let of_topic = |topic: &String| {
            let count = self.partitions.get(topic).copied().unwrap_or(0);
            (0..count).map(|partition| (topic.clone(), partition, None)).collect::<Vec<_>>()
        };
        agent.topics.iter().flat_map(of_topic).collect()
    }

    /// Where the agent goes on; 0 where nothing was ever committed.
    fn place(&self, reading: &Reading, partition: u32, held: Option<&HeldPartition>) -> Option<u64> {
        if let Some(next) = held.and_then(|held| held.next) {
            return Some(next);
        }
        let (offsets, asked_ms, asked) = self.places.get(reading)?;
        // Nobody but its holder moves it; where nobody holds it, or it was asked before, the answer ages.
        let is_current = match held {
            Some(held) => *asked_ms >= held.gained_ms,
            None => asked.elapsed() < STALE,
        };
        is_current.then(|| offsets.get(partition as usize).copied().flatten().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(partition: u32, next: Option<u64>) -> HeldPartition {
        HeldPartition { topic: "t".into(), partition, gained_ms: 100, next }
    }

    fn running(held: Vec<HeldPartition>) -> Wanted {
        Wanted { group: "g".into(), topics: vec!["t".into()], held, is_running: true }
    }

    fn answers() -> Answers {
        let now = Instant::now();
        let end = |next| (Watermarks { first: 3, next }, now);
        Answers {
            partitions: BTreeMap::from([("t".into(), 2)]),
            ends: BTreeMap::from([(("t".into(), 0), end(10)), (("t".into(), 1), end(20))]),
            places: BTreeMap::new(),
        }
    }

    fn records(lags: &[PartitionLag]) -> Vec<(u32, u64)> {
        lags.iter().map(|lag| (lag.partition, lag.records)).collect()
    }

    #[test]
    fn a_holder_knows_its_place_and_only_the_end_is_asked() {
        let mut answers = answers();
        let wanted = [running(vec![held(1, Some(15))])];
        assert_eq!(records(&answers.lag(&wanted[0])), [(1, 5)]);
        let (ends, places) = answers.questions(&wanted);
        assert_eq!((ends, places), (vec![("t".into(), 1)], vec![]));
        assert_eq!(answers.ends.len(), 1, "the other one is forgotten");
    }

    #[test]
    fn a_holder_that_has_committed_nothing_yet_is_asked_for_once() {
        let mut answers = answers();
        let wanted = [running(vec![held(0, None)])];
        assert_eq!(records(&answers.lag(&wanted[0])), []);
        assert_eq!(answers.questions(&wanted).1.len(), 1);
        answers.places.insert(("g".into(), "t".into()), (vec![None, None], 99, Instant::now()));
        assert_eq!(records(&answers.lag(&wanted[0])), [], "somebody else may have held it then");
        answers.places.insert(("g".into(), "t".into()), (vec![None, None], 100, Instant::now()));
        assert_eq!(records(&answers.lag(&wanted[0])), [(0, 7)], "from the first record that is still there");
        assert_eq!(answers.questions(&wanted).1.len(), 0);
    }

    #[test]
    fn who_can_not_work_lags_on_every_partition() {
        let mut answers = answers();
        let wanted = [Wanted { is_running: false, ..running(vec![]) }];
        answers.places.insert(("g".into(), "t".into()), (vec![Some(4), Some(20)], 0, Instant::now()));
        assert_eq!(records(&answers.lag(&wanted[0])), [(0, 6), (1, 0)]);
        assert_eq!(answers.questions(&wanted).1.len(), 1, "it may change at any time");
    }

    #[test]
    fn no_more_is_asked_at_a_time_than_is_allowed_and_everybody_has_a_turn() {
        let mut answers = Answers::default();
        let wanted: Vec<Wanted> = (0..PARTITIONS_MAX as u32 + 9).map(|n| running(vec![held(n, Some(0))])).collect();
        let (first, _) = answers.questions(&wanted);
        assert_eq!(first.len(), PARTITIONS_MAX);
        for place in first {
            answers.ends.insert(place, (Watermarks { first: 0, next: 1 }, Instant::now()));
        }
        let (second, _) = answers.questions(&wanted);
        let new = second.iter().filter(|place| !answers.ends.contains_key(*place)).count();
        assert_eq!((new, answers.ends.len()), (9, PARTITIONS_MAX));
    }
}
