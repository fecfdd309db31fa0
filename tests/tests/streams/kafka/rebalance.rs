//! Members come and go, and the others go on with what they keep.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::time::Instant;
use wasmill::streams::{Membership, Poll, Record, StateChange, Streams, Work, Worker};
use wasmill_tests::kafka::Kafka;

use super::copy;
use crate::contract::subject::{A_MOMENT, PATIENCE, Subject, done, keyed, poll_until, records};

/// Partitions of one topic, as a set.
fn partitions(places: &[(String, u32)]) -> BTreeSet<u32> {
    places.iter().map(|(_, partition)| *partition).collect()
}

/// Sends one record to each partition.
async fn feed(s: &Subject, topic: &str, partitions: u32) {
    let records = (0..partitions).map(|p| Record { partition: Some(p), ..keyed("k", "v") });
    s.streams.append(topic, records.collect()).await.unwrap();
}

/// Polls once and commits what came, with a count in the state. Returns the poll, whose work is committed.
async fn work_once(worker: &mut dyn Worker, out: &str) -> Poll {
    let poll = worker.poll(A_MOMENT).await.unwrap();
    if !poll.batches.is_empty() {
        let mut work = copy(out, &poll.batches);
        work.state = poll.batches.iter().map(|batch| counted(worker, batch.partition, batch.len() as u64)).collect();
        worker.commit(work).await.unwrap();
    }
    poll
}

fn counted(worker: &dyn Worker, partition: u32, more: u64) -> StateChange {
    let value = count(worker, partition) + more;
    StateChange { partition, key: b"count".to_vec(), value: Some(value.to_le_bytes().to_vec()) }
}

fn count(worker: &dyn Worker, partition: u32) -> u64 {
    let stored = worker.state().get(partition, b"count").unwrap();
    stored.map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
}

async fn gain_all(worker: &mut dyn Worker, count: usize) {
    poll_until(worker, |all| all.gained.len() == count).await;
}

/// The state that Kafka says the group is in.
fn group_state(address: &str, group: &str) -> String {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let groups = client.fetch_group_list(Some(group), Duration::from_secs(10)).unwrap();
    groups.groups().first().map(|group| group.state().to_owned()).unwrap_or_default()
}

/// A member that gets partitions and never says that it has them: the next rebalance waits for it.
fn silent_member(address: &str, group: &str, topic: &str) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "8000")
        .set("max.poll.interval.ms", "8000")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_takes_its_part_and_interrupts_nothing_else() {
    let Some(s) = super::subject().await else { return };
    let (topic, out) = (s.topic("in", 6).await, s.topic("out", 1).await);
    let mut first = s.join("group", &[&topic]).await;
    gain_all(first.as_mut(), 6).await;
    let mut second = s.join("group", &[&topic]).await;

    let (mut lost, mut gained) = (BTreeSet::new(), BTreeSet::new());
    let (mut by_first, mut by_second, mut fed) = (0, 0, 0);
    let deadline = Instant::now() + PATIENCE;
    while gained.len() < 3 || lost.len() < 3 {
        assert!(Instant::now() < deadline, "lost {lost:?}, gained {gained:?}");
        feed(&s, &topic, 6).await;
        fed += 6;
        let (one, two) = tokio::join!(work_once(first.as_mut(), &out), work_once(second.as_mut(), &out));
        assert!(one.gained.is_empty() && two.lost.is_empty(), "{one:?} {two:?}");
        lost.extend(partitions(&one.lost));
        gained.extend(partitions(&two.gained));
        // Whatever comes of a partition comes from its owner.
        assert!(one.batches.iter().all(|batch| !lost.contains(&batch.partition)), "{one:?}");
        by_first += records(&one.batches);
        by_second += records(&two.batches);
    }
    assert_eq!((lost.len(), &lost), (3, &gained), "only what moves was ever lost");
    while by_first + by_second < fed {
        assert!(Instant::now() < deadline, "{by_first} and {by_second} of {fed}");
        let (one, two) = tokio::join!(work_once(first.as_mut(), &out), work_once(second.as_mut(), &out));
        assert!(one.lost.is_empty() && two.lost.is_empty(), "{one:?} {two:?}");
        by_first += records(&one.batches);
        by_second += records(&two.batches);
    }
    // Nothing twice, and each state belongs to the owner and has counted on.
    s.all_of(&out, 1, fed).await;
    let kept = (0..6).filter(|p| !lost.contains(p)).map(|p| count(first.as_ref(), p)).sum::<u64>();
    let moved = lost.iter().map(|p| count(second.as_ref(), *p)).sum::<u64>();
    assert_eq!(kept + moved, fed as u64);
    assert!(lost.iter().all(|p| first.state().get(*p, b"count").is_err()), "the state of a lost partition is gone");
}

