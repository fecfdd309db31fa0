//! Commits: all or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmill::streams::{Column, HeaderColumns, Output, RECORD_SIZE_MAX, StateChange, TopicSpec, Work};

use super::subject::{A_MOMENT, Subject, done, output, poll_records, poll_until, texts};

pub async fn outputs_are_invisible_until_they_are_committed(s: Subject) {
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    s.append_numbered(&topic, ["k".to_owned()]).await;
    let mut worker = s.join("group", &[&topic]).await;
    let batches = poll_records(worker.as_mut(), 1).await;
    assert!(s.streams.read(&out, 0, 0, 10, A_MOMENT).await.unwrap().is_empty());
    let outputs = vec![output(&out, &[("k", "1")]), output(&out, &[("k", "2"), ("k", "3")])];
    worker.commit(Work { outputs, ..done(&batches) }).await.unwrap();
    assert_eq!(texts(&s.streams.read(&out, 0, 0, 10, A_MOMENT).await.unwrap()), ["1", "2", "3"]);
}

pub async fn outputs_offsets_and_state_appear_together(s: Subject) {
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    s.append_numbered(&topic, (0..3).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    let batches = poll_records(worker.as_mut(), 3).await;
    let change = StateChange { partition: 0, key: b"count".to_vec(), value: Some(b"3".to_vec()) };
    let work = Work { outputs: vec![output(&out, &[("k", "v")])], state: vec![change], ..done(&batches) };
    worker.commit(work).await.unwrap();
    assert_eq!(texts(&s.all_of(&out, 1, 1).await[0]), ["v"]);
    assert_eq!(s.streams.committed(&s.name("group"), &topic).await.unwrap(), [Some(3)]);
    assert_eq!(worker.state().get(0, b"count").unwrap(), Some(b"3".to_vec()));
}

pub async fn a_failed_commit_leaves_nothing(s: Subject) {
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    s.append_numbered(&topic, (0..3).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    let large = "x".repeat(RECORD_SIZE_MAX + 1);
    for (bad, code) in [
        (output(&out, &[("k", large.as_str())]), "record.too-large"),
        (output(&s.name("missing"), &[("k", "v")]), "topic.unknown"),
    ] {
        let batches = poll_records(worker.as_mut(), 3).await;
        let change = StateChange { partition: 0, key: b"key".to_vec(), value: Some(b"value".to_vec()) };
        let work = Work { outputs: vec![output(&out, &[("k", "good")]), bad], state: vec![change], ..done(&batches) };
        assert_eq!(worker.commit(work).await.unwrap_err().code(), code);
        assert!(s.streams.read(&out, 0, 0, 10, A_MOMENT).await.unwrap().is_empty(), "{code}");
        assert_eq!(s.streams.committed(&s.name("group"), &topic).await.unwrap(), [None], "{code}");
        assert_eq!(worker.state().get(0, b"key").unwrap(), None, "{code}");
        worker.rewind().await.unwrap();
    }
    let batches = poll_records(worker.as_mut(), 3).await;
    worker.commit(Work { outputs: vec![output(&out, &[("k", "good")])], ..done(&batches) }).await.unwrap();
    assert_eq!(texts(&s.streams.read(&out, 0, 0, 10, A_MOMENT).await.unwrap()), ["good"]);
}

pub async fn outputs_carry_common_headers_and_numbers(s: Subject) {
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 2).await);
    let mut worker = s.join("group", &[&topic]).await;
    poll_until(worker.as_mut(), |all| !all.gained.is_empty()).await;
    let mut names = Column::default();
    names.push(b"own");
    let mut values = Column::default();
    values.push(&[0, 255]);
    let keys: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    let rows: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), key.as_str())).collect();
    let sent = Output {
        headers: Some(HeaderColumns { ends: vec![1; 10], names, values }),
        common_headers: Arc::from([("common".to_owned(), b"c".to_vec())]),
        id_prefix: Some("batch-7-".to_owned()),
        ..output(&out, &rows)
    };
    worker.commit(Work { outputs: vec![sent], ..Work::default() }).await.unwrap();
    let mut seen = 0;
    for batch in s.all_of(&out, 2, 10).await {
        for i in 0..batch.len() {
            let row = String::from_utf8(batch.value(i).unwrap().to_vec()).unwrap();
            let headers: Vec<_> = batch.headers.as_ref().unwrap().of(i).collect();
            let own = headers.iter().position(|h| *h == (&b"own"[..], &[0, 255][..]));
            let common = headers.iter().position(|h| *h == (&b"common"[..], &b"c"[..]));
            assert_eq!(own.is_some(), row == "0", "only the first record has a header of its own");
            assert!(common.is_some() && own < common, "{headers:?}");
            let id = format!("batch-7-{row}");
            assert!(headers.contains(&(b"ce_id", id.as_bytes())), "{headers:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

pub async fn contradicting_columns_are_refused(s: Subject) {
    let (topic, out) = (s.topic("in", 1).await, s.topic("out", 1).await);
    let mut worker = s.join("group", &[&topic]).await;
    poll_until(worker.as_mut(), |all| !all.gained.is_empty()).await;
    let good = || output(&out, &[("k", "v"), ("k", "w")]);
    let mut cases = [good(), good(), good(), good()];
    cases[0].keys.ends.pop();
    cases[1].values.ends = vec![2, 1];
    cases[2].value_present = vec![1];
    cases[3].headers = Some(HeaderColumns { ends: vec![0, 1], ..HeaderColumns::default() });
    for case in cases {
        let error = worker.commit(Work { outputs: vec![case], ..Work::default() }).await.unwrap_err();
        assert_eq!(error.code(), "record.invalid", "{error}");
        worker.rewind().await.unwrap();
    }
    assert!(s.streams.read(&out, 0, 0, 10, A_MOMENT).await.unwrap().is_empty());
}

/// And the worker goes on with the others: a refusal costs nobody else their commit.
pub async fn a_record_without_a_key_is_refused_by_a_compacted_topic_alone(s: Subject) {
    let topic = s.topic("in", 1).await;
    let out = TopicSpec { name: s.name("compacted"), partitions: 1, compacted: true };
    s.streams.create_topic(&out).await.unwrap();
    s.append_numbered(&topic, (0..3).map(|i| i.to_string())).await;
    let mut worker = s.join("group", &[&topic]).await;
    for _ in 0..3 {
        let batches = poll_records(worker.as_mut(), 3).await;
        let bad = Output { key_present: vec![1, 0, 1], ..output(&out.name, &[("a", "1"), ("", "2"), ("c", "3")]) };
        let error = worker.commit(Work { outputs: vec![bad], ..done(&batches) }).await.unwrap_err();
        assert!(error.is_about_a_record() && error.to_string().contains(&out.name), "{error}");
        worker.rewind().await.unwrap();
    }
    let batches = poll_records(worker.as_mut(), 3).await;
    let good = output(&out.name, &[("a", "1"), ("c", "3")]);
    worker.commit(Work { outputs: vec![good], ..done(&batches) }).await.unwrap();
    assert_eq!(texts(&s.all_of(&out.name, 1, 2).await[0]), ["1", "3"]);
}

pub async fn a_copy_keeps_the_order_of_each_key(s: Subject) {
    let (topic, out) = (s.topic("in", 3).await, s.topic("out", 2).await);
    s.append_numbered(&topic, (0..300).map(|i| format!("key-{}", i % 7))).await;
    let mut worker = s.join("group", &[&topic]).await;
    let mut copied = 0;
    while copied < 300 {
        let batches = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
        let outputs = batches.iter().map(|batch| {
            copied += batch.len();
            let (keys, values) = (batch.keys.clone(), batch.values.clone());
            Output { topic: out.clone(), keys, values, ..Output::default() }
        });
        let outputs = outputs.collect();
        worker.commit(Work { outputs, ..done(&batches) }).await.unwrap();
    }
    let mut last = BTreeMap::new();
    let mut count = 0;
    for batch in s.all_of(&out, 2, 300).await {
        for (i, text) in texts(&batch).iter().enumerate() {
            let number: u32 = text.parse().unwrap();
            let before = last.insert(batch.key(i).unwrap().to_vec(), number);
            assert!(before.is_none_or(|before| before < number), "{number} came after {before:?}");
            count += 1;
        }
    }
    assert_eq!((count, last.len()), (300, 7));
}
