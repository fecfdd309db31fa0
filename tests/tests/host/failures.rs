//! Agents whose records fail: who fails alone is set aside, all others count, and nothing is lost with a restart.

use serde_json::json;
use wasmill::agents::{list, redrive};
use wasmill::streams::{Batch, Record};
use wasmill_tests::scratch::{PATIENCE, Scratch, component, manifest};
use wasmill_tests::server::until;

pub const MAY: &str = "privileged = []\n[[row]]\nprincipal = \"agent:evil-agent\"\ntopics.read = [\"evil.attacks\"]\n\
    topics.write = [\"evil.results\"]\ntopics.create = [\"evil.results\"]\ntools = [\"evil-agent.*\"]\n\
    forge = [\"rust\"]\nstate = true\ntimers = true\nagents = [\"none\"]\n";

/// A folder with an agent that counts, and fails where a record says so.
async fn scratch() -> Scratch {
    let scratch = Scratch::new(MAY).await.unwrap();
    scratch.install("evil-agent").unwrap();
    scratch.topics(&["evil.attacks", "evil.results"]).await.unwrap();
    scratch
}

async fn send(scratch: &Scratch, records: &[(&str, &str)]) {
    let records = records.iter().map(|(key, value)| Record {
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: vec![("from".into(), b"\xffbinary".to_vec())],
        ..Record::default()
    });
    scratch.streams().append("evil.attacks", records.collect()).await.unwrap();
}

fn attack(name: &str) -> String {
    json!({ "attack": name }).to_string()
}

fn keys(batch: &Batch) -> Vec<String> {
    (0..batch.len()).map(|i| String::from_utf8(batch.key(i).unwrap().to_vec()).unwrap()).collect()
}

fn header(batch: &Batch, row: usize, name: &str) -> Vec<u8> {
    let found = batch.headers.as_ref().unwrap().of(row).find(|(n, _)| *n == name.as_bytes());
    found.unwrap_or_else(|| panic!("no header {name}")).1.to_vec()
}

/// The counts that the agent has given, in order.
fn counts(batch: &Batch) -> Vec<String> {
    let result =
        |i| serde_json::from_slice::<serde_json::Value>(batch.value(i).unwrap()).unwrap()["result"].to_string();
    (0..batch.len()).map(|i| result(i).trim_matches('"').to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_record_is_set_aside_with_its_reason_and_the_others_keep_their_order() {
    let scratch = scratch().await;
    let (count, trap, fail) = (attack("state-count"), attack("send-and-trap"), attack("send-and-fail"));
    let records = [
        ("a", count.as_str()),
        ("b", "this is no JSON"),
        ("c", &count),
        ("d", &trap),
        ("e", &count),
        ("f", &fail),
        ("g", &count),
    ];
    send(&scratch, &records).await;
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("evil.results", 4).await.unwrap();
    assert_eq!(keys(&out), ["a", "c", "e", "g"]);
    assert_eq!(counts(&out), ["1", "2", "3", "4"], "what failed has counted nothing, and nothing counted twice");

    let dead = scratch.wait_for("evil.attacks.dlq", 3).await.unwrap();
    assert_eq!(keys(&dead), ["b", "d", "f"]);
    for (row, (offset, code)) in [("1", ""), ("3", "guest.trap"), ("5", "evil.lost")].into_iter().enumerate() {
        assert_eq!(dead.value(row).unwrap(), records[offset.parse::<usize>().unwrap()].1.as_bytes());
        assert_eq!(header(&dead, row, "from"), b"\xffbinary", "its own headers stay");
        assert_eq!(header(&dead, row, "wasmill-dlq-topic"), b"evil.attacks");
        assert_eq!(header(&dead, row, "wasmill-dlq-partition"), b"0");
        assert_eq!(header(&dead, row, "wasmill-dlq-offset"), offset.as_bytes());
        assert_eq!(header(&dead, row, "wasmill-dlq-agent"), b"evil-agent");
        assert!(!header(&dead, row, "wasmill-dlq-reason").is_empty());
        let said = String::from_utf8(header(&dead, row, "wasmill-dlq-code")).unwrap();
        assert!(said.starts_with(code) && !said.is_empty(), "{said}");
    }
    // Counted as soon as the worker hears that they are committed.
    let counted = || running.host.supervisor.status()[0].dead_letters;
    tokio::task::block_in_place(|| until(PATIENCE, || counted() == 3));
    assert_eq!(counted(), 3);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_fails_again_after_its_redrive_waits_again() {
    let scratch = scratch().await;
    scratch.topics(&["evil.attacks.dlq"]).await.unwrap();
    send(&scratch, &[("a", "this is no JSON")]).await;
    let running = scratch.run().await.unwrap();
    scratch.wait_for("evil.attacks.dlq", 1).await.unwrap();
    assert_eq!(redrive(scratch.streams(), "evil.attacks", 10).await.unwrap().records, 1);
    scratch.wait_for("evil.attacks.dlq", 2).await.unwrap();
    let waiting = list(scratch.streams(), "evil.attacks", 10).await.unwrap();
    let origins: Vec<_> = waiting.iter().map(|letter| letter.origin.unwrap().offset).collect();
    assert_eq!(origins, [1], "where it was sent again");
    assert_eq!(waiting[0].agent.as_deref(), Some("evil-agent"));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn state_survives_a_restart_and_counts_each_record_once() {
    let scratch = scratch().await;
    let count = attack("state-count");
    for round in 1..=3 {
        send(&scratch, &[("k", &count), ("k", "no JSON either"), ("k", &count)]).await;
        let running = scratch.run().await.unwrap();
        let out = scratch.wait_for("evil.results", 2 * round).await.unwrap();
        let expected: Vec<String> = (1..=2 * round).map(|n| n.to_string()).collect();
        assert_eq!(counts(&out), expected);
        running.stop().await.unwrap();
    }
    assert_eq!(scratch.streams().watermarks("evil.attacks.dlq", 0).await.unwrap().next, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_record_as_large_as_one_may_be_is_set_aside_too() {
    let scratch = scratch().await;
    let large = "x".repeat(wasmill::streams::RECORD_SIZE_MAX - 1024);
    send(&scratch, &[("large", &large), ("after", &attack("state-count"))]).await;
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("evil.results", 1).await.unwrap();
    assert_eq!(keys(&out), ["after"]);
    let dead = scratch.wait_for("evil.attacks.dlq", 1).await.unwrap();
    assert_eq!(dead.value(0).unwrap(), large.as_bytes());
    running.stop().await.unwrap();
}

/// Records of two topics are worked on in one round and committed together: the second sees what the first has counted.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_two_topics_share_the_state_of_their_partition() {
    let more = MAY.replace("[\"evil.attacks\"]", "[\"evil.attacks\", \"evil.more\"]");
    let scratch = Scratch::new(&more).await.unwrap();
    let both = |text: String| text.replace("[\"evil.attacks\"]", "[\"evil.attacks\", \"evil.more\"]");
    scratch.install_bytes(&component("evil-agent").unwrap(), &both(manifest("evil-agent").unwrap())).unwrap();
    scratch.topics(&["evil.attacks", "evil.more", "evil.results"]).await.unwrap();
    let record = Record { value: Some(attack("state-count").into_bytes()), ..Record::default() };
    for topic in ["evil.attacks", "evil.more"] {
        scratch.streams().append(topic, vec![record.clone(), record.clone()]).await.unwrap();
    }
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("evil.results", 4).await.unwrap();
    assert_eq!(counts(&out), ["1", "2", "3", "4"]);
    running.stop().await.unwrap();
}
