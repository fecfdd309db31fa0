//! Two hosts on one Kafka, killed in turn: each timer and each time of a schedule fires once over both.

use std::collections::BTreeMap;
use std::time::Duration;

use wasmill_tests::binary::Cli;
use wasmill_tests::kafka::Kafka;
use wasmill_tests::up::Up;

use super::desk::{self, PARTITIONS, REMINDERS};
use super::{REMINDER_MAY, each_second};

fn home(kafka: &Kafka, name: &str) -> Option<Cli> {
    let cli = Cli::new();
    let streams = format!(
        "[streams]\nbrokers = [\"{}\"]\ninstance = \"{name}\"\n[streams.properties]\n\"session.timeout.ms\" = \"6000\"\n",
        kafka.address()
    );
    cli.write("home/host.toml", streams);
    cli.allow(REMINDER_MAY);
    cli.install_with("reminder", each_second)?;
    Some(cli)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fires_once_over_both_though_one_after_the_other_is_killed() {
    let Some(kafka) = Kafka::shared() else { return };
    let (Some(one), Some(two)) = (home(kafka, "one"), home(kafka, "two")) else { return };
    for topic in ["reminders", "reminders.due"] {
        one.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    let first = Up::start(&one);
    let second = Up::start(&two);
    for cli in [&one, &two] {
        cli.status_until(|status| status["agents"][0]["state"] == "running");
    }
    // Some fire before the first kill, most while somebody is away.
    desk::send(&one, 12_000).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    first.kill();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let first = Up::start(&one);
    tokio::time::sleep(Duration::from_secs(4)).await;
    second.kill();

    let fired = desk::fired(&one, REMINDERS).await;
    let times: BTreeMap<_, _> = fired.iter().filter(|(_, times)| **times != 1).collect();
    assert!(times.is_empty(), "{times:?}");
    assert_eq!(fired.len(), REMINDERS);
    let moments = desk::count(&one, "a new day").await;
    assert!(moments.len() > 5 && moments.values().all(|times| *times == 1), "{moments:?}");
    drop(first);
}
