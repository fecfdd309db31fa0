//! Records of every shape, through an agent on the embedded log.

use wasmill::streams::embedded::{Embedded, EmbeddedConfig};
use wasmill::streams::{Batch, RECORD_SIZE_MAX, Record, StreamError, Streams, TopicSpec};
use wasmill_tests::scratch::{PATIENCE, Scratch};

use super::feed::UPPER_MAY;

fn record(value: &[u8]) -> Record {
    Record { value: Some(value.to_vec()), ..Record::default() }
}

/// Key and value.
type Row<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// What `upper` makes of these records.
async fn upper(records: Vec<Record>) -> Option<Batch> {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    scratch.install("upper").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    let count = records.len();
    scratch.streams().append("lower", records).await.unwrap();
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", count).await.unwrap();
    running.stop().await.unwrap();
    assert_eq!(scratch.streams().watermarks("upper", 0).await.unwrap().next, count as u64);
    Some(out)
}

/// The headers of a row that are not the host's.
fn own_headers(batch: &Batch, row: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let hosts = |name: &[u8]| name.starts_with(b"ce_") || name.starts_with(b"wasmill-") || name == b"traceparent";
    let all = batch.headers.as_ref().unwrap().of(row);
    all.filter(|(name, _)| !hosts(name)).map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_headers_and_tombstones_come_through_as_they_are() {
    let binary = vec![0, 0xff, 0xc3, 0x28, b'\n'];
    let headers = vec![("bytes".to_owned(), binary.clone()), ("bytes".to_owned(), vec![]), ("ü".to_owned(), vec![1])];
    let records = vec![
        record(b""),
        Record { key: Some(vec![]), ..record(b"empty key") },
        Record { key: Some(binary.clone()), ..record(&binary) },
        Record { value: None, key: Some(b"gone".to_vec()), ..Record::default() },
        Record { value: None, ..Record::default() },
        Record { headers: headers.clone(), ..record(b"headers") },
    ];
    let Some(out) = upper(records).await else { return };
    let rows: Vec<_> = (0..out.len()).map(|row| (out.key(row), out.value(row))).collect();
    let wanted: [Row<'_>; 6] = [
        (None, Some(b"")),
        (Some(b""), Some(b"EMPTY KEY")),
        (Some(&binary), Some(&binary)),
        (Some(b"gone"), None),
        (None, None),
        (None, Some(b"HEADERS")),
    ];
    assert_eq!(rows, wanted);
    let sent: Vec<_> = headers.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
    assert_eq!(own_headers(&out, 5), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_the_largest_size_passes_and_a_larger_one_is_never_stored() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    let too_large = scratch.streams().append("lower", vec![record(&vec![b'a'; RECORD_SIZE_MAX + 1])]).await;
    assert!(matches!(too_large, Err(StreamError::UnknownTopic(_))), "{too_large:?}");
    scratch.topics(&["lower"]).await.unwrap();
    let too_large = scratch.streams().append("lower", vec![record(&vec![b'a'; RECORD_SIZE_MAX + 1])]).await;
    let Err(StreamError::RecordTooLarge { size, limit, .. }) = too_large else { panic!("{too_large:?}") };
    assert_eq!((size, limit), (RECORD_SIZE_MAX + 1, RECORD_SIZE_MAX));
    assert_eq!(scratch.streams().watermarks("lower", 0).await.unwrap().next, 0);

    let records = vec![record(b"before"), record(&vec![b'a'; RECORD_SIZE_MAX]), record(b"after")];
    let Some(out) = upper(records).await else { return };
    assert_eq!((out.value(0).unwrap(), out.value(2).unwrap()), (&b"BEFORE"[..], &b"AFTER"[..]));
    assert!(out.value(1).unwrap() == vec![b'A'; RECORD_SIZE_MAX], "{} bytes", out.value(1).unwrap().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_would_not_take_is_set_aside_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = Embedded::open(folder.path(), EmbeddedConfig::default()).unwrap();
    for name in ["lower", "upper"] {
        log.create_topic(&TopicSpec { name: name.to_owned(), partitions: 1, compacted: false }).await.unwrap();
    }
    log.append("lower", vec![record(b"a"), record(&[b'b'; 2000]), record(b"c")]).await.unwrap();
    drop(log);
    // What was small enough once is not any more.
    let lowered = EmbeddedConfig { record_bytes_max: 1000, ..EmbeddedConfig::default() };
    let log = Embedded::open(folder.path(), lowered).unwrap();
    let scratch = Scratch::new(UPPER_MAY).await.unwrap().with_streams(log);
    scratch.install("upper").unwrap();
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", 2).await.unwrap();
    assert_eq!((out.value(0), out.value(1)), (Some(&b"A"[..]), Some(&b"C"[..])));
    let dead = scratch.wait_for("lower.dlq", 1).await.unwrap();
    assert_eq!(dead.value(0), None);
    let headers: Vec<_> = dead.headers.as_ref().unwrap().of(0).collect();
    for header in
        [("wasmill-dlq-offset", "1"), ("wasmill-dlq-code", "record.too-large"), ("wasmill-dlq-omitted", "all")]
    {
        assert!(headers.contains(&(header.0.as_bytes(), header.1.as_bytes())), "{header:?} in {headers:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_somebody_else_gets_this_hosts_headers_instead_of_its_own() {
    let event = [("ce_id", "7"), ("ce_source", "/elsewhere"), ("wasmill-digest", "x"), ("lang", "en")];
    let headers = event.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    let Some(out) = upper(vec![Record { headers, ..record(b"event") }]).await else { return };
    let all: Vec<(String, String)> = out
        .headers
        .as_ref()
        .unwrap()
        .of(0)
        .map(|(n, v)| (String::from_utf8_lossy(n).into_owned(), String::from_utf8_lossy(v).into_owned()))
        .collect();
    for (name, value) in [("lang", "en"), ("ce_source", "/agents/upper"), ("ce_id", "lower-0-0.0.0")] {
        let found: Vec<_> = all.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        assert_eq!(found, [value], "{name} in {all:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_topic_does_not_exist_waits_for_it() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    scratch.install("upper").unwrap();
    let running = scratch.run().await.unwrap();
    let says = || format!("{:?}", running.host.supervisor.status());
    let began = std::time::Instant::now();
    while !says().contains("topic `lower` does not exist; create it with `wasmill topic create lower`") {
        assert!(began.elapsed() < PATIENCE, "{}", says());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    scratch.topics(&["lower", "upper"]).await.unwrap();
    scratch.send("lower", &["late"]).await.unwrap();
    assert_eq!(scratch.wait_for("upper", 1).await.unwrap().value(0), Some(&b"LATE"[..]));
    running.stop().await.unwrap();
}
