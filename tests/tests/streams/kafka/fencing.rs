//! Workers that the group has given up, and that don't know it.

use std::sync::Arc;
use std::time::Duration;

use wasmill::streams::{Batch, Streams, Work};
use wasmill_tests::kafka::Kafka;

use super::{config, connect, copy};
use crate::contract::subject::{Opening, Subject, keyed, poll_records, poll_until, texts};

#[test]
fn a_zombie_can_not_commit() {
    is_fenced(copy);
}

/// Work of an idle call has no offsets of its own, and is fenced all the same.
#[test]
fn a_zombie_can_not_commit_outputs_alone() {
    is_fenced(|out, stale| Work { offsets: Vec::new(), ..copy(out, stale) });
}

/// A host whose tasks don't run is taken for dead. When it wakes up, its commit must not count.
fn is_fenced(work: fn(&str, &[Batch]) -> Work) {
    let Some(kafka) = Kafka::shared() else { return };
    // The zombie's tasks run only while something is waited for in `frozen`.
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (frozen, alive) = (runtime(), runtime());
    let mut config = config(&kafka.address());
    for (name, value) in [("session.timeout.ms", "2000"), ("max.poll.interval.ms", "2000")] {
        config.properties.insert(name.to_owned(), value.to_owned());
    }
    let open = move || -> Opening {
        let streams = connect(&config);
        Box::pin(async move { streams as Arc<dyn Streams> })
    };
    let s = alive.block_on(Subject::new(open));
    let (topic, out, mut zombie, stale) = frozen.block_on(async {
        let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
        s.streams.append(&topic, vec![keyed("k", "1"), keyed("k", "2")]).await.unwrap();
        let mut zombie = s.join("group", &[&topic]).await;
        let stale = poll_records(zombie.as_mut(), 2).await;
        (topic, out, zombie, stale)
    });
    let (mut heir, fresh) = alive.block_on(async {
        let mut heir = s.join("group", &[&topic]).await;
        let fresh = poll_records(heir.as_mut(), 2).await;
        (heir, fresh)
    });

    let refused = frozen.block_on(zombie.commit(work(&out, &stale))).unwrap_err();
    assert_eq!(refused.code(), "worker.fenced");
    alive.block_on(async {
        heir.commit(copy(&out, &fresh)).await.unwrap();
        assert_eq!(texts(&s.all_of(&out, 1, 2).await[0]), ["1", "2"]);
    });

    // It hears of its loss, and is an ordinary member again: when the heir goes, it goes on where the heir was.
    frozen.block_on(poll_until(zombie.as_mut(), |all| !all.lost.is_empty()));
    alive.block_on(async { drop(heir) });
    frozen.block_on(async {
        poll_until(zombie.as_mut(), |all| !all.gained.is_empty()).await;
        s.streams.append(&topic, vec![keyed("k", "3")]).await.unwrap();
        let batches = poll_records(zombie.as_mut(), 1).await;
        zombie.commit(copy(&out, &batches)).await.unwrap();
        assert_eq!(texts(&s.all_of(&out, 1, 3).await[0]), ["1", "2", "3"]);
        drop(zombie);
    });
}

/// A commit that its caller gave up halfway may have happened or not; either way nothing is lost or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_given_up_halfway_is_settled_by_the_next_poll() {
    let Some(s) = super::subject().await else { return };
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    s.append_numbered(&topic, (0..40).map(|i| i.to_string())).await;
    let mut membership = s.membership("group", &[&topic]);
    membership.batch_records_max = 1;
    let mut worker = s.streams.join(membership).await.unwrap();
    let mut millis = 0;
    while s.streams.committed(&s.name("group"), &topic).await.unwrap() != [Some(40)] {
        let polled = worker.poll(Duration::from_millis(100)).await.unwrap();
        if !polled.batches.is_empty() {
            millis = (millis + 1) % 10;
            let work = copy(&out, &polled.batches);
            let _given_up = tokio::time::timeout(Duration::from_millis(millis), worker.commit(work)).await;
        }
    }
    let expected: Vec<String> = (0..40).map(|i| i.to_string()).collect();
    assert_eq!(texts(&s.all_of(&out, 1, 40).await[0]), expected);
}
