//! Several members of one group.

use std::collections::BTreeMap;

use wasmill::streams::{Batch, Poll, Work, Worker};

use super::subject::{A_MOMENT, PATIENCE, Subject, done, output, poll_records, poll_until, records, texts};

/// Two members, polled in turn.
struct Pair {
    workers: [Box<dyn Worker>; 2],
    /// What each one owns, as its polls said.
    owned: [Vec<(String, u32)>; 2],
    batches: [Vec<Batch>; 2],
}

impl Pair {
    async fn join(s: &Subject, topics: &[&str]) -> Self {
        let workers = [s.join("group", topics).await, s.join("group", topics).await];
        Self { workers, owned: Default::default(), batches: Default::default() }
    }

    async fn poll(&mut self) {
        for i in 0..2 {
            let Poll { gained, lost, batches } = self.workers[i].poll(A_MOMENT).await.unwrap();
            self.owned[i].retain(|place| !lost.contains(place));
            self.owned[i].extend(gained);
            self.owned[i].sort();
            self.batches[i].extend(batches);
        }
    }

    async fn poll_until(&mut self, enough: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !enough(self) {
            assert!(tokio::time::Instant::now() < deadline, "still {:?}", self.owned);
            self.poll().await;
        }
    }
}

pub async fn one_partition_number_of_all_topics_has_one_owner(s: Subject) {
    let topics = [s.topic("a", 4).await, s.topic("b", 4).await];
    let mut pair = Pair::join(&s, &[&topics[0], &topics[1]]).await;
    pair.poll_until(|pair| pair.owned.iter().all(|owned| owned.len() == 4)).await;
    for owned in &pair.owned {
        let of = |topic: &String| owned.iter().filter(|o| o.0 == *topic).map(|o| o.1).collect::<Vec<_>>();
        assert_eq!(of(&topics[0]), of(&topics[1]), "{owned:?}");
    }
}

pub async fn a_leaving_member_hands_over_what_it_committed(s: Subject) {
    let topic = s.topic("in", 2).await;
    s.append_numbered(&topic, (0..20).map(|i| i.to_string())).await;
    let mut first = s.join("group", &[&topic]).await;
    let batches = poll_records(first.as_mut(), 20).await;
    let mut work = done(&batches);
    work.offsets.retain(|(_, partition, _)| *partition == 0);
    first.commit(work).await.unwrap();
    let done_already: usize = batches.iter().filter(|batch| batch.partition == 0).map(Batch::len).sum();
    drop(first);
    let mut second = s.join("group", &[&topic]).await;
    let rest = poll_records(second.as_mut(), 20 - done_already).await;
    assert!(rest.iter().all(|batch| batch.partition == 1), "{rest:?}");
}

pub async fn work_for_a_lost_partition_is_refused(s: Subject) {
    let (topic, out) = (s.topic("in", 2).await, s.topic("out", 1).await);
    s.append_numbered(&topic, (0..20).map(|i| i.to_string())).await;
    let mut old = s.join("group", &[&topic]).await;
    let stale = poll_records(old.as_mut(), 20).await;
    let mut new = s.join("group", &[&topic]).await;
    // The old owner hears of the loss by polling, as a supervisor does that still has work under way.
    let polling = async {
        let mut lost = poll_until(old.as_mut(), |all| !all.lost.is_empty()).await.lost;
        lost.sort();
        lost
    };
    let (lost, gained) = tokio::join!(polling, poll_until(new.as_mut(), |all| !all.gained.is_empty()));
    assert!(lost.iter().any(|place| gained.gained.contains(place)), "{lost:?} {:?}", gained.gained);
    let place = gained.gained[0].clone();
    let mut work = done(&stale);
    work.offsets.retain(|(topic, partition, _)| *topic == place.0 && *partition == place.1);
    assert!(!work.offsets.is_empty());
    work.outputs = vec![output(&out, &[("k", "stale")])];
    assert_eq!(old.commit(work).await.unwrap_err().code(), "worker.fenced");
    // Nothing of it is there, and the new owner works on the partition from its beginning.
    assert!(s.all(&out, 0).await.is_empty());
    let expected: usize = stale.iter().filter(|batch| batch.partition == place.1).map(Batch::len).sum();
    let ours = |poll: &Poll| poll.batches.iter().filter(|b| b.partition == place.1).map(Batch::len).sum::<usize>();
    let already = ours(&gained);
    if already < expected {
        poll_until(new.as_mut(), |all| already + ours(all) >= expected).await;
    }
}

pub async fn members_together_read_everything_once(s: Subject) {
    let topic = s.topic("in", 4).await;
    let mut pair = Pair::join(&s, &[&topic]).await;
    pair.poll_until(|pair| pair.owned.iter().all(|owned| owned.len() == 2)).await;
    s.append_numbered(&topic, (0..100).map(|i| i.to_string())).await;
    pair.poll_until(|pair| pair.batches.iter().map(|b| records(b)).sum::<usize>() >= 100).await;
    let mut seen = BTreeMap::new();
    for text in pair.batches.iter().flatten().flat_map(texts) {
        *seen.entry(text).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 100);
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    for (worker, batches) in pair.workers.iter_mut().zip(&pair.batches) {
        let mut work = Work::default();
        for (topic, partition, next) in done(batches).offsets {
            work.offsets.retain(|(_, p, _)| *p != partition);
            work.offsets.push((topic, partition, next));
        }
        worker.commit(work).await.unwrap();
    }
    let committed: u64 = s.streams.committed(&s.name("group"), &topic).await.unwrap().into_iter().flatten().sum();
    assert_eq!(committed, 100);
}