/// A rebalance lasts as long as its slowest member. The others work on, and Kafka takes their commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_are_kept_are_committed_while_the_rebalance_is_under_way() {
    let Some(kafka) = Kafka::shared() else { return };
    let Some(s) = super::subject().await else { return };
    let (topic, out, group) = (s.topic("in", 6).await, s.topic("out", 1).await, s.name("group"));
    let mut first = s.join("group", &[&topic]).await;
    gain_all(first.as_mut(), 6).await;
    let silent = silent_member(&kafka.address(), &group, &topic);
    let left = poll_until(first.as_mut(), |all| all.lost.len() == 3).await.lost;
    let kept: BTreeSet<u32> = (0..6).filter(|p| !partitions(&left).contains(p)).collect();
    // Now the silent one holds a part and has not said so.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut third = s.join("group", &[&topic]).await;
    let joining = tokio::spawn(async move {
        let gained = poll_until(third.as_mut(), |all| !all.gained.is_empty()).await.gained;
        (third, partitions(&gained))
    });

    let (mut during, deadline) = (0, Instant::now() + PATIENCE);
    while during < 5 {
        assert!(Instant::now() < deadline, "the group never waited");
        feed(&s, &topic, 6).await;
        let before = group_state(&kafka.address(), &group);
        let poll = work_once(first.as_mut(), &out).await;
        let is_under_way = before == "PreparingRebalance" && group_state(&kafka.address(), &group) == before;
        assert!(poll.gained.is_empty(), "{poll:?}");
        assert!(poll.lost.is_empty(), "{poll:?}");
        if is_under_way && !poll.batches.is_empty() {
            assert!(poll.batches.iter().all(|batch| kept.contains(&batch.partition)), "{poll:?}");
            during += 1;
        }
    }
    // When the silent one goes, the rebalance ends, and the third gets a part of what is left.
    tokio::task::spawn_blocking(move || drop(silent)).await.unwrap();
    let mut owned = kept.clone();
    while !joining.is_finished() {
        assert!(Instant::now() < deadline, "{owned:?}");
        let poll = work_once(first.as_mut(), &out).await;
        owned.retain(|p| !partitions(&poll.lost).contains(p));
        owned.extend(partitions(&poll.gained));
    }
    let (_third, gained) = joining.await.unwrap();
    assert!(gained.is_disjoint(&owned), "{gained:?} {owned:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_hands_over_and_the_others_go_on_with_theirs() {
    let Some(s) = super::subject().await else { return };
    let (topic, out) = (s.topic("in", 4).await, s.topic("out", 1).await);
    let mut first = s.join("group", &[&topic]).await;
    gain_all(first.as_mut(), 4).await;
    let mut second = s.join("group", &[&topic]).await;
    let (_, _) = tokio::join!(
        poll_until(first.as_mut(), |all| all.lost.len() == 2),
        poll_until(second.as_mut(), |all| all.gained.len() == 2)
    );
    feed(&s, &topic, 4).await;
    let mut committed = 0;
    while committed < 4 {
        let (one, two) = tokio::join!(work_once(first.as_mut(), &out), work_once(second.as_mut(), &out));
        committed += records(&one.batches) + records(&two.batches);
    }
    drop(second);
    feed(&s, &topic, 4).await;
    let (mut gained, deadline) = (0, Instant::now() + PATIENCE);
    while gained < 2 || committed < 8 {
        assert!(Instant::now() < deadline, "gained {gained}, committed {committed}");
        let poll = work_once(first.as_mut(), &out).await;
        assert!(poll.lost.is_empty(), "{poll:?}");
        gained += poll.gained.len();
        committed += records(&poll.batches);
    }
    // With the state that the other one left.
    assert_eq!((0..4).map(|p| count(first.as_ref(), p)).collect::<Vec<_>>(), [2; 4]);
    s.all_of(&out, 1, 8).await;
}

