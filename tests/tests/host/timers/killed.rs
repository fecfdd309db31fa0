//! `kill -9` while timers wait, on the embedded log.

use std::collections::BTreeMap;
use std::time::Duration;

use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use super::REMINDER_MAY;
use super::desk::{self, PARTITIONS, REMINDERS};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fires_once_though_its_host_is_killed_again_and_again() {
    let cli = Cli::new();
    cli.allow(REMINDER_MAY);
    let Some(()) = cli.install("reminder") else { return };
    for topic in ["reminders", "reminders.due"] {
        cli.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    let up = Up::start(&cli);
    desk::send(&cli, 4000).await;
    up.kill();
    for pause in [300, 900, 10, 700] {
        let up = Up::start(&cli);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        up.kill();
    }
    let up = Up::start(&cli);
    let fired = desk::fired(&cli, REMINDERS).await;
    let twice: BTreeMap<_, _> = fired.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(fired.len(), REMINDERS);
    drop(up);
}
