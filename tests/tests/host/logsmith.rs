//! The agent that writes parsers, on a host with a real forge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wasmill::forge::{ForgeSettings, prepare};
use wasmill::streams::Record;
use wasmill_tests::scratch::Scratch;

/// What the agent always needs.
pub const LOGSMITH_MAY: &str = r#"
[[row]]
principal = "agent:logsmith"
topics.read = ["logs.raw"]
topics.write = ["logs.parsed"]
tools = ["logsmith.*"]
forge = ["rust"]
state = true
"#;

/// A host's home with the agent and its topics.
async fn home() -> Scratch {
    prepare(&ForgeSettings::default(), &|_| ()).await.unwrap();
    let scratch = Scratch::new(LOGSMITH_MAY).await.unwrap();
    scratch.install("logsmith").unwrap();
    scratch.topics(&["logs.raw", "logs.parsed"]).await.unwrap();
    scratch
}

/// Sends lines of a source to `logs.raw`.
pub async fn send(scratch: &Scratch, source: &str, lines: &[String]) {
    let record = |line: &String| Record {
        key: Some(source.as_bytes().to_vec()),
        value: Some(line.as_bytes().to_vec()),
        ..Record::default()
    };
    scratch.streams().append("logs.raw", lines.iter().map(record).collect()).await.unwrap();
}

/// What was sent to `logs.parsed`, once there are so many records.
pub async fn parsed(scratch: &Scratch, records: usize) -> Vec<Value> {
    let out = scratch.wait_for("logs.parsed", records).await.unwrap();
    assert_eq!(out.len(), records);
    (0..records).map(|row| serde_json::from_slice(out.value(row).unwrap()).unwrap()).collect()
}

/// Lines with consecutive numbers, of three templates in turn.
pub fn shop(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers
        .map(|n| {
            let head =
                format!("2026-11-20 10:{:02}:{:02},{:03} INFO [worker-{}] ", n / 60 % 60, n % 60, n % 1000, n % 7);
            match n % 3 {
                0 => format!("{head}order {n} was paid with card"),
                1 => format!("{head}Cache miss for key=item-{n} after {} ms", n % 50),
                _ => format!("{head}Connection {n} from 10.0.{}.{} closed", n % 256, n % 251),
            }
        })
        .collect()
}

/// The template numbers of each kind of line, by what its template says.
fn numbers(records: &[Value]) -> BTreeMap<String, BTreeSet<u64>> {
    let mut numbers: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for record in records {
        let kind = record["template"].as_str().unwrap_or("none").split(' ').next().unwrap_or_default().to_owned();
        numbers.entry(kind).or_default().extend(record["template_id"].as_u64());
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_nobody_has_seen_gets_a_parser() {
    let scratch = home().await;
    send(&scratch, "shop", &shop(0..1_500)).await;
    let running = scratch.run().await.unwrap();
    let records = parsed(&scratch, 1_500).await;
    // What came before the parser was there is parsed too, once and in order.
    for (n, record) in records.iter().enumerate() {
        let variables = record["variables"].as_array().unwrap();
        assert!(variables.iter().any(|v| v.as_str().unwrap().contains(&n.to_string())), "{n}: {record}");
        assert_eq!((&record["source"], &record["level"]), (&"shop".into(), &"INFO".into()));
    }
    assert_eq!(records[1]["time"], "2026-11-20 10:00:01,001");
    let numbers = numbers(&records);
    assert_eq!(numbers.keys().map(String::as_str).collect::<Vec<_>>(), ["Cache", "Connection", "order"]);
    assert!(numbers.values().all(|numbers| numbers.len() == 1), "{numbers:?}");

    // From now on the tool is there: a few lines are enough.
    send(&scratch, "shop", &shop(1_500..1_510)).await;
    let records = parsed(&scratch, 1_510).await;
    assert!(records[1_500..].iter().all(|record| record["template_id"].is_u64()));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_gets_a_new_version_and_keeps_its_numbers() {
    let scratch = home().await;
    send(&scratch, "shop", &shop(0..900)).await;
    let running = scratch.run().await.unwrap();
    let before = numbers(&parsed(&scratch, 900).await);

    let strange: Vec<String> = (0..1_200)
        .map(|n| format!("2026-11-20 11:00:{:02},000 WARN [mailer] mail {n} bounced: mailbox full", n % 60))
        .collect();
    send(&scratch, "shop", &strange).await;
    parsed(&scratch, 2_100).await;
    send(&scratch, "shop", &strange[..100]).await;
    send(&scratch, "shop", &shop(900..1_000)).await;
    let records = parsed(&scratch, 2_300).await;
    assert!(records[2_100..].iter().all(|record| record["template_id"].is_u64()), "{:?}", numbers(&records[2_100..]));
    let after = numbers(&records[2_200..]);
    assert_eq!(before, after);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_wait_survive_the_end_of_their_host() {
    let scratch = home().await;
    // Too few for a sample, so they are in state when the host ends.
    send(&scratch, "shop", &shop(0..100)).await;
    let running = scratch.run().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    running.stop().await.unwrap();
    send(&scratch, "shop", &shop(100..200)).await;
    let running = scratch.run().await.unwrap();
    let records = parsed(&scratch, 200).await;
    let last = records.iter().map(|record| record["variables"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(last.len(), 200);
    running.stop().await.unwrap();
}