const ADDRESS: &str = "WASMILL_TEST_REBALANCE_KAFKA";
const TOPIC: &str = "WASMILL_TEST_REBALANCE_TOPIC";
const GROUP: &str = "WASMILL_TEST_REBALANCE_GROUP";
const OUT: &str = "WASMILL_TEST_REBALANCE_OUT";

/// A host that is killed says nothing. The other one gets its partitions when the group misses it, with their state, and
/// works on its own meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_killed_is_taken_over_and_the_others_go_on_with_theirs() {
    let Some(kafka) = Kafka::shared() else { return };
    let Some(s) = super::subject().await else { return };
    let (topic, out) = (s.topic("in", 4).await, s.topic("out", 1).await);
    let mut first = s.join("group", &[&topic]).await;
    gain_all(first.as_mut(), 4).await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["kafka::rebalance::works_until_it_is_killed", "--exact", "--ignored", "--nocapture"]);
    command.env(ADDRESS, kafka.address()).env(TOPIC, &topic).env(GROUP, s.name("group")).env(OUT, &out);
    let mut second = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let lost = partitions(&poll_until(first.as_mut(), |all| all.lost.len() == 2).await.lost);

    let (mut fed, deadline) = (0, Instant::now() + PATIENCE);
    let mut by_first = 0;
    // Until the other one has worked as well.
    loop {
        assert!(Instant::now() < deadline, "the other one doesn't work");
        feed(&s, &topic, 4).await;
        fed += 4;
        let poll = work_once(first.as_mut(), &out).await;
        by_first += records(&poll.batches);
        assert!(poll.lost.is_empty() && poll.gained.is_empty(), "{poll:?}");
        let done = s.streams.committed(&s.name("group"), &topic).await.unwrap();
        if lost.iter().all(|p| done[*p as usize].is_some_and(|next| next > 0)) && by_first > 0 {
            break;
        }
    }
    second.kill().unwrap();
    second.wait().unwrap();
    let (mut gained, mut alone) = (BTreeSet::new(), 0);
    while gained.len() < 2 {
        assert!(Instant::now() < deadline, "gained {gained:?}");
        feed(&s, &topic, 4).await;
        fed += 4;
        let poll = work_once(first.as_mut(), &out).await;
        assert!(poll.lost.is_empty(), "{poll:?}");
        gained.extend(partitions(&poll.gained));
        alone += poll.batches.iter().filter(|batch| !lost.contains(&batch.partition)).map(|b| b.len()).sum::<usize>();
    }
    assert_eq!(gained, lost);
    assert!(alone > 0, "it stood still until the group missed the other one");
    while (0..4).map(|p| count(first.as_ref(), p)).sum::<u64>() < fed as u64 {
        assert!(Instant::now() < deadline);
        work_once(first.as_mut(), &out).await;
    }
    assert_eq!((0..4).map(|p| count(first.as_ref(), p)).sum::<u64>(), fed as u64);
    s.all_of(&out, 1, fed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the program of another test"]
async fn works_until_it_is_killed() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let of = |name: &str| std::env::var(name).unwrap();
    let membership = Membership {
        group: of(GROUP),
        topics: vec![of(TOPIC)],
        state: Some(of(GROUP)),
        batch_records_max: 10,
        batch_bytes_max: 1024 * 1024,
    };
    let mut config = super::config(&address);
    config.properties.insert("transaction.timeout.ms".to_owned(), "3000".to_owned());
    let mut worker = super::connect(&config).join(membership).await.unwrap();
    loop {
        work_once(worker.as_mut(), &of(OUT)).await;
    }
}

