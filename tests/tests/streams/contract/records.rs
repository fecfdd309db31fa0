//! Single records: appended, kept, read.

use wasmill::streams::{RECORD_SIZE_MAX, Record, partition_of};

use super::subject::{A_MOMENT, PATIENCE, Subject, keyed, keyless, texts};

pub async fn records_come_back_in_order_with_keys_headers_and_tombstones(s: Subject) {
    let topic = s.topic("records", 1).await;
    let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let records = vec![
        Record {
            key: Some(b"key".to_vec()),
            value: Some(b"value".to_vec()),
            headers: vec![header("twice", b"1"), header("binary", &[0, 255, 10]), header("twice", b"2")],
            timestamp_ms: Some(1_700_000_000_123),
            partition: None,
        },
        Record { key: Some(vec![0, 255]), value: None, ..Record::default() },
        Record { value: Some(b"no key".to_vec()), headers: vec![header("empty", b"")], ..Record::default() },
        Record { key: Some(Vec::new()), value: Some(Vec::new()), ..Record::default() },
    ];
    let places = s.streams.append(&topic, records.clone()).await.unwrap();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (0, 3)]);

    let s = s.reopened().await;
    let batch = s.all(&topic, 0).await;
    assert_eq!(batch.offsets, [0, 1, 2, 3]);
    assert_eq!(batch.timestamps_ms[0], 1_700_000_000_123);
    assert!(batch.timestamps_ms[1] > 1_700_000_000_123, "a record without a timestamp gets the present one");
    for (i, record) in records.iter().enumerate() {
        assert_eq!(batch.key(i), record.key.as_deref(), "key {i}");
        assert_eq!(batch.value(i), record.value.as_deref(), "value {i}");
        let headers: Vec<_> = batch.headers.as_ref().unwrap().of(i).collect();
        let expected: Vec<_> = record.headers.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())).collect();
        assert_eq!(headers, expected, "headers {i}");
    }
}

pub async fn empty_and_large_records_come_back(s: Subject) {
    let topic = s.topic("sizes", 1).await;
    let sizes = [0, 1_000_000, 1, 1_000_000, 0];
    let records = sizes.map(|size| Record { value: Some(vec![7; size]), ..Record::default() });
    s.streams.append(&topic, records.to_vec()).await.unwrap();
    let batch = s.all(&topic, 0).await;
    let found: Vec<_> = (0..batch.len()).map(|i| batch.value(i).unwrap().len()).collect();
    assert_eq!(found, sizes);
}

pub async fn a_record_over_the_limit_is_refused_and_nothing_is_appended(s: Subject) {
    let topic = s.topic("limit", 1).await;
    let large = Record { value: Some(vec![7; RECORD_SIZE_MAX + 1]), ..Record::default() };
    let error = s.streams.append(&topic, vec![keyless("before"), large]).await.unwrap_err();
    assert_eq!(error.code(), "record.too-large", "{error}");
    assert_eq!(s.streams.watermarks(&topic, 0).await.unwrap().next, 0);
    s.streams.append(&topic, vec![keyless("after")]).await.unwrap();
    assert_eq!(texts(&s.all(&topic, 0).await), ["after"]);
}

pub async fn keys_go_where_kafkas_hash_says(s: Subject) {
    let topic = s.topic("keys", 7).await;
    let keys = ["21", "foobar", "a-little-bit-long-string", "", "k"];
    let places = s.streams.append(&topic, keys.map(|key| keyed(key, key)).to_vec()).await.unwrap();
    for (key, (partition, offset)) in keys.iter().zip(places) {
        assert_eq!(partition, partition_of(key.as_bytes(), 7), "{key}");
        let batch = s.streams.read(&topic, partition, offset, 1, A_MOMENT).await.unwrap();
        assert_eq!(batch.key(0), Some(key.as_bytes()));
    }
}

pub async fn records_without_a_key_take_turns(s: Subject) {
    let topic = s.topic("turns", 4).await;
    for _ in 0..2 {
        s.streams.append(&topic, vec![keyless("v"); 10]).await.unwrap();
    }
    for partition in 0..4 {
        assert_eq!(s.streams.watermarks(&topic, partition).await.unwrap().next, 5, "partition {partition}");
    }
}

pub async fn a_waiting_reader_returns_when_a_record_arrives(s: Subject) {
    let topic = s.topic("wait", 1).await;
    let reading = tokio::spawn({
        let (streams, topic) = (s.streams.clone(), topic.clone());
        async move { streams.read(&topic, 0, 0, 10, 10 * PATIENCE).await.unwrap() }
    });
    // Gives the reader time to wait; without it the test would still be right, only weaker.
    tokio::time::sleep(A_MOMENT).await;
    s.streams.append(&topic, vec![keyless("news")]).await.unwrap();
    let batch = tokio::time::timeout(PATIENCE, reading).await.expect("the reader should have returned").unwrap();
    assert_eq!(texts(&batch), ["news"]);
    assert!(s.streams.read(&topic, 0, 1, 10, A_MOMENT).await.unwrap().is_empty());
}

pub async fn reading_begins_anywhere_and_ends_where_asked(s: Subject) {
    let topic = s.topic("range", 1).await;
    for batch in 0..4 {
        let records = (0..5).map(|i| keyless(&(batch * 5 + i).to_string())).collect();
        s.streams.append(&topic, records).await.unwrap();
    }
    for (from, max, expected) in [(0, 3, 0..3), (3, 9, 3..12), (12, 100, 12..20), (19, 1, 19..20), (20, 1, 20..20)] {
        let batch = s.streams.read(&topic, 0, from, max, A_MOMENT).await.unwrap();
        let expected: Vec<String> = expected.map(|i: u64| i.to_string()).collect();
        assert_eq!(texts(&batch), expected, "from {from}, at most {max}");
        assert_eq!((batch.topic.as_str(), batch.partition), (topic.as_str(), 0));
    }
}
