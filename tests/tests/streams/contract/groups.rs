//! One member of a consumer group: what it reads, and what it reads again.

use std::time::Duration;

use wasmill::streams::{Membership, Record, Work};

use super::subject::{A_MOMENT, PATIENCE, Subject, done, keyless, output, poll_records, poll_until, records, texts};

pub async fn a_new_group_reads_from_the_beginning(s: Subject) {
    let topic = s.topic("in", 3).await;
    s.append_numbered(&topic, (0..30).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    let polled = poll_until(worker.as_mut(), |all| records(&all.batches) >= 30).await;
    let mut gained = polled.gained;
    gained.sort();
    assert_eq!(gained, [(topic.clone(), 0), (topic.clone(), 1), (topic.clone(), 2)]);
    assert!(polled.lost.is_empty());
    let mut values: Vec<u32> = polled.batches.iter().flat_map(texts).map(|text| text.parse().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, (0..30).collect::<Vec<_>>());
    assert_eq!(s.streams.committed(&s.name("group"), &topic).await.unwrap(), [None; 3]);
}

pub async fn what_was_not_committed_comes_again_after_a_rewind(s: Subject) {
    let topic = s.topic("in", 1).await;
    s.append_numbered(&topic, (0..5).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    let first = poll_records(worker.as_mut(), 5).await;
    assert_eq!(records(&worker.poll(A_MOMENT).await.unwrap().batches), 0, "what was polled does not come twice");
    worker.rewind().await.unwrap();
    let again = poll_records(worker.as_mut(), 5).await;
    assert_eq!(again.iter().flat_map(texts).collect::<Vec<_>>(), first.iter().flat_map(texts).collect::<Vec<_>>());
    worker.commit(done(&again)).await.unwrap();
    worker.rewind().await.unwrap();
    assert_eq!(records(&worker.poll(A_MOMENT).await.unwrap().batches), 0);
}

pub async fn partitions_that_a_commit_does_not_list_come_again(s: Subject) {
    let topic = s.topic("in", 2).await;
    for partition in [0, 1] {
        let rows = ["a", "b", "c"].map(|value| Record { partition: Some(partition), ..keyless(value) });
        s.streams.append(&topic, rows.to_vec()).await.unwrap();
    }
    let mut worker = s.join("group", &[&topic]).await;
    poll_records(worker.as_mut(), 6).await;
    // Of partition 0 only the first record is done, of partition 1 none.
    let work = Work { offsets: vec![(topic.clone(), 0, 1)], ..Work::default() };
    worker.commit(work).await.unwrap();
    let mut again: Vec<(u32, String)> = Vec::new();
    for batch in poll_records(worker.as_mut(), 5).await {
        again.extend(texts(&batch).into_iter().map(|text| (batch.partition, text)));
    }
    again.sort();
    let expected = [(0, "b"), (0, "c"), (1, "a"), (1, "b"), (1, "c")].map(|(p, v)| (p, v.to_owned()));
    assert_eq!(again, expected);
}

pub async fn what_a_part_does_not_list_stays_with_the_worker(s: Subject) {
    let topic = s.topic("in", 2).await;
    for partition in [0, 1] {
        let rows = ["a", "b", "c"].map(|value| Record { partition: Some(partition), ..keyless(value) });
        s.streams.append(&topic, rows.to_vec()).await.unwrap();
    }
    let mut worker = s.join("group", &[&topic]).await;
    poll_records(worker.as_mut(), 6).await;
    let part = |next| Work { offsets: vec![(topic.clone(), 0, next)], ..Work::default() };
    worker.commit_part(part(1)).await.unwrap();
    assert_eq!(s.streams.committed(&s.name("group"), &topic).await.unwrap(), [Some(1), None]);
    // New ones come, old ones don't.
    s.streams.append(&topic, vec![Record { partition: Some(1), ..keyless("d") }]).await.unwrap();
    let new = poll_records(worker.as_mut(), 1).await;
    assert_eq!(new.iter().flat_map(texts).collect::<Vec<_>>(), ["d"]);
    worker.commit_part(part(2)).await.unwrap();
    // Work that is refused leaves everything where it was.
    let bad = Work { outputs: vec![output(&s.name("missing"), &[("k", "v")])], ..part(3) };
    worker.commit_part(bad).await.unwrap_err();
    assert_eq!(records(&worker.poll(A_MOMENT).await.unwrap().batches), 0);
    worker.rewind().await.unwrap();
    let mut again: Vec<(u32, String)> = Vec::new();
    for batch in poll_records(worker.as_mut(), 5).await {
        again.extend(texts(&batch).into_iter().map(|text| (batch.partition, text)));
    }
    again.sort();
    let expected = [(0, "c"), (1, "a"), (1, "b"), (1, "c"), (1, "d")].map(|(p, v)| (p, v.to_owned()));
    assert_eq!(again, expected);
}

pub async fn a_held_partition_gives_nothing_until_it_is_let_go(s: Subject) {
    let topic = s.topic("in", 2).await;
    let mut worker = s.join("group", &[&topic]).await;
    poll_until(worker.as_mut(), |all| all.gained.len() == 2).await;
    worker.hold([(topic.clone(), 0)].into());
    for partition in [0, 1] {
        s.streams.append(&topic, vec![Record { partition: Some(partition), ..keyless("a") }]).await.unwrap();
    }
    assert_eq!(poll_records(worker.as_mut(), 1).await[0].partition, 1);
    assert_eq!(records(&worker.poll(A_MOMENT).await.unwrap().batches), 0);
    worker.hold([].into());
    assert_eq!(poll_records(worker.as_mut(), 1).await[0].partition, 0);
}

pub async fn a_group_goes_on_where_it_committed(s: Subject) {
    let topic = s.topic("in", 1).await;
    s.append_numbered(&topic, (0..6).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    poll_records(worker.as_mut(), 6).await;
    worker.commit(Work { offsets: vec![(topic.clone(), 0, 4)], ..Work::default() }).await.unwrap();
    drop(worker);
    let s = s.reopened().await;
    assert_eq!(s.streams.committed(&s.name("group"), &topic).await.unwrap(), [Some(4)]);
    let mut worker = s.join("group", &[&topic]).await;
    let rest = poll_records(worker.as_mut(), 2).await;
    assert_eq!(rest.iter().flat_map(texts).collect::<Vec<_>>(), ["4", "5"]);
}

pub async fn groups_do_not_disturb_each_other(s: Subject) {
    let topic = s.topic("in", 2).await;
    s.append_numbered(&topic, (0..10).map(|i| i.to_string())).await;
    let mut one = s.join("one", &[&topic]).await;
    let mut two = s.join("two", &[&topic]).await;
    let batches = poll_records(one.as_mut(), 10).await;
    one.commit(done(&batches)).await.unwrap();
    assert_eq!(records(&poll_records(two.as_mut(), 10).await), 10);
    assert_eq!(s.streams.committed(&s.name("two"), &topic).await.unwrap(), [None; 2]);
}

pub async fn a_poll_keeps_to_its_limits(s: Subject) {
    let topic = s.topic("in", 2).await;
    let large = Record { value: Some(vec![b'x'; 5000]), ..Record::default() };
    let rows = (0..20).map(|i| if i == 10 { large.clone() } else { keyless(&"x".repeat(100)) });
    let rows = rows.enumerate().map(|(i, row)| Record { partition: Some(i as u32 % 2), ..row });
    s.streams.append(&topic, rows.collect()).await.unwrap();
    let limits = Membership { batch_records_max: 3, batch_bytes_max: 250, ..s.membership("group", &[&topic]) };
    let mut worker = s.streams.join(limits).await.unwrap();
    let mut seen = 0;
    let mut most = 0;
    while seen < 20 {
        let polled = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
        let count = records(&polled);
        let bytes: usize = polled.iter().map(|batch| batch.values.bytes.len()).sum();
        assert!(count <= 3, "{count} records");
        assert!(bytes <= 250 || count == 1, "{bytes} bytes in {count} records");
        (seen, most) = (seen + count, most.max(count));
    }
    assert_eq!((seen, most), (20, 2), "each once, and as many at a time as the limits allow");
}

pub async fn a_waiting_poll_returns_when_a_record_arrives(s: Subject) {
    let topics = [s.topic("a", 2).await, s.topic("b", 1).await];
    let mut worker = s.join("group", &[&topics[0], &topics[1]]).await;
    poll_until(worker.as_mut(), |all| all.gained.len() == 3).await;
    for topic in &topics {
        let waiting = tokio::spawn(async move {
            let polled = worker.poll(10 * PATIENCE).await.unwrap();
            (worker, polled)
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        s.streams.append(topic, vec![keyless("news")]).await.unwrap();
        let returned = tokio::time::timeout(PATIENCE, waiting).await.expect("the poll should have returned");
        let polled;
        (worker, polled) = returned.unwrap();
        assert_eq!(polled.batches.iter().flat_map(texts).collect::<Vec<_>>(), ["news"]);
    }
}