/// Work that is under way when its partition is asked back is committed first: the heir goes on behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_is_under_way_is_finished_before_its_partition_goes() {
    let Some(s) = super::subject().await else { return };
    let (topic, out) = (s.topic("in", 2).await, s.topic("out", 1).await);
    let mut first = s.join("group", &[&topic]).await;
    gain_all(first.as_mut(), 2).await;
    feed(&s, &topic, 2).await;
    let batches = poll_until(first.as_mut(), |all| records(&all.batches) == 2).await.batches;
    let mut second = s.join("group", &[&topic]).await;
    let polling = tokio::spawn(async move {
        let gained = poll_until(second.as_mut(), |all| !all.gained.is_empty()).await.gained;
        (second, gained)
    });
    // Long enough for the group to decide; nothing tells that it has.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!polling.is_finished(), "a partition went while its work was under way");
    first.commit(copy(&out, &batches)).await.unwrap();
    let lost = poll_until(first.as_mut(), |all| !all.lost.is_empty()).await.lost;
    let (mut second, gained) = polling.await.unwrap();
    assert_eq!(gained, lost);
    assert_eq!(records(&second.poll(A_MOMENT).await.unwrap().batches), 0, "what was committed does not come again");
    s.all_of(&out, 1, 2).await;
}

/// Several topics need partition `p` of all of them in one place. That is what `range` gives, and it takes everything
/// away for a moment; what comes back has its state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_several_topics_move_together() {
    let Some(s) = super::subject().await else { return };
    let topics = [s.topic("a", 4).await, s.topic("b", 4).await];
    let names = [topics[0].as_str(), topics[1].as_str()];
    let mut first = s.join("group", &names).await;
    gain_all(first.as_mut(), 8).await;
    let state = (0..4).map(|p| counted(first.as_ref(), p, u64::from(p) + 1)).collect();
    first.commit(Work { state, ..Work::default() }).await.unwrap();
    let mut second = s.join("group", &names).await;
    let (one, two) = tokio::join!(
        poll_until(first.as_mut(), |all| all.lost.len() == 8 && all.gained.len() == 4),
        poll_until(second.as_mut(), |all| all.gained.len() == 4)
    );
    for (worker, places) in [(&first, one.gained), (&second, two.gained)] {
        let of = |topic: &String| places.iter().filter(|(t, _)| t == topic).map(|(_, p)| *p).collect::<BTreeSet<_>>();
        assert_eq!(of(&topics[0]), of(&topics[1]), "{places:?}");
        assert!(of(&topics[0]).iter().all(|p| count(worker.as_ref(), *p) == u64::from(*p) + 1));
    }
}

/// A round may take longer than `max.poll.interval.ms`: nobody takes its worker for dead, and it is not asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_round_is_no_reason_for_a_rebalance() {
    let Some(kafka) = Kafka::shared() else { return };
    let mut config = super::config(&kafka.address());
    for (name, value) in [("session.timeout.ms", "2000"), ("max.poll.interval.ms", "2000")] {
        config.properties.insert(name.to_owned(), value.to_owned());
    }
    let s = Subject::new(move || {
        let streams = super::connect(&config);
        Box::pin(async move { streams as std::sync::Arc<dyn wasmill::streams::Streams> })
    });
    let s = s.await;
    for topics in [1, 2] {
        let names = [s.topic(&format!("a-{topics}"), 1).await, s.topic(&format!("b-{topics}"), 1).await];
        let names: Vec<&str> = names.iter().map(String::as_str).take(topics).collect();
        let group = format!("group-{topics}");
        let mut worker = s.join(&group, &names).await;
        gain_all(worker.as_mut(), topics).await;
        feed(&s, names[0], 1).await;
        let batches = poll_until(worker.as_mut(), |all| records(&all.batches) == 1).await.batches;
        // Someone waits for the partition to become free. With several topics nobody may: who joins such a group makes
        // all others give up everything, and waits for them as long as the interval says.
        let mut heir = if topics == 1 { Some(s.join(&group, &names).await) } else { None };
        tokio::time::sleep(Duration::from_secs(6)).await;
        if let Some(heir) = &mut heir {
            assert!(heir.poll(A_MOMENT).await.unwrap().gained.is_empty());
        }
        worker.commit(done(&batches)).await.unwrap();
        let committed = s.streams.committed(&s.name(&group), names[0]).await.unwrap();
        assert_eq!(committed, [Some(1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gained_ends_the_wait_of_a_poll() {
    let Some(s) = super::subject().await else { return };
    let topic = s.topic("in", 2).await;
    // Whether the worker looks before or after the outcome is there is decided by a few microseconds.
    for round in 0..8 {
        let mut worker = s.join(&format!("group-{round}"), &[&topic]).await;
        let poll = worker.poll(PATIENCE).await.unwrap();
        assert_eq!(poll.gained.len(), 2, "round {round}: the poll has waited to its end");
    }
}
